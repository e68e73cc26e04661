#include "models/common/yaml_reader.hpp"

#include <charconv>
#include <fstream>
#include <map>
#include <sstream>

namespace dlavp::yaml {

namespace {

const char* kind_of(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map:
      return "a map";
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Scalar:
      return "a scalar";
    case YAML::NodeType::Null:
      return "nothing";
    case YAML::NodeType::Undefined:
      break;
  }
  return "undefined";
}

bool is_quoted(const YAML::Node& node) { return node.Tag() == "!"; }

}  // namespace

std::string place_of(const std::string& file, const YAML::Node& node) {
  const YAML::Mark mark = node.Mark();
  return mark.is_null() ? file : fmt::format("{}:{}:{}", file, mark.line + 1, mark.column + 1);
}

Result<YAML::Node> load_map(const std::filesystem::path& path, const std::string& id) {
  const std::string file = path.string();
  std::error_code ignored;
  std::ifstream in(path);
  if (!in || std::filesystem::is_directory(path, ignored))
    return Error{id + ".file", file, "cannot be read"};
  std::stringstream content;
  content << in.rdbuf();
  try {
    YAML::Node root = YAML::Load(content.str());
    if (!root.IsMap())
      return Error{id + ".type", place_of(file, root),
                   fmt::format("is {}, expected a map", kind_of(root))};
    return root;
  } catch (const YAML::Exception& e) {
    const std::string place =
        e.mark.is_null() ? file : fmt::format("{}:{}:{}", file, e.mark.line + 1, e.mark.column + 1);
    return Error{id + ".syntax", place, e.msg};
  }
}

std::optional<int64_t> to_integer(const YAML::Node& node) {
  if (!node.IsScalar() || is_quoted(node)) return std::nullopt;
  std::string text = node.Scalar();
  const bool negative = text.starts_with('-');
  if (negative) text.erase(0, 1);
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.erase(0, 2);
  uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size() || value > uint64_t{INT64_MAX})
    return std::nullopt;
  return negative ? -static_cast<int64_t>(value) : static_cast<int64_t>(value);
}

MapReader::MapReader(const YAML::Node& map, std::string file, std::string id, Diagnostics& errors,
                     std::string prefix)
    : map_(map),
      file_(std::move(file)),
      id_(std::move(id)),
      prefix_(std::move(prefix)),
      errors_(&errors) {}

std::string MapReader::place(const std::string& key) const {
  if (!key.empty())
    for (const auto& entry : map_)
      if (entry.first.IsScalar() && entry.first.Scalar() == key)
        return place_of(file_, entry.second);
  return place_of(file_, map_);
}

void MapReader::error(const std::string& rule, const std::string& key, const std::string& message) {
  errors_->add(id_ + "." + rule, place(key), message);
}

void MapReader::wrong_type(const std::string& key, const YAML::Node& value, const char* expected) {
  const std::string shown = value.IsScalar() ? "'" + value.Scalar() + "'" : kind_of(value);
  error("type", key, fmt::format("{}{} is {}, expected {}", prefix_, key, shown, expected));
}

YAML::Node MapReader::node(const std::string& key, Need need) {
  known_.insert(key);
  YAML::Node found;
  for (const auto& entry : map_)
    if (entry.first.IsScalar() && entry.first.Scalar() == key) {
      found = entry.second;
      break;
    }
  if (found.IsNull() && need == Need::kRequired)
    error("missing", key, fmt::format("{}{} is missing", prefix_, key));
  return found;
}

std::optional<uint64_t> MapReader::unsigned_integer(const std::string& key, Need need,
                                                    uint64_t max) {
  const YAML::Node value = node(key, need);
  if (value.IsNull()) return std::nullopt;
  const auto number = to_integer(value);
  if (!number) {
    wrong_type(key, value, "an integer");
    return std::nullopt;
  }
  if (*number < 0 || static_cast<uint64_t>(*number) > max) {
    error("range", key, fmt::format("{}{} is {}, expected 0 to {}", prefix_, key, *number, max));
    return std::nullopt;
  }
  return static_cast<uint64_t>(*number);
}

std::optional<bool> MapReader::boolean(const std::string& key, Need need) {
  const YAML::Node value = node(key, need);
  if (value.IsNull()) return std::nullopt;
  if (value.IsScalar() && !is_quoted(value)) {
    if (value.Scalar() == "true") return true;
    if (value.Scalar() == "false") return false;
  }
  wrong_type(key, value, "true or false");
  return std::nullopt;
}

std::optional<double> MapReader::real(const std::string& key, Need need) {
  const YAML::Node value = node(key, need);
  if (value.IsNull()) return std::nullopt;
  double number = 0;
  if (value.IsScalar() && !is_quoted(value)) {
    const std::string& text = value.Scalar();
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed == std::errc() && end == text.data() + text.size()) return number;
  }
  wrong_type(key, value, "a number");
  return std::nullopt;
}

std::optional<std::string> MapReader::text(const std::string& key, Need need) {
  const YAML::Node value = node(key, need);
  if (value.IsNull()) return std::nullopt;
  if (value.IsScalar() && !value.Scalar().empty()) return value.Scalar();
  wrong_type(key, value, "a text");
  return std::nullopt;
}

std::optional<std::vector<std::string>> MapReader::texts(const std::string& key, Need need) {
  const YAML::Node value = node(key, need);
  if (value.IsNull()) return std::nullopt;
  std::vector<std::string> items;
  if (value.IsSequence())
    for (const auto& item : value) {
      if (!item.IsScalar()) break;
      items.push_back(item.Scalar());
    }
  if (!value.IsSequence() || items.size() != value.size()) {
    wrong_type(key, value, "a list of texts");
    return std::nullopt;
  }
  return items;
}

std::optional<MapReader> MapReader::map(const std::string& key, Need need) {
  const YAML::Node value = node(key, need);
  if (value.IsNull()) return std::nullopt;
  if (value.IsMap()) return MapReader(value, file_, id_, *errors_, prefix_ + key + ".");
  wrong_type(key, value, "a map");
  return std::nullopt;
}

std::vector<MapReader> MapReader::maps(const std::string& key, Need need) {
  std::vector<MapReader> items;
  const YAML::Node value = node(key, need);
  if (value.IsNull()) return items;
  if (!value.IsSequence()) {
    wrong_type(key, value, "a list of maps");
    return items;
  }
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i].IsMap())
      items.push_back(
          MapReader(value[i], file_, id_, *errors_, fmt::format("{}{}[{}].", prefix_, key, i)));
    else
      errors_->add(
          id_ + ".type", place_of(file_, value[i]),
          fmt::format("{}{}[{}] is {}, expected a map", prefix_, key, i, kind_of(value[i])));
  }
  return items;
}

void MapReader::finish() {
  std::set<std::string> seen;
  for (const auto& entry : map_) {
    const std::string place = place_of(file_, entry.first);
    if (!entry.first.IsScalar()) {
      errors_->add(id_ + ".unknown_key", place,
                   fmt::format("a key is {}, expected a name", kind_of(entry.first)));
      continue;
    }
    const std::string key = entry.first.Scalar();
    if (!known_.contains(key))
      errors_->add(id_ + ".unknown_key", place,
                   fmt::format("{}{} is not a known key", prefix_, key));
    else if (!seen.insert(key).second)
      errors_->add(id_ + ".duplicate_key", place,
                   fmt::format("{}{} appears a second time", prefix_, key));
  }
}

}  // namespace dlavp::yaml
