#include "vp/trace/data_file.hpp"

#include <charconv>
#include <fstream>
#include <sstream>

namespace dlavp::trace {

namespace {

/// The text between `key` and the next of `ends`.
std::optional<std::string_view> value_of(std::string_view text, std::string_view key,
                                         std::string_view ends) {
  const size_t at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  const size_t start = at + key.size(), end = text.find_first_of(ends, start);
  if (end == std::string_view::npos) return std::nullopt;
  return trimmed(text.substr(start, end - start));
}

std::optional<std::vector<uint8_t>> bytes_of(std::string_view text) {
  std::vector<uint8_t> bytes;
  while (true) {
    const size_t start = text.find_first_not_of(" \t\r");
    if (start == std::string_view::npos) return bytes;
    const size_t end = std::min(text.find_first_of(" \t\r", start), text.size());
    const auto byte = to_number(text.substr(start, end - start));
    if (!byte || *byte > 0xff) return std::nullopt;
    bytes.push_back(static_cast<uint8_t>(*byte));
    text.remove_prefix(end);
  }
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::optional<uint64_t> to_number(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<std::vector<Packet>> read_packets(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) return Error{"trace.file", file.string(), "cannot be read"};
  std::vector<Packet> packets;
  Diagnostics errors;
  std::string line;
  for (unsigned number = 1; std::getline(in, line); ++number) {
    const std::string_view text = trimmed(line);
    if (text.empty() || text == "{" || text == "}" || text == ",") continue;
    const std::string place = fmt::format("{}:{}", file.string(), number);
    const auto offset_text = value_of(text, "offset:", ",}"),
               size_text = value_of(text, "size:", ",}");
    const auto payload_text = value_of(text, "payload:", "}");
    const auto offset = offset_text ? to_number(*offset_text) : std::nullopt;
    const auto size = size_text ? to_number(*size_text) : std::nullopt;
    auto payload = payload_text ? bytes_of(*payload_text) : std::nullopt;
    if (!offset || !size || !payload) {
      errors.add("trace.packet", place, "is not {offset:N, size:N, payload:0x.. 0x..}");
      continue;
    }
    const uint64_t expected = size.value_or(0);
    if (payload->size() != expected)
      errors.add("trace.packet", place,
                 fmt::format("payload has {} bytes, size says {}", payload->size(), expected));
    packets.push_back({*offset, std::move(*payload)});
  }
  if (!errors.empty()) return errors;
  return packets;
}

Result<std::vector<uint8_t>> read_dump(const std::filesystem::path& file, uint64_t bytes) {
  std::ifstream in(file);
  if (!in) return Error{"trace.file", file.string(), "cannot be read"};
  std::vector<uint8_t> dump;
  std::string line;
  for (unsigned number = 1; dump.size() < bytes && std::getline(in, line); ++number) {
    const std::string_view text = trimmed(line);
    if (!text.starts_with("0x")) continue;
    const auto part = bytes_of(text);
    if (!part)
      return Error{"trace.dump", fmt::format("{}:{}", file.string(), number),
                   "holds something that is no byte"};
    dump.insert(dump.end(), part->begin(), part->end());
  }
  if (dump.size() < bytes)
    return Error{"trace.dump", file.string(),
                 fmt::format("has {} bytes, expected {}", dump.size(), bytes)};
  dump.resize(bytes);
  return dump;
}

}  // namespace dlavp::trace
