// Caffe networks: a prototxt, with the weights of a caffemodel or seeded ones.
#pragma once

#include <optional>

#include "compiler/frontend/caffe_blobs.hpp"
#include "compiler/frontend/onnx_import.hpp"

namespace dlavp::compiler {

struct CaffeOptions {
  /// Makes up the weights that are not given, the same for the same seed. Without it a layer
  /// without weights is an error.
  std::optional<uint64_t> weights_seed;
  ImportOptions import;
};

/// The typed graph of the TEST phase of a prototxt's text. Errors: caffe.syntax, caffe.layer (all
/// unsupported types, each with its layer), caffe.weights, and those of the operators that the
/// layers become (caffe.shape, caffe.attribute, ...).
Result<Graph> import_caffe(const std::string& prototxt, const std::string& place,
                           const CaffeBlobs& blobs, const CaffeOptions& options = {});

/// Reads the files; `weights` may be empty. Errors: as above, and caffe.open.
Result<Graph> read_caffe(const std::string& prototxt, const std::string& weights,
                         const CaffeOptions& options = {});

/// Types of the Caffe layers that can be imported.
[[nodiscard]] std::vector<std::string> supported_caffe_layers();

}  // namespace dlavp::compiler
