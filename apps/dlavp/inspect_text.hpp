// An operation of a described loadable (compiler/loadable/describe.hpp) in a few words.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace dlavp::app {

/// Sizes and place of the cube `name` of `cubes`, "24x24x20 @1+0x0"; empty if there is none.
[[nodiscard]] std::string cube_text(const nlohmann::ordered_json& cubes, const char* name);

/// What an operation does: "kernel 5x5 stride 1x1 banks 4+2", "x1(alu+mul relu)".
[[nodiscard]] std::string detail_text(const nlohmann::ordered_json& operation);

}  // namespace dlavp::app
