// Reads and checks a cost table.
#include "vp/iss/cost_table.hpp"

#include <yaml-cpp/yaml.h>

#include <set>

namespace dlavp::iss {
namespace {

constexpr uint32_t kMaxCost = 1000;  // 64 instructions of a block fit 16 bits
constexpr std::array<std::string_view, static_cast<size_t>(CostClass::kCount)> kNames = {
    "alu",     "mul",           "div",        "load",      "store",  "branch_not_taken",
    "jump",    "jump_register", "amo",        "csr",       "fence",  "system",
    "fp_load", "fp_store",      "fp_add",     "fp_mul",    "fp_fma", "fp_div",
    "fp_sqrt", "fp_move",       "fp_compare", "fp_convert"};

std::string place_of(const std::filesystem::path& file, const YAML::Node& node) {
  return fmt::format("{}:{}:{}", file.string(), node.Mark().line + 1, node.Mark().column + 1);
}

/// The cost of one entry, or 0 with an error added.
uint32_t read_entry(const std::filesystem::path& file, const std::string& name,
                    const YAML::Node& node, Diagnostics& errors) {
  if (!node.IsMap() || !node["value"] || !node["provenance"]) {
    errors.add("iss.cost_entry", place_of(file, node),
               fmt::format("{}: expected {{value, provenance, source}}", name));
    return 0;
  }
  const std::string provenance = node["provenance"].as<std::string>("");
  if (provenance != "rtl" && provenance != "spec" && provenance != "assumed") {
    errors.add("iss.cost_provenance", place_of(file, node),
               fmt::format("{}: provenance '{}', expected rtl, spec or assumed", name, provenance));
  }
  const int64_t value = node["value"].as<int64_t>(-1);
  if (value < 1 || value > kMaxCost) {
    errors.add("iss.cost_value", place_of(file, node),
               fmt::format("{}: value {}, expected 1 to {}", name,
                           node["value"].as<std::string>("?"), kMaxCost));
    return 0;
  }
  return static_cast<uint32_t>(value);
}

uint32_t* slot_of(CostTable& table, const std::string& name) {
  if (name == "branch_taken") return &table.branch_taken;
  if (name == "trap") return &table.trap;
  for (size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return &table.cycles[i];
  return nullptr;
}

Result<CostTable> read_table(const std::filesystem::path& file, const YAML::Node& root) {
  Diagnostics errors;
  CostTable table;
  if (!root.IsMap()) return Error{"iss.cost_file", file.string(), "expected a map of classes"};
  std::set<std::string> seen;
  for (const auto& item : root) {
    const auto name = item.first.as<std::string>("");
    uint32_t* slot = slot_of(table, name);
    if (slot == nullptr) {
      errors.add("iss.cost_unknown", place_of(file, item.first), "unknown class '" + name + "'");
    } else if (!seen.insert(name).second) {
      errors.add("iss.cost_duplicate", place_of(file, item.first), "duplicate class " + name);
    } else {
      *slot = read_entry(file, name, item.second, errors);
    }
  }
  const auto require = [&](const std::string& name) {
    if (!seen.contains(name)) errors.add("iss.cost_missing", file.string(), name + " is missing");
  };
  for (std::string_view name : kNames) require(std::string(name));
  require("branch_taken");
  require("trap");
  if (errors.empty() && table.branch_taken < table.of(CostClass::kBranch)) {
    errors.add("iss.cost_branch", file.string(),
               fmt::format("branch_taken {} is less than branch_not_taken {}", table.branch_taken,
                           table.of(CostClass::kBranch)));
  }
  if (!errors.empty()) return errors;
  return table;
}

}  // namespace

std::string_view cost_class_name(CostClass c) { return kNames[static_cast<size_t>(c)]; }

CostTable CostTable::unit_costs() {
  CostTable table;
  table.cycles.fill(1);
  table.branch_taken = 1;
  table.trap = 1;
  return table;
}

Result<CostTable> CostTable::load(const std::filesystem::path& file) {
  try {
    return read_table(file, YAML::LoadFile(file.string()));
  } catch (const YAML::BadFile&) {
    return Error{"iss.cost_file", file.string(), "cannot read the file"};
  } catch (const YAML::Exception& e) {
    return Error{"iss.cost_file",
                 fmt::format("{}:{}:{}", file.string(), e.mark.line + 1, e.mark.column + 1), e.msg};
  }
}

}  // namespace dlavp::iss
