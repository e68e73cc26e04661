// JSON in and out.
#include "compiler/quantise/scale_table.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "models/common/read_file.hpp"

namespace dlavp::compiler {

using Json = nlohmann::ordered_json;

Result<ScaleTable> decode_scale_table(const std::string& text, const std::string& place) {
  const Json j = Json::parse(text, nullptr, false);
  if (!j.is_object()) return Error{"calibrate.table", place, "is no JSON object"};
  ScaleTable out;
  Diagnostics wrong;
  for (const auto& [name, entry] : j.items()) {
    const auto number = [&entry = entry](const char* key, double otherwise) {
      const bool given = entry.is_object() && entry.contains(key) && entry[key].is_number();
      return given ? entry[key].get<double>() : otherwise;
    };
    const double scale = number("scale", 0), offset = number("offset", 0);
    if (!(scale > 0 && std::isfinite(scale)) || !(offset >= -128 && offset <= 127) ||
        offset != std::floor(offset)) {
      wrong.add("calibrate.table", place,
                fmt::format("'{}': scale {}, offset {}; expected a positive scale and a whole "
                            "offset from -128 to 127",
                            name, scale, offset));
      continue;
    }
    out[name] = {scale, static_cast<int32_t>(offset)};
  }
  if (!wrong.empty()) return wrong;
  return out;
}

Result<ScaleTable> read_scale_table(const std::string& path) {
  const auto text = read_file(path, "calibrate.open");
  if (!text) return text.errors();
  return decode_scale_table(*text, path);
}

Result<size_t> apply_scale_table(Graph& graph, const ScaleTable& table, const std::string& place) {
  size_t found = 0;
  const auto apply = [&](const std::string& name, TensorId id) {
    const auto entry = table.find(name);
    Tensor& t = graph.tensor(id);
    if (entry == table.end() || t.constant || t.prescribed) return;
    t.prescribed = entry->second;
    ++found;
  };
  for (const Node& node : graph.nodes) apply(node.name, node.output);
  for (TensorId id = 0; id < graph.tensors.size(); ++id) apply(graph.tensor(id).name, id);
  if (found == 0) {
    return Error{"calibrate.table", place,
                 fmt::format("none of its {} entries names a layer or tensor of '{}'", table.size(),
                             graph.name)};
  }
  return found;
}

std::string encode_scale_table(const Graph& graph) {
  Json j = Json::object();
  for (const Tensor& t : graph.tensors) {
    if (t.constant || !t.quantisation) continue;
    j[t.name] = {{"scale", t.quantisation->scale},
                 {"min", 0},
                 {"max", 0},
                 {"offset", t.quantisation->zero_point}};
  }
  return j.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dlavp::compiler
