// The ELF reader.
#include "vp/iss/elf.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

namespace dlavp::iss {
namespace {

constexpr uint16_t kMachineRiscv = 243, kTypeExecutable = 2;
constexpr uint32_t kSegmentLoad = 1, kSectionSymbols = 2;
constexpr uint64_t kMaxSegmentBytes = uint64_t{1} << 32;
constexpr size_t kHeaderBytes = 64, kProgramHeaderBytes = 56, kSectionHeaderBytes = 64;
constexpr size_t kSymbolBytes = 24;

/// Little-endian reads with bounds.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> file) : file_(file) {}
  [[nodiscard]] bool holds(uint64_t offset, uint64_t bytes) const {
    return offset <= file_.size() && file_.size() - offset >= bytes;
  }
  template <typename T>
  [[nodiscard]] T get(uint64_t offset) const {
    T value{};
    if (holds(offset, sizeof(T))) std::memcpy(&value, file_.data() + offset, sizeof(T));
    return value;
  }
  [[nodiscard]] std::span<const uint8_t> part(uint64_t offset, uint64_t bytes) const {
    return file_.subspan(offset, bytes);
  }
  [[nodiscard]] size_t size() const { return file_.size(); }

 private:
  std::span<const uint8_t> file_;
};

std::optional<Error> check_header(const Reader& r, const std::string& name) {
  static constexpr uint8_t kMagic[4] = {0x7F, 'E', 'L', 'F'};
  if (!r.holds(0, kHeaderBytes)) {
    return Error{"elf.truncated", name,
                 fmt::format("{} bytes, an ELF header has {}", r.size(), kHeaderBytes)};
  }
  if (std::memcmp(r.part(0, 4).data(), kMagic, 4) != 0) {
    return Error{"elf.magic", name, "not an ELF file"};
  }
  const int elf_class = r.get<uint8_t>(4);
  const int encoding = r.get<uint8_t>(5);
  if (elf_class != 2 || encoding != 1) {
    return Error{"elf.class", name,
                 fmt::format("class {} data {}, expected 2 (64-bit) and 1 (little endian)",
                             elf_class, encoding)};
  }
  if (const auto machine = r.get<uint16_t>(18); machine != kMachineRiscv) {
    return Error{"elf.machine", name,
                 fmt::format("machine {}, expected {} (RISC-V)", machine, kMachineRiscv)};
  }
  if (const auto type = r.get<uint16_t>(16); type != kTypeExecutable) {
    return Error{"elf.type", name,
                 fmt::format("type {}, expected {} (executable)", type, kTypeExecutable)};
  }
  return std::nullopt;
}

void read_segment(const Reader& r, uint64_t header, const std::string& name, ElfImage& image,
                  Diagnostics& errors) {
  if (r.get<uint32_t>(header) != kSegmentLoad) return;
  const auto offset = r.get<uint64_t>(header + 8);
  const auto address = r.get<uint64_t>(header + 24);
  const auto file_bytes = r.get<uint64_t>(header + 32);
  const auto memory_bytes = r.get<uint64_t>(header + 40);
  if (memory_bytes == 0) return;
  if (file_bytes > memory_bytes) {
    errors.add("elf.segment", name,
               fmt::format("segment at {:#x}: {} bytes in the file, {} in memory", address,
                           file_bytes, memory_bytes));
  } else if (memory_bytes > kMaxSegmentBytes || address + memory_bytes < address) {
    errors.add("elf.size", name,
               fmt::format("segment at {:#x} has {} bytes, at most {} are loaded", address,
                           memory_bytes, kMaxSegmentBytes));
  } else if (!r.holds(offset, file_bytes)) {
    errors.add("elf.truncated", name,
               fmt::format("segment at {:#x} ends at byte {}, the file at {}", address,
                           offset + file_bytes, r.size()));
  } else {
    ElfSegment segment{address, {}};
    const auto part = r.part(offset, file_bytes);
    segment.bytes.assign(part.begin(), part.end());
    segment.bytes.resize(memory_bytes);
    image.segments.push_back(std::move(segment));
  }
}

void check_overlap(ElfImage& image, const std::string& name, Diagnostics& errors) {
  auto& s = image.segments;
  std::sort(s.begin(), s.end(), [](const auto& a, const auto& b) { return a.address < b.address; });
  for (size_t i = 1; i < s.size(); ++i) {
    if (s[i].address - s[i - 1].address >= s[i - 1].bytes.size()) continue;
    errors.add("elf.overlap", name,
               fmt::format("segment at {:#x} overlaps the one at {:#x} of {} bytes", s[i].address,
                           s[i - 1].address, s[i - 1].bytes.size()));
  }
}

/// Symbols are a convenience: a broken table gives none, not an error.
void read_symbols(const Reader& r, ElfImage& image) {
  const auto table = r.get<uint64_t>(40);
  const auto count = r.get<uint16_t>(60);
  if (!r.holds(table, uint64_t{count} * kSectionHeaderBytes)) return;
  for (unsigned i = 0; i < count; ++i) {
    const uint64_t section = table + uint64_t{i} * kSectionHeaderBytes;
    if (r.get<uint32_t>(section + 4) != kSectionSymbols) continue;
    const auto offset = r.get<uint64_t>(section + 24);
    const auto bytes = r.get<uint64_t>(section + 32);
    const auto link = r.get<uint32_t>(section + 40);
    if (link >= count || !r.holds(offset, bytes)) continue;
    const uint64_t strings = table + uint64_t{link} * kSectionHeaderBytes;
    const auto names = r.get<uint64_t>(strings + 24);
    const auto names_bytes = r.get<uint64_t>(strings + 32);
    if (!r.holds(names, names_bytes)) continue;
    const auto text = r.part(names, names_bytes);
    for (uint64_t at = offset; at + kSymbolBytes <= offset + bytes; at += kSymbolBytes) {
      const auto begin = r.get<uint32_t>(at);
      if (begin == 0 || begin >= text.size()) continue;
      const auto from = text.begin() + begin;
      image.symbols.emplace(std::string(from, std::find(from, text.end(), 0)),
                            r.get<uint64_t>(at + 8));
    }
  }
}

Result<std::vector<uint8_t>> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path)) {
    return Error{"elf.file", path.string(), "cannot read the file"};
  }
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

Result<ElfImage> parse_elf(std::span<const uint8_t> file, const std::string& name) {
  const Reader r(file);
  if (auto error = check_header(r, name)) return *error;
  ElfImage image;
  Diagnostics errors;
  image.entry = r.get<uint64_t>(24);
  const auto table = r.get<uint64_t>(32);
  const auto entry_bytes = r.get<uint16_t>(54);
  const auto count = r.get<uint16_t>(56);
  if (count > 0 && entry_bytes < kProgramHeaderBytes) {
    return Error{
        "elf.segment", name,
        fmt::format("program headers of {} bytes, expected {}", entry_bytes, kProgramHeaderBytes)};
  }
  if (!r.holds(table, uint64_t{count} * entry_bytes)) {
    return Error{
        "elf.truncated", name,
        fmt::format("{} program headers at byte {}, the file ends at {}", count, table, r.size())};
  }
  for (unsigned i = 0; i < count; ++i) {
    read_segment(r, table + uint64_t{i} * entry_bytes, name, image, errors);
  }
  if (errors.empty() && image.segments.empty()) {
    errors.add("elf.empty", name, "no loadable segment");
  }
  check_overlap(image, name, errors);
  if (!errors.empty()) return errors;
  read_symbols(r, image);
  return image;
}

Result<ElfImage> load_elf(const std::filesystem::path& path) {
  auto file = read_file(path);
  if (!file) return file.errors();
  return parse_elf(*file, path.string());
}

Result<ElfImage> load_raw(const std::filesystem::path& path, uint64_t address) {
  auto file = read_file(path);
  if (!file) return file.errors();
  if (file->empty()) return Error{"elf.empty", path.string(), "the image has no bytes"};
  ElfImage image;
  image.entry = address;
  image.segments.push_back({address, std::move(*file)});
  return image;
}

}  // namespace dlavp::iss
