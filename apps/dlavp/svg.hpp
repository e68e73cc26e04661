// Pieces of SVG that pictures and pages are made of, and the colours of the units.
#pragma once

#include <string>

namespace dlavp::app {

/// For text and attributes of XML.
[[nodiscard]] std::string escape_xml(const std::string& text);

[[nodiscard]] std::string svg_text(double x, double y, const std::string& words,
                                   const char* anchor = "start");
/// A filled rectangle that shows `title` under the pointer.
[[nodiscard]] std::string svg_box(double x, double y, double width, double height, const char* fill,
                                  const std::string& title);
[[nodiscard]] std::string svg_line(double x1, double y1, double x2, double y2, const char* css);

/// "CONV", "SDP", "PDP", "CDP", "RUBIK", "BDMA", "CPU".
[[nodiscard]] const char* unit_colour(const std::string& unit);

}  // namespace dlavp::app
