// Executes compiled networks descriptor by descriptor with the independent interpreter of
// loadables.
#pragma once

#include "compiler/tests/random_graph_check.hpp"
#include "tests/reference/loadable_interpreter.hpp"

namespace dlavp::compiler::testing {

/// For as long as `hw` lives.
inline Execute reference_executor(const HwConfig& hw) {
  return [&hw](const Compiled& c, const std::vector<std::vector<uint8_t>>& inputs)
             -> Result<std::vector<std::vector<uint8_t>>> {
    const reference::Machine machine{hw.mac_atomic_c_size, hw.mac_atomic_k_size,
                                     hw.memory_atomic_size};
    const auto file = loadable::read_loadable(c.bytes);
    if (!file.ok()) return file.errors();
    reference::LoadableInterpreter run(*file, machine);
    for (uint16_t i = 0; i < inputs.size(); ++i) {
      const Diagnostics wrong = run.bind_input(i, pack_bound(hw, *file, i, inputs[i]));
      if (!wrong.empty()) return wrong;
    }
    if (const Diagnostics wrong = run.run(); !wrong.empty()) return wrong;
    std::vector<std::vector<uint8_t>> out;
    for (uint16_t i = 0; i < c.layers.outputs.size(); ++i) {
      const auto bytes = run.output(i);
      if (!bytes.ok()) return bytes.errors();
      out.push_back(unpack_bound(hw, *file, i, *bytes));
    }
    return out;
  };
}

}  // namespace dlavp::compiler::testing
