#include "apps/dlavp/inspect_text.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "compiler/loadable/dla_descriptors.h"

namespace dlavp::app {

using Json = nlohmann::ordered_json;

std::string cube_text(const Json& cubes, const char* name) {
  for (const Json& c : cubes) {
    if (c["name"] != name) continue;
    const std::string size = fmt::format("{}x{}x{}", c["width"].get<int>(), c["height"].get<int>(),
                                         c["channel"].get<int>());
    if (c["type"] == DLA_CUBE_STREAM) return size + " stream";
    return fmt::format("{} @{}+{:#x}", size, c["address"].get<int>(), c["offset"].get<uint64_t>());
  }
  return "";
}

/// What a reader wants to see of an operation in one line.
std::string detail_text(const Json& op) {
  const Json& f = op["fields"];
  const auto number = [&f](const char* field) { return f[field].get<int>(); };
  if (op["engine"] == "CONV")
    return fmt::format("kernel {}x{} stride {}x{} banks {}+{}{}", number("kernel_width_csc"),
                       number("kernel_height_csc"), number("conv_stride_x"),
                       number("conv_stride_y"), number("data_bank"), number("weight_bank"),
                       number("data_format") == DLA_FORMAT_FEATURE ? "" : " image");
  if (op["engine"] == "PDP")
    return fmt::format("{} {}x{} stride {}x{}",
                       number("pool_mode") == DLA_POOL_AVERAGE ? "average"
                       : number("pool_mode") == DLA_POOL_MAX   ? "max"
                                                               : "min",
                       number("pool_width") + 1, number("pool_height") + 1, number("stride_x"),
                       number("stride_y"));
  if (op["engine"] == "SDP") {
    std::string out;
    static constexpr const char* kTypes[] = {"", "mul", "alu", "alu+mul"};
    static constexpr const char* kActs[] = {"", "relu", "lut", "prelu"};
    for (const char* stage : {"x1_op", "x2_op", "y_op"}) {
      const Json& s = f[stage];
      const auto type = s["type"].get<unsigned>(), act = s["act"].get<unsigned>();
      if (s["enable"] != 0 && type < 4 && act < 4)
        out += fmt::format("{}{}({}{}{})", out.empty() ? "" : " ",
                           std::string(stage).substr(0, stage[0] == 'y' ? 1 : 2), kTypes[type],
                           type != 0 && act != 0 ? " " : "", kActs[act]);
    }
    return out;
  }
  if (op["engine"] == "CDP") return fmt::format("window {}", number("local_size"));
  return "";
}

}  // namespace dlavp::app
