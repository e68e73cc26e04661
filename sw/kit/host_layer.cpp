#include "sw/kit/host_layer.hpp"

#include <dlfcn.h>

#include "sw/core/fw_error.h"

namespace dlavp::kit {
namespace {

CoreCall call_of(const CoreKernel* kernel, std::span<const CoreTensor> tensors,
                 const LayerArguments& arguments, FwError* error) {
  fw_error_clear(error);
  CoreCall call{};
  call.name = kernel->name;
  call.num_inputs = static_cast<uint32_t>(tensors.size() - 1);
  call.num_outputs = 1;
  call.inputs = tensors.data();
  call.outputs = &tensors.back();
  call.reals = arguments.reals.data();
  call.params = arguments.params.data();
  call.num_reals = static_cast<uint32_t>(arguments.reals.size());
  call.num_params = static_cast<uint32_t>(arguments.params.size());
  call.error = error;
  return call;
}

}  // namespace

Result<std::shared_ptr<const HostLayer>> HostLayer::load(const LayerSources& sources) {
  const auto path = build_host_library(sources);
  if (!path) return path.errors();
  void* library = dlopen(path->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return Error{"custom.source", sources.name, dlerror()};
  using Layers = const CoreKernel* (*)(size_t*);
  void* const symbol = dlsym(library, "dlavp_host_layers");
  size_t count = 0;
  const CoreKernel* layers = symbol != nullptr ? reinterpret_cast<Layers>(symbol)(&count) : nullptr;
  std::string known;
  for (size_t i = 0; i < count; ++i) {
    if (layers[i].name == sources.name)
      return std::shared_ptr<const HostLayer>(new HostLayer(library, &layers[i]));
    known += (known.empty() ? "" : ", ") + std::string(layers[i].name);
  }
  dlclose(library);
  return Error{"custom.name", sources.name,
               fmt::format("{} registers {}; DLAVP_CORE_LAYER must have this name",
                           sources.files.empty() ? "" : sources.files.front().string(),
                           known.empty() ? "no layer" : known)};
}

HostLayer::~HostLayer() { dlclose(library_); }

std::string HostLayer::check(std::span<const CoreTensor> tensors,
                             const LayerArguments& arguments) const {
  FwError error;
  const CoreCall call = call_of(kernel_, tensors, arguments, &error);
  if (kernel_->check == nullptr || kernel_->check(&call)) return {};
  return error.code == FW_OK ? "its check refuses the call and does not say why" : error.text;
}

void HostLayer::run(std::span<const CoreTensor> tensors, const LayerArguments& arguments) const {
  FwError error;
  const CoreCall call = call_of(kernel_, tensors, arguments, &error);
  kernel_->run(&call);
}

}  // namespace dlavp::kit
