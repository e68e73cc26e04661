// What the host needs to know of a loadable: its input and output tensors, and the optional blob
// "dlavp-info" (JSON) with what the format has no place for: scales, names, labels. Read with the
// firmware's own parser, so that host and firmware agree on what a loadable is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/common/hw_config.hpp"
#include "models/common/result.hpp"

namespace dlavp::vp {

/// An input or output: the memory entry and, where the loadable describes it, the tensor in it.
struct IoTensor {
  std::string name;
  uint32_t bind_id = 0;
  uint64_t bytes = 0;      ///< of the memory entry
  bool described = false;  ///< false: only `bytes` is known
  bool feature = false;    ///< NC/xHWx int8; else an image of `pixel_format`
  uint32_t pixel_format = 0;
  uint32_t channels = 0, height = 0, width = 0;
  uint32_t line_bytes = 0, surface_bytes = 0;
  std::optional<float> scale;  ///< real value = (stored value - zero_point) x scale
  int32_t zero_point = 0;
  std::vector<float> mean;        ///< subtracted from pixels, one a channel or one for all
  uint32_t network_channels = 0;  ///< of the network where the tensor is padded; 0: not known
};

struct OperationName {
  uint32_t task = 0, index = 0;
  std::string name;
  std::optional<size_t> layer;  ///< of the network's `layers`
  uint64_t macs = 0;
};

struct Network {
  std::vector<IoTensor> inputs, outputs;  ///< by bind id
  std::string config;                     ///< it was compiled for; empty: not known
  std::vector<std::string> layers;        ///< names; none: not known
  std::vector<OperationName> operations;
  std::vector<std::string> labels;
  [[nodiscard]] const OperationName* operation(uint32_t task, uint32_t index) const;
};

/// Reads and checks the container. `place` is used in errors: "loadable.*" (a broken container, as
/// the firmware names it), "run.info" (a broken dlavp-info).
Result<Network> read_network(std::span<const uint8_t> loadable, const std::string& place);

/// Is this loadable for this accelerator? Errors: "run.config" with both sides.
[[nodiscard]] Diagnostics check_config(const Network& network, const HwConfig& hw,
                                       const std::string& place);

}  // namespace dlavp::vp
