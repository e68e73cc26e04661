// The memory images of traces: packets ({offset:.., size:.., payload:..}) and plain byte dumps.
#pragma once

#include <filesystem>
#include <vector>

#include "models/common/result.hpp"
#include "vp/trace/trace.hpp"

namespace dlavp::trace {

/// Packets of a .dat file of a .cfg trace. Errors: "trace.file", "trace.packet", with file:line.
Result<std::vector<Packet>> read_packets(const std::filesystem::path& file);

/// The first `bytes` bytes of a dump: lines of 0x.. words, other lines are remarks.
/// Errors: "trace.file", "trace.dump" (fewer bytes than asked for, a word that is no byte).
Result<std::vector<uint8_t>> read_dump(const std::filesystem::path& file, uint64_t bytes);

/// A decimal or 0x number that fills `text`; nothing otherwise.
[[nodiscard]] std::optional<uint64_t> to_number(std::string_view text);

/// `text` without blanks at its ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace dlavp::trace
