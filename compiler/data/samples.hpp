// Sample inputs for calibration: a .npy batch, or a folder of .npy files and images.
#pragma once

#include <string>

#include "compiler/ir/graph.hpp"
#include "compiler/quantise/calibrate.hpp"

namespace dlavp::compiler {

/// Samples for a graph with one input. A .npy file holds one input or a batch of them (first
/// dimension); a folder's .npy, .png, .jpg, .jpeg, .bmp and .pgm files are read in name order,
/// pixels as 0 to 255. Errors: calibrate.path, calibrate.shape, calibrate.inputs, npy.*,
/// image.read.
Result<Samples> load_samples(const Graph& graph, const std::string& path);

/// Seeded values in [-1, 1], for when there is nothing to calibrate with.
[[nodiscard]] Samples random_samples(const Graph& graph, size_t count);

}  // namespace dlavp::compiler
