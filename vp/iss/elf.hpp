// Reads a RISC-V ELF64 executable: its loadable segments, entry point and symbols. ELF-64 object
// file format; relocations, dynamic linking and sections other than the symbol table are ignored.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp::iss {

struct ElfSegment {
  uint64_t address = 0;        ///< physical
  std::vector<uint8_t> bytes;  ///< memory size: the file's bytes, then zeros
};

struct ElfImage {
  uint64_t entry = 0;
  std::vector<ElfSegment> segments;         ///< by address, without overlap
  std::map<std::string, uint64_t> symbols;  ///< empty if stripped
};

/// Parses an executable. `name` is used in errors: elf.magic, elf.class, elf.machine, elf.type,
/// elf.truncated, elf.segment, elf.overlap, elf.size, elf.empty.
Result<ElfImage> parse_elf(std::span<const uint8_t> file, const std::string& name);
/// Reads and parses a file.
Result<ElfImage> load_elf(const std::filesystem::path& path);
/// A raw image: the file's bytes at `address`, entry at its start.
Result<ElfImage> load_raw(const std::filesystem::path& path, uint64_t address);

}  // namespace dlavp::iss
