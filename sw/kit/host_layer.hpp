// A user's layer on this machine: its shared library, loaded, and its two functions.
#pragma once

#include <memory>
#include <span>

#include "sw/kit/core_layer.h"
#include "sw/kit/kit.hpp"

namespace dlavp::kit {

/// What a layer is given besides its tensors.
struct LayerArguments {
  std::span<const int32_t> params;
  std::span<const double> reals;
};

class HostLayer {
 public:
  /// Errors: those of build_host_library; custom.name if the sources do not register the name;
  /// custom.source if the library cannot be loaded.
  static Result<std::shared_ptr<const HostLayer>> load(const LayerSources& sources);

  HostLayer(const HostLayer&) = delete;
  HostLayer& operator=(const HostLayer&) = delete;
  ~HostLayer();

  /// What the layer's check says of tensors (whose bytes it does not read) and arguments; empty: it
  /// takes them. The last tensor is the output.
  [[nodiscard]] std::string check(std::span<const CoreTensor> tensors,
                                  const LayerArguments& arguments) const;
  void run(std::span<const CoreTensor> tensors, const LayerArguments& arguments) const;

 private:
  HostLayer(void* library, const CoreKernel* kernel) : library_(library), kernel_(kernel) {}

  void* library_;
  const CoreKernel* kernel_;
};

}  // namespace dlavp::kit
