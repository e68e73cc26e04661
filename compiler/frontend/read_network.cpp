// The front end that a file's name asks for.
#include "compiler/frontend/read_network.hpp"

namespace dlavp::compiler {

Result<Graph> read_network(const std::string& path, const NetworkOptions& options) {
  const auto ends_with = [&](const std::string& end) {
    return path.size() >= end.size() &&
           path.compare(path.size() - end.size(), end.size(), end) == 0;
  };
  if (ends_with(".caffemodel")) {
    return Error{"network.option", path,
                 "holds weights alone: give the network's .prototxt, and this file as --weights"};
  }
  if (ends_with(".prototxt")) {
    CaffeOptions caffe;
    caffe.weights_seed = options.weights_seed;
    caffe.import = options.import;
    return read_caffe(path, options.weights, caffe);
  }
  if (!options.weights.empty() || options.weights_seed) {
    return Error{
        "network.option", path,
        "an ONNX model holds its weights; --weights and --weights-seed go with a .prototxt"};
  }
  auto model = read_onnx(path);
  if (!model.ok()) return model.errors();
  return import_onnx(std::move(model).value(), options.import);
}

}  // namespace dlavp::compiler
