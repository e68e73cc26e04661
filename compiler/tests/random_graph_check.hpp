// What must hold of any graph that compiles: the passes keep its meaning, each int8 layer does what
// its node says (against the float interpreter, on the layer's own inputs), and whatever executes
// the loadable gives the int8 interpreter's bytes. Used with the independent executor and with the
// platform.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/driver/compile.hpp"

namespace dlavp::compiler::testing {

/// Executes a compiled network: the bytes bound to each input (NCHW) to the bytes of each output
/// (NCHW).
using Execute = std::function<Result<std::vector<std::vector<uint8_t>>>(
    const Compiled&, const std::vector<std::vector<uint8_t>>& inputs)>;

struct Verdict {
  std::string refused;  ///< the error's id, if the compiler refuses the graph
  std::string wrong;    ///< what does not hold; empty if all does
};

Verdict check_graph(const HwConfig& hw, const Graph& graph, const Samples& samples,
                    const Execute& execute);

/// The bytes to bind for input `i`, and the values of output `i`, by the loadable's own
/// description.
std::vector<uint8_t> pack_bound(const HwConfig& hw, const loadable::Loadable& file, uint16_t i,
                                const std::vector<uint8_t>& nchw);
std::vector<uint8_t> unpack_bound(const HwConfig& hw, const loadable::Loadable& file, uint16_t i,
                                  const std::vector<uint8_t>& bytes);

}  // namespace dlavp::compiler::testing
