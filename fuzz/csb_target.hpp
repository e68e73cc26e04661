// What a fuzzer runs on register programs: an input is a head and records of eight bytes, each one
// command (a legal operation, a change to the next one, a register access, an enable, time), played
// on an Accelerator with a small memory of several windows; then the event queue runs for a bounded
// time. Broken promises are thrown as InternalError. Unit description: "Programming"; it leaves out
// the SystemC shell.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "models/common/result.hpp"
#include "models/sim/event_queue.hpp"

namespace dlavp::fuzz {

/// The units that complete operations; the names are those of OpRecord.
inline constexpr std::array<const char*, 4> kCompleting = {"CONV", "SDP", "PDP", "CDP"};

/// Operations of one unit. An operation that was not refused was accepted or still waits.
struct UnitCount {
  size_t enabled = 0, refused = 0, completed = 0;
};

/// What happened, for tests of the target itself.
struct CsbRun {
  std::array<UnitCount, kCompleting.size()> units;
  size_t enabled = 0, completed = 0, refused = 0;
  sim::Cycle cycles = 0;
  Diagnostics errors;
};

/// Promises: no internal error; time passes; a unit that refused its program completes no operation
/// that began later; no group completes more operations than were enabled and not refused.
CsbRun run_csb(std::span<const uint8_t> input);

inline constexpr size_t kRecordBytes = 8;
inline constexpr size_t kMostInputBytes = 25 * kRecordBytes;  ///< what is behind is not played
using CsbRecord = std::array<uint8_t, kRecordBytes>;

/// Commands of a record, by the low four bits of its first byte.
enum class Command : uint8_t {
  kLegal = 0,     ///< to 5: path, seed (2 bytes), flags: bit 0 group, bits 4 to 6 turn the enables
  kChange = 6,    ///< to 8: a field of the next legal operation: where (2 bytes), how, detail
  kLeaveOut = 9,  ///< a write of the next legal operation that is not made: which (2 bytes)
  kRun = 10,      ///< to 11: cycles (2 bytes)
  kField = 12,    ///< unit, where (2 bytes), how, detail: a field becomes another one
  kEnable = 13,   ///< unit, group
  kWord = 14,     ///< unit, register, word (4 bytes)
  kRead = 15      ///< unit, register
};

/// One change to an input that keeps head and records aligned; the result is at most `most` bytes.
/// `seed` decides everything.
std::vector<uint8_t> mutate_csb(std::span<const uint8_t> input, size_t most, uint32_t seed);

}  // namespace dlavp::fuzz
