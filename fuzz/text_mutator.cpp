// Lines of text: one is doubled, dropped, moved, or a number in it changed.
#include <algorithm>
#include <cctype>
#include <string>

#include "fuzz/draw.hpp"
#include "fuzz/mutators.hpp"

namespace dlavp::fuzz {

namespace {

bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// One of the numbers of the line, hexadecimal ones as such.
void change_number(std::string& line, Draw& draw) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < line.size(); ++i)
    if (digit(line[i]) && (i == 0 || !std::isalnum(static_cast<unsigned char>(line[i - 1]))))
      starts.push_back(i);
  if (starts.empty()) return;
  const size_t at = starts[draw.below(starts.size())];
  size_t used = 0;
  const bool hex = line.compare(at, 2, "0x") == 0;
  uint64_t value = 0;
  try {
    value = std::stoull(line.substr(at), &used, 0);
  } catch (const std::exception&) {
    used = 1;  // beyond 64 bits
  }
  value = draw.chance(2) ? uint64_t{1} << draw.below(12) : draw.number(value);
  char text[32];
  std::snprintf(text, sizeof text, hex ? "0x%llx" : "%llu", static_cast<unsigned long long>(value));
  line.replace(at, used, text);
}

}  // namespace

std::vector<uint8_t> mutate_text(std::span<const uint8_t> input, uint32_t seed) {
  Draw draw(seed);
  std::vector<std::string> lines(1);
  for (const uint8_t byte : input) {
    if (byte == '\n')
      lines.emplace_back();
    else
      lines.back() += static_cast<char>(byte);
  }
  const size_t at = draw.below(lines.size());
  switch (draw.below(8)) {
    case 0:
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at),
                   lines[draw.below(lines.size())]);
      break;
    case 1:
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    case 2:
      std::swap(lines[at], lines[draw.below(lines.size())]);
      break;
    default:
      change_number(lines[at], draw);
  }
  std::vector<uint8_t> out;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i != 0) out.push_back('\n');
    out.insert(out.end(), lines[i].begin(), lines[i].end());
  }
  return out;
}

}  // namespace dlavp::fuzz
