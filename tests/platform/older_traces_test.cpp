// NVIDIA's published traces of the older form (input.txn, nv_full, int16): each one ends in the
// name of what is not modelled, none in a poll or a difference that follows from it. Skips itself,
// and says so, where the data are not.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "vp/trace/runner.hpp"

using namespace dlavp;

TEST_CASE("older traces: each names what is not modelled") {
  const char* folder = std::getenv("DLAVP_NVDLA_DATA");
  const std::filesystem::path data = folder ? folder : DLAVP_NVDLA_DATA_DEFAULT;
  if (!std::filesystem::is_directory(data / "traces_v1")) {
    WARN("skipped: no data in " << data);
    return;
  }
  const std::map<std::string, std::string> expected = {
      {"sanity0", "nvdla.unsupported_unit"},
      {"sanity1", "nvdla.unsupported_unit"},
      {"sanity1_cvsram", "nvdla.unsupported_unit"},
      {"sanity2", "nvdla.unsupported_unit"},
      {"sanity2_cvsram", "nvdla.unsupported_unit"},
      {"sanity3", "sdp.unsupported_precision"},
      {"sanity3_cvsram", "sdp.unsupported_precision"},
      {"conv_8x8_fc_int16", "sdp.unsupported_precision"},
      {"googlenet_conv2_3x3_int16", "sdp.unsupported_precision"},
      {"pdp_max_pooling_int16", "pdp.unsupported_precision"},
      {"sdp_relu_int16", "sdp.unsupported_precision"}};
  std::vector<trace::Job> jobs;
  for (const auto& [name, id] : expected)
    jobs.push_back({"nv_full", data / "traces_v1" / name, 32});
  for (const trace::Outcome& o : trace::play_all(jobs, 2, [](size_t) {})) {
    const std::string& id = expected.at(o.trace);
    std::string reasons;
    for (const std::string& r : o.reasons) reasons += r + "\n";
    INFO(o.trace << ": " << reasons);
    CHECK_FALSE(o.passed);
    CHECK_FALSE(o.internal);
    CHECK(o.bad_input);
    CHECK(reasons.find("[" + id + "]") != std::string::npos);
    CHECK(reasons.find("[trace.") == std::string::npos);
  }
}
