// A platform for one test case: a session with a loadable, run with given or random inputs. SystemC
// elaborates once a process, so a test case makes one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vp/host/session.hpp"

namespace dlavp::platform_test {

struct Platform {
  explicit Platform(const std::string& config, uint32_t latency = 32, RunMode mode = {});
  Platform(const std::string& config, const PlatformConfig& platform);
  std::variant<vp::RunResult, vp::RunFailure> run(const std::vector<uint8_t>& loadable,
                                                  const std::vector<std::vector<uint8_t>>& inputs);
  vp::Network network;
  std::unique_ptr<vp::Session> session;
};

/// The platform of that name.
PlatformConfig platform_config(const std::string& name);

/// The NVDLA data folder, whether or not it exists.
std::string data_folder();
/// A file under the NVDLA data folder; empty if it is not there.
std::vector<uint8_t> data_file(const std::string& name);
/// True, with a message, if there is no data folder.
bool no_data();
/// Inputs of a network, seeded random bytes.
std::vector<std::vector<uint8_t>> random_inputs(const vp::Network& network, unsigned seed);

}  // namespace dlavp::platform_test
