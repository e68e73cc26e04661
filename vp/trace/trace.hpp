// Trace: NVIDIA's register traces as a list of commands with their place, whichever form they came
// in (.cfg with .dat, or input.txn). Verification guide: "Trace test format". Commands are checked
// against the register map when they are read, so that playing one cannot meet a malformed one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "models/common/hw_config.hpp"
#include "models/common/memory.hpp"
#include "models/common/result.hpp"

namespace dlavp::trace {

/// Bytes to be put at an offset.
struct Packet {
  uint64_t offset = 0;
  std::vector<uint8_t> bytes;
};

struct MemInit {
  RamType ram = RamType::kMc;
  uint64_t address = 0, bytes = 0;
  uint8_t value = 0;
};
struct MemLoad {
  RamType ram = RamType::kMc;
  uint64_t address = 0;
  std::vector<Packet> packets;
};
/// `resource` is the unit whose sequence the command belongs to ("CDMA"), empty: all of them.
struct RegWrite {
  std::string resource;
  uint32_t address = 0, value = 0;
  bool op_enable = false;  ///< sets a D_OP_ENABLE
};
enum class Condition : uint8_t { kEqual, kNotEqual, kGreater, kNotGreater, kLess, kNotLess };
/// Reads until the masked and shifted value meets the condition, or once (`poll` false).
struct RegCheck {
  std::string resource, name;
  uint32_t address = 0, mask = ~0u;
  unsigned shift = 0;
  Condition condition = Condition::kEqual;
  uint32_t expected = 0;
  bool poll = false;
};
struct IntrNotify {
  std::string name;  ///< "SDP_0"
  unsigned status_bit = 0;
  std::string sync;
};
struct SyncNotify {
  std::string resource, sync;
};
struct SyncWait {
  std::string resource, sync;
};
/// When `sync` is reached, that memory is compared: CRC-32, or bytes, or nothing.
struct CheckCrc {
  std::string sync;
  RamType ram = RamType::kMc;
  uint64_t address = 0, bytes = 0;
  uint32_t crc = 0;
};
struct CheckBytes {
  std::string sync;  ///< empty: at once
  RamType ram = RamType::kMc;
  uint64_t address = 0;
  std::vector<Packet> packets;
};
struct CheckNothing {
  std::string sync;
};
/// Waits for the interrupt line.
struct WaitInterrupt {};

using Action = std::variant<MemInit, MemLoad, RegWrite, RegCheck, IntrNotify, SyncNotify, SyncWait,
                            CheckCrc, CheckBytes, CheckNothing, WaitInterrupt>;

struct Command {
  Action action;
  std::string place;  ///< file:line
};

struct Trace {
  std::string name;
  /// The interrupt handler clears what it sees (.cfg); the trace itself does it (input.txn).
  bool handles_interrupts = false;
  /// The first access comes as the core leaves reset (input.txn, whose traces see CBUF being
  /// flushed), not long after.
  bool begins_at_reset = false;
  std::vector<Command> commands;
};

/// Reads the trace in `dir`: its one .cfg file, or input.txn. Data files that are not beside it are
/// looked for in `dir`/../../memory_surface_warehouse and `dir`/../memory_surface_warehouse.
/// Errors ("trace.*"): each with file:line.
Result<Trace> load_trace(const std::filesystem::path& dir, const HwConfig& hw);

/// True if `dir` holds a trace of either form.
[[nodiscard]] bool is_trace(const std::filesystem::path& dir);

// Parts of load_trace, for tests.
Result<Trace> parse_cfg(const std::filesystem::path& file, const HwConfig& hw);
Result<Trace> parse_txn(const std::filesystem::path& file, const HwConfig& hw);

}  // namespace dlavp::trace
