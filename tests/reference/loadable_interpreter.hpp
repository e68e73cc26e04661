// An independent interpreter of int8 loadables: descriptors in, bytes out, with plain loops written
// from the hardware manual's unit descriptions. It shares no code with models/ or the firmware, so
// that an agreement means something. No time, no buffers, no register groups. Left out: int16,
// fp16, Winograd, compressed weights, batches, BDMA and Rubik; each ends in a named error.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "compiler/loadable/task_view.hpp"

namespace dlavp::reference {

/// What data layouts depend on, in elements of one byte.
struct Machine {
  uint32_t atomic_c = 0;  ///< channels of one weight block
  uint32_t atomic_k = 0;  ///< kernels of one weight group
  uint32_t atom = 0;      ///< channels of one memory atom
};

/// The six published int8 configurations by name.
Result<Machine> machine_named(const std::string& name);

class LoadableInterpreter {
 public:
  /// Precondition: `loadable` is valid and outlives the interpreter.
  LoadableInterpreter(const loadable::Loadable& loadable, Machine machine);

  /// Puts `bytes`, already in the tensor's layout, where the tensor lies. Error: wrong size, or no
  /// input of that bind id.
  Diagnostics bind_input(uint16_t bind_id, std::span<const uint8_t> bytes);

  /// Called after each accelerator operation that writes memory: task, index, output bytes as they
  /// lie in memory from the cube's first byte.
  using Watch = std::function<void(uint16_t, size_t, std::span<const uint8_t>)>;
  void set_watch(Watch watch) { watch_ = std::move(watch); }

  /// Runs every task in submit order.
  Diagnostics run();

  /// Bytes of the output tensor with this bind id, as they lie in memory.
  Result<std::vector<uint8_t>> output(uint16_t bind_id) const;

 private:
  Diagnostics run_dla(const loadable::Task& task);
  Diagnostics run_emu(const loadable::Task& task);
  [[nodiscard]] const loadable::Tensor* tensor(uint16_t bind_id, uint16_t flag) const;

  const loadable::Loadable& loadable_;
  Machine machine_;
  std::map<uint16_t, std::vector<uint8_t>> memories_;
  Watch watch_;
};

}  // namespace dlavp::reference
