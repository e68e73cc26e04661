// Which traces a folder holds.
#include <algorithm>

#include "models/common/hw_config.hpp"
#include "vp/trace/data_file.hpp"
#include "vp/trace/runner.hpp"
#include "vp/trace/trace.hpp"

namespace dlavp::trace {

namespace {

std::vector<std::filesystem::path> folders(const std::filesystem::path& dir) {
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(dir, ignored))
    if (entry.is_directory(ignored)) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

/// Last name of a path, whether or not it ends in a slash.
std::string name_of(const std::filesystem::path& dir) {
  const auto whole = std::filesystem::absolute(dir).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

class JobFinder {
 public:
  JobFinder(const std::string& config, const std::vector<uint32_t>& latencies)
      : config_(config), latencies_(latencies), known_(published_configs()) {}

  void look(const std::filesystem::path& dir) {
    std::error_code ignored;
    const size_t before = jobs.size() + errors.errors().size();
    if (!std::filesystem::is_directory(dir, ignored)) {
      errors.add("trace.dir", dir.string(), "is not a folder");
    } else if (is_trace(dir)) {
      const auto parent = std::filesystem::absolute(dir).lexically_normal();
      trace(dir,
            pick(name_of((parent.has_filename() ? parent : parent.parent_path()).parent_path())));
    } else if (holds_traces(dir)) {
      configuration(dir, pick(name_of(dir)));
    } else {
      for (const auto& part : folders(dir))
        if (holds_traces(part) && (config_.empty() || name_of(part) == config_))
          configuration(part, pick(name_of(part)));
    }
    if (jobs.size() + errors.errors().size() == before)
      errors.add("trace.dir", dir.string(), "there is no trace in it");
  }

  std::vector<Job> jobs;
  Diagnostics errors;

 private:
  [[nodiscard]] static bool holds_traces(const std::filesystem::path& dir) {
    const auto parts = folders(dir);
    return std::any_of(parts.begin(), parts.end(), is_trace);
  }
  [[nodiscard]] std::string pick(const std::string& folder) const {
    if (!config_.empty()) return config_;
    return std::find(known_.begin(), known_.end(), folder) != known_.end() ? folder : "";
  }
  void trace(const std::filesystem::path& dir, const std::string& config) {
    if (config.empty())
      errors.add("trace.config", dir.string(),
                 "no folder's name is a configuration; name one with --config");
    else
      for (const uint32_t latency : latencies_) jobs.push_back({config, dir, latency});
  }
  void configuration(const std::filesystem::path& dir, const std::string& config) {
    if (config.empty()) {
      errors.add("trace.config", dir.string(),
                 fmt::format("'{}' is not a configuration; name one with --config", name_of(dir)));
      return;
    }
    for (const auto& part : folders(dir))
      if (is_trace(part)) trace(part, config);
  }

  const std::string config_;
  const std::vector<uint32_t> latencies_;
  const std::vector<std::string> known_;
};

}  // namespace

Result<std::vector<Job>> find_jobs(const std::vector<std::filesystem::path>& dirs,
                                   const std::string& config,
                                   const std::vector<uint32_t>& latencies) {
  JobFinder finder(config, latencies);
  for (const auto& dir : dirs) finder.look(dir);
  if (!finder.errors.empty()) return finder.errors;
  return finder.jobs;
}

}  // namespace dlavp::trace
