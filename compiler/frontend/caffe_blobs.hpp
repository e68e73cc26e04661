// The weights in a caffemodel: by layer name, read from protobuf's wire form.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp::compiler {

struct CaffeBlob {
  std::vector<int64_t> dims;
  std::vector<float> values;
};

using CaffeBlobs = std::map<std::string, std::vector<CaffeBlob>>;

/// Errors: caffe.weights (not a caffemodel, truncated, a blob whose size is not its shape's).
Result<CaffeBlobs> decode_caffemodel(const std::string& bytes, const std::string& place);
/// Errors: as above, and caffe.open.
Result<CaffeBlobs> read_caffemodel(const std::string& path);

}  // namespace dlavp::compiler
