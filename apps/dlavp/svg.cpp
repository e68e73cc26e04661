#include "apps/dlavp/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace dlavp::app {

std::string escape_xml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string svg_text(double x, double y, const std::string& words, const char* anchor) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>", x, y, anchor,
                     escape_xml(words));
}

std::string svg_box(double x, double y, double width, double height, const char* fill,
                    const std::string& title) {
  return fmt::format(
      "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\"><title>{}"
      "</title></rect>",
      x, y, std::max(width, 0.3), height, fill, escape_xml(title));
}

std::string svg_line(double x1, double y1, double x2, double y2, const char* css) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>",
                     x1, y1, x2, y2, css);
}

const char* unit_colour(const std::string& unit) {
  static constexpr std::array<std::pair<const char*, const char*>, 7> kColours = {{
      {"CONV", "#2a7f62"},
      {"SDP", "#30638e"},
      {"PDP", "#d9901a"},
      {"CDP", "#8e6c8a"},
      {"RUBIK", "#b5485d"},
      {"BDMA", "#b5485d"},
      {"CPU", "#777777"},
  }};
  for (const auto& [name, colour] : kColours)
    if (unit == name) return colour;
  return "#777777";
}

}  // namespace dlavp::app
