// Reading YAML maps strictly: every value typed, every key known, every complaint with its place
// (file:line:column). Shared by the loaders of hardware, platform and timing files.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp::yaml {

/// The document of `path`, which must be a map. Errors: "<id>.file", "<id>.syntax", "<id>.type".
Result<YAML::Node> load_map(const std::filesystem::path& path, const std::string& id);

/// "file:line:column", counted from 1.
[[nodiscard]] std::string place_of(const std::string& file, const YAML::Node& node);

/// An integer scalar, decimal or 0x hexadecimal, not quoted; nothing if `node` is not one.
[[nodiscard]] std::optional<int64_t> to_integer(const YAML::Node& node);

enum class Need : uint8_t { kRequired, kOptional };

/// Takes the keys of one map one by one; finish() complains about those nobody asked for.
/// Error ids: "<id>.missing", "<id>.type", "<id>.range", "<id>.unknown_key", "<id>.duplicate_key".
class MapReader {
 public:
  /// `prefix` names the map in messages ("memory.") and is empty for the document itself.
  MapReader(const YAML::Node& map, std::string file, std::string id, Diagnostics& errors,
            std::string prefix = "");

  /// Each gives nothing if the key is absent (an error if required) or null, or has another type.
  std::optional<uint64_t> unsigned_integer(const std::string& key, Need need = Need::kRequired,
                                           uint64_t max = UINT32_MAX);
  std::optional<bool> boolean(const std::string& key, Need need = Need::kRequired);
  std::optional<double> real(const std::string& key, Need need = Need::kRequired);
  std::optional<std::string> text(const std::string& key, Need need = Need::kRequired);
  std::optional<std::vector<std::string>> texts(const std::string& key,
                                                Need need = Need::kRequired);
  /// A nested map.
  std::optional<MapReader> map(const std::string& key, Need need = Need::kRequired);
  /// The entries of a nested sequence of maps.
  std::vector<MapReader> maps(const std::string& key, Need need = Need::kRequired);
  /// The raw node, marked as known.
  YAML::Node node(const std::string& key, Need need = Need::kRequired);

  void finish();
  /// Place of `key`, of the map if it is absent.
  [[nodiscard]] std::string place(const std::string& key = "") const;
  void error(const std::string& rule, const std::string& key, const std::string& message);

 private:
  void wrong_type(const std::string& key, const YAML::Node& value, const char* expected);

  YAML::Node map_;
  std::string file_, id_, prefix_;
  Diagnostics* errors_;
  std::set<std::string> known_;
};

}  // namespace dlavp::yaml
