// A network file of any kind that can be read, to the typed graph.
#pragma once

#include "compiler/frontend/caffe_import.hpp"

namespace dlavp::compiler {

struct NetworkOptions {
  std::string weights;                   ///< the caffemodel of a prototxt
  std::optional<uint64_t> weights_seed;  ///< of a prototxt: see CaffeOptions
  ImportOptions import;
};

/// Caffe for .prototxt, else ONNX. Errors: those of the front ends, and network.option for weights
/// that the kind of file does not take.
Result<Graph> read_network(const std::string& path, const NetworkOptions& options = {});

}  // namespace dlavp::compiler
