// The descriptors of one task, decoded from the blobs that its address list leads to. Readers
// follow the address list, not blob names. Interface versions 0.10 and 0.11 are brought to the
// layout of 0.12, so that nothing downstream sees two cube formats.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/loadable/core_block.h"
#include "compiler/loadable/dla_descriptors.h"
#include "compiler/loadable/loadable.hpp"

namespace dlavp::loadable {

/// One accelerator operation: its node in the graph, and its containers.
struct DlaEntry {
  DlaDependency dependency;
  DlaOperation operation;  ///< which member counts is dependency.op_type
  DlaSurface surface;      ///< 0.12 layout
};

struct DlaTask {
  uint16_t id = 0;
  Version version;  ///< of the descriptors
  DlaNetwork network{};
  std::vector<DlaEntry> operations;
  std::vector<DlaLut> luts;
};

/// The parameter block of an operation of type DLA_EMU_CORE, without its values.
struct CoreBlock {
  DlaCoreHeader header;
  std::vector<DlaCoreTensor> inputs, outputs;
  /// "resize", ..., or the name of a custom kernel.
  [[nodiscard]] std::string kernel_name() const;
};

struct EmuEntry {
  DlaEmuOp operation;
  DlaEmuBuffers buffers;
  std::optional<CoreBlock> core;
};

struct EmuTask {
  uint16_t id = 0;
  DlaEmuNetwork network{};
  std::vector<EmuEntry> operations;
};

/// Decodes and checks a task of interface DLA: lists long enough, engines known, consumers and
/// parents existing operations, LUT indices and cube addresses within their lists, cubes inside
/// their windows. Precondition: `loadable` is valid and holds `task`.
Result<DlaTask> read_dla_task(const Loadable& loadable, const Task& task);

/// "table", "softmax", ... of a CORE_* number; "unknown".
[[nodiscard]] const char* core_kernel_name(unsigned kernel);

/// The same for interface EMU.
Result<EmuTask> read_emu_task(const Loadable& loadable, const Task& task);

/// "BDMA", "CONV", "SDP", "PDP", "CDP", "RUBIK".
[[nodiscard]] const char* engine_name(unsigned op_type);

/// The cubes that an operation reads and writes, with their field names; unused cubes left out.
struct NamedCube {
  const char* name;
  const DlaCube* cube;
  bool written;
};
[[nodiscard]] std::vector<NamedCube> cubes_of(const DlaEntry& entry);

}  // namespace dlavp::loadable
