#include "sw/kit/kit.hpp"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "models/common/read_file.hpp"
#include "sw/kit/kit_files.hpp"

namespace dlavp::kit {
namespace {

namespace fs = std::filesystem;

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != 0 ? value : nullptr;
}

Result<fs::path> cache_folder() {
  fs::path folder = fs::temp_directory_path() / "dlavp-cache";
  if (const char* own = variable("DLAVP_CACHE_DIR"))
    folder = own;
  else if (const char* xdg = variable("XDG_CACHE_HOME"))
    folder = fs::path(xdg) / "dlavp";
  else if (const char* home = variable("HOME"))
    folder = fs::path(home) / ".cache" / "dlavp";
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed || access(folder.c_str(), W_OK) != 0)
    return Error{"custom.cache", folder.string(),
                 "cannot be written; DLAVP_CACHE_DIR names another folder"};
  return folder;
}

/// A folder of this process alone, removed at the end.
class WorkFolder {
 public:
  explicit WorkFolder(const fs::path& cache) {
    std::string name = (cache / "work-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

bool unpack(const fs::path& folder, std::span<const KitFile> files) {
  for (const KitFile& file : files) {
    const fs::path path = folder / file.name;
    std::error_code failed;
    fs::create_directories(path.parent_path(), failed);
    std::ofstream out(path, std::ios::binary);
    out.write(file.bytes.data(), static_cast<std::streamsize>(file.bytes.size()));
    out.close();
    if (!out) return false;
  }
  return true;
}

/// FNV-1a from two starting points: 128 bits that name a result by what it is made from.
class Digest {
 public:
  void add(std::string_view bytes) {
    for (uint64_t& state : state_) {
      for (const char c : bytes) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
      state = (state ^ bytes.size()) * 0x100000001b3U;
    }
  }
  [[nodiscard]] std::string text() const {
    return fmt::format("{:016x}{:016x}", state_[0], state_[1]);
  }

 private:
  std::array<uint64_t, 2> state_{0xcbf29ce484222325U, 0x9ae16a3b2f90404fU};
};

/// The program's path, as the shell would find it; empty if there is none.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? name : "";
  const char* path = variable("PATH");
  for (std::string_view rest = path == nullptr ? "" : path; !rest.empty();) {
    const size_t end = std::min(rest.find(':'), rest.size());
    const std::string candidate = std::string(rest.substr(0, end)) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return "";
}

struct Ran {
  int status = -1;
  std::string output;
};

/// Runs a program; what it prints goes to a file, so that nothing blocks.
Ran run_program(const std::vector<std::string>& command, const fs::path& log) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file >= 0) {
      dup2(file, STDOUT_FILENO);
      dup2(file, STDERR_FILENO);
    }
    execv(argv[0], argv.data());
    _exit(127);
  }
  Ran out;
  if (child < 0 || waitpid(child, &out.status, 0) != child) return out;
  if (const auto text = read_file(log.string(), "custom.cache")) out.output = *text;
  return out;
}

struct Toolchain {
  const char* variable;
  const char* program;
  const char* purpose;
  std::vector<std::string> flags;
};

// -ffp-contract=off on both sides: a layer's bytes must not depend on the machine.
const std::vector<std::string>& common_flags() {
  static const std::vector<std::string> flags{
      "-std=c11", "-O2", "-Wall", "-Wextra", "-ffp-contract=off", "-fno-math-errno"};
  return flags;
}

void hash_sources(const std::vector<LayerSources>& layers, Digest& digest, Diagnostics& errors) {
  std::vector<fs::path> files;
  for (const LayerSources& layer : layers)
    for (const fs::path& file : layer.files) {
      files.push_back(file);
      std::error_code ignored;
      for (const auto& entry : fs::directory_iterator(
               file.parent_path().empty() ? fs::path(".") : file.parent_path(), ignored))
        if (entry.path().extension() == ".h") files.push_back(entry.path());
    }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    const auto text = read_file(file.string(), "custom.source");
    if (!text) {
      errors.append(text.errors());
      continue;
    }
    digest.add(file.string());
    digest.add(*text);
  }
}

struct Job {
  Toolchain tools;
  std::vector<std::span<const KitFile>> kit;
  std::vector<std::string> inputs;  ///< of the kit, after the layers' sources
  std::string ending;               ///< of the result's name
};

Result<std::string> compiler_of(const Toolchain& tools) {
  const char* own = variable(tools.variable);
  const std::string name = own == nullptr ? tools.program : own;
  const std::string path = find_program(name);
  if (!path.empty()) return path;
  return Error{"custom.compiler", name,
               fmt::format("not found; it compiles custom layers for {} ({} names another one)",
                           tools.purpose, tools.variable)};
}

/// Where the job's result is: from the cache, or built now.
Result<fs::path> build(const Job& job, const std::vector<LayerSources>& layers) {
  const auto compiler = compiler_of(job.tools);
  if (!compiler) return compiler.errors();
  const auto cache = cache_folder();
  if (!cache) return cache.errors();
  Digest digest;
  Diagnostics errors;
  digest.add(*compiler);
  for (const std::string& flag : job.tools.flags) digest.add(flag);
  for (const auto& files : job.kit)
    for (const KitFile& file : files) digest.add(file.bytes);
  hash_sources(layers, digest, errors);
  if (!errors.empty()) return errors;
  const fs::path result = *cache / (digest.text() + job.ending);
  if (fs::exists(result)) return result;
  const WorkFolder work(*cache);
  bool written = !work.path().empty();
  for (const auto& files : job.kit) written = written && unpack(work.path(), files);
  if (!written) return Error{"custom.cache", cache->string(), "cannot be written"};
  std::vector<std::string> command{*compiler};
  command.insert(command.end(), common_flags().begin(), common_flags().end());
  for (const std::string& flag : job.tools.flags)
    command.push_back(flag.starts_with("@") ? (work.path() / flag.substr(1)).string() : flag);
  command.push_back("-I" + work.path().string());
  std::vector<std::string> names;
  for (const LayerSources& layer : layers) {
    names.push_back(layer.name);
    for (const fs::path& file : layer.files) command.push_back(file.string());
  }
  for (const std::string& input : job.inputs) command.push_back((work.path() / input).string());
  const fs::path made = work.path() / "result";
  command.insert(command.end(), {"-o", made.string()});
  const Ran ran = run_program(command, work.path() / "log");
  if (ran.status != 0)
    return Error{"custom.source", fmt::format("{}", fmt::join(names, ", ")),
                 fmt::format("does not compile for {}:\n{}", job.tools.purpose, ran.output)};
  std::error_code failed;
  fs::rename(made, result, failed);
  if (failed) return Error{"custom.cache", result.string(), failed.message()};
  return result;
}

}  // namespace

Result<std::vector<uint8_t>> build_firmware(const std::vector<LayerSources>& layers) {
  if (firmware_files().empty())
    return Error{"custom.compiler", "riscv64-unknown-elf-gcc",
                 "this program was built without it and has no firmware to add a layer to"};
  const Job job{{"DLAVP_RISCV_GCC",
                 "riscv64-unknown-elf-gcc",
                 "the core",
                 {"--specs=picolibc.specs", "-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany",
                  "-ffreestanding", "-ffunction-sections", "-fdata-sections", "-nostartfiles",
                  "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments", "-T", "@link.ld"}},
                {headers(), firmware_files()},
                {"dlavp_fw.o"},
                ".elf"};
  const auto path = build(job, layers);
  if (!path) return path.errors();
  const auto bytes = read_file(path->string(), "custom.cache");
  if (!bytes) return bytes.errors();
  return std::vector<uint8_t>(bytes->begin(), bytes->end());
}

Result<fs::path> build_host_library(const LayerSources& layer) {
  const Job job{{"DLAVP_CC", "cc", "this machine", {"-shared", "-fPIC"}},
                {headers(), host_files()},
                {"core_support.c", "emu_math.c", "fw_error.c", "host_layers.c"},
                ".so"};
  return build(job, {layer});
}

}  // namespace dlavp::kit
