// Loader and rules of HwConfig. A rule names the parameter it concerns, so that the loader can add
// the place in the file. The rules are those of the published generator (spec/defs) and of the
// datapaths that the units' shapes imply; sizes may be any that keep them.
#include "models/common/hw_config.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <functional>

#include "models/common/yaml_reader.hpp"

namespace dlavp {

namespace {

using yaml::MapReader;
using yaml::Need;

struct Violation {
  std::string key, id, message;
};

class Rules {
 public:
  explicit Rules(const HwConfig& config) : c_(config) {}
  std::vector<Violation> check() {
    generation();
    atoms();
    cbuf();
    engines();
    memif("primary_memif", c_.primary_memif);
    if (c_.secondary_memif) memif("secondary_memif", *c_.secondary_memif);
    if (c_.mem_address_width != 32 && c_.mem_address_width != 64)
      add("mem_address_width", "hw_config.range", "mem_address_width is {}, expected 32 or 64",
          c_.mem_address_width);
    return std::move(found_);
  }

 private:
  template <typename... Args>
  void add(const std::string& key, const std::string& id, fmt::format_string<Args...> text,
           Args&&... args) {
    found_.push_back({key, id, fmt::format(text, std::forward<Args>(args)...)});
  }

  bool power_of_two(const std::string& key, uint32_t value, uint32_t min, uint32_t max) {
    if (!std::has_single_bit(value)) {
      add(key, "hw_config.power_of_two", "{} is {}, expected a power of two", key, value);
      return false;
    }
    if (value < min || value > max) {
      add(key, "hw_config.range", "{} is {}, expected {} to {}", key, value, min, max);
      return false;
    }
    return true;
  }

  void first_generation_only(const std::string& key, bool present) {
    if (present && c_.hw == 2)
      add(key, "hw_config.generation", "{} needs the nv_full generation (hw 1), this is hw 2", key);
  }

  void generation() {
    if (c_.name.empty()) add("name", "hw_config.range", "name is empty");
    if (c_.hw != 1 && c_.hw != 2)
      add("hw", "hw_config.range", "hw is {}, expected 1 (nv_full) or 2 (nv_small to nv_large)",
          c_.hw);
    if (c_.feature_data_types.empty())
      add("feature_data_types", "hw_config.range", "feature_data_types is empty");
    if (c_.weight_data_types.empty())
      add("weight_data_types", "hw_config.range", "weight_data_types is empty");
    if (c_.weight_data_types != c_.feature_data_types)
      add("weight_data_types", "hw_config.data_types",
          "weight_data_types differ from feature_data_types: both operands of a "
          "multiplication have one type");
    const auto wide = [](const std::vector<DataType>& types) {
      return std::any_of(types.begin(), types.end(),
                         [](DataType t) { return t != DataType::kInt8; });
    };
    first_generation_only("feature_data_types", wide(c_.feature_data_types));
    first_generation_only("weight_compression", c_.weight_compression);
    first_generation_only("winograd", c_.winograd);
    first_generation_only("bdma", c_.bdma);
    first_generation_only("rubik", c_.rubik);
    if (c_.rubik_contract && !c_.rubik)
      add("rubik_contract", "hw_config.needs", "rubik_contract is true, but rubik is false");
    if (c_.rubik_reshape && !c_.rubik)
      add("rubik_reshape", "hw_config.needs", "rubik_reshape is true, but rubik is false");
    if (c_.batch && c_.max_batch_size == 0)
      add("batch", "hw_config.needs", "batch is true, but max_batch_size is absent");
    if (c_.max_batch_size > 32)
      add("max_batch_size", "hw_config.range", "max_batch_size is {}, expected at most 32",
          c_.max_batch_size);
  }

  void atoms() {
    const bool c = power_of_two("mac_atomic_c_size", c_.mac_atomic_c_size, 8, 128);
    const bool k = power_of_two("mac_atomic_k_size", c_.mac_atomic_k_size, 8, 64);
    const bool m = power_of_two("memory_atomic_size", c_.memory_atomic_size, 8, 64);
    if (c && k && c_.mac_atomic_k_size > c_.mac_atomic_c_size)
      add("mac_atomic_k_size", "hw_config.atoms",
          "mac_atomic_k_size is {}, more than mac_atomic_c_size {}", c_.mac_atomic_k_size,
          c_.mac_atomic_c_size);
    if (c && m && c_.mac_atomic_c_size < c_.memory_atomic_size)
      add("mac_atomic_c_size", "hw_config.atoms",
          "mac_atomic_c_size is {}, less than memory_atomic_size {}", c_.mac_atomic_c_size,
          c_.memory_atomic_size);
    if (c && m && c_.mac_atomic_c_size > 4 * c_.memory_atomic_size)
      add("mac_atomic_c_size", "hw_config.atoms",
          "mac_atomic_c_size is {}, expected at most 4 times memory_atomic_size {}: a CBUF "
          "entry holds up to 4 memory atoms",
          c_.mac_atomic_c_size, c_.memory_atomic_size);
    if (k && m && c_.mac_atomic_k_size != c_.memory_atomic_size)
      add("mac_atomic_k_size", "hw_config.atoms",
          "mac_atomic_k_size is {}, memory_atomic_size {}: CACC hands one kernel group to SDP "
          "as one memory atom, so that they must be equal",
          c_.mac_atomic_k_size, c_.memory_atomic_size);
  }

  void cbuf() {
    power_of_two("cbuf_bank_number", c_.cbuf_bank_number, 2, 32);
    const bool depth = power_of_two("cbuf_bank_depth", c_.cbuf_bank_depth, 64, 1024);
    const bool width = power_of_two("cbuf_bank_width", c_.cbuf_bank_width, 8, 128);
    if (width && c_.cbuf_bank_width != c_.mac_atomic_c_size)
      add("cbuf_bank_width", "hw_config.cbuf_entry",
          "cbuf_bank_width is {} bytes, expected mac_atomic_c_size {}: one entry feeds one "
          "multiply-add",
          c_.cbuf_bank_width, c_.mac_atomic_c_size);
    const uint64_t entries = uint64_t{c_.cbuf_bank_number} * c_.cbuf_bank_depth;
    if (depth && entries > 16384)
      add("cbuf_bank_depth", "hw_config.range",
          "cbuf_bank_depth {} in {} banks makes {} entries, expected at most 16384",
          c_.cbuf_bank_depth, c_.cbuf_bank_number, entries);
  }

  void throughput(const std::string& unit, bool present, uint32_t value) {
    const std::string key = unit + "_throughput";
    if (present && value == 0) {
      add(unit, "hw_config.needs", "{} is true, but {} is absent or 0", unit, key);
    } else if (!present && value != 0) {
      add(key, "hw_config.needs", "{} is {}, but {} is false", key, value, unit);
    } else if (present && (value > c_.memory_atomic_size || c_.memory_atomic_size % value != 0)) {
      add(key, "hw_config.throughput", "{} is {}, which does not divide memory_atomic_size {}", key,
          value, c_.memory_atomic_size);
    } else if (present && value > 16) {
      add(key, "hw_config.range", "{} is {}, expected at most 16", key, value);
    }
  }

  void engines() {
    throughput("sdp_bs", c_.sdp_bs, c_.sdp_bs_throughput);
    throughput("sdp_bn", c_.sdp_bn, c_.sdp_bn_throughput);
    throughput("sdp_ew", c_.sdp_ew, c_.sdp_ew_throughput);
    throughput("pdp", c_.pdp, c_.pdp_throughput);
    throughput("cdp", c_.cdp, c_.cdp_throughput);
    if (!c_.sdp_bs && !c_.sdp_bn && !c_.sdp_ew)
      add("sdp_bs", "hw_config.needs",
          "sdp_bs, sdp_bn and sdp_ew are all false: SDP would have no throughput");
    if (c_.sdp_lut && !c_.sdp_ew)
      add("sdp_lut", "hw_config.needs", "sdp_lut is true, but sdp_ew is false");
  }

  void memif(const std::string& name, const MemifConfig& m) {
    const bool width = power_of_two(name + "_width", m.width_bits, 64, 512);
    if (width && std::has_single_bit(c_.memory_atomic_size)) {
      const uint32_t atom_bits = c_.memory_atomic_size * 8;
      if (m.width_bits < atom_bits || m.width_bits > 4 * atom_bits)
        add(name + "_width", "hw_config.bus_width",
            "{}_width is {} bits, expected 1, 2 or 4 memory atoms of {} bits", name, m.width_bits,
            atom_bits);
    }
    power_of_two(name + "_max_burst_length", m.max_burst_length, 1, 4);
    if (m.latency == 0 || m.latency > 8192)
      add(name + "_latency", "hw_config.range", "{}_latency is {}, expected 1 to 8192", name,
          m.latency);
  }

  const HwConfig& c_;
  std::vector<Violation> found_;
};

std::vector<DataType> data_types(MapReader& in, const std::string& key) {
  std::vector<DataType> types;
  for (const std::string& text : in.texts(key).value_or(std::vector<std::string>{})) {
    const DataType type = text == "int16"  ? DataType::kInt16
                          : text == "fp16" ? DataType::kFp16
                                           : DataType::kInt8;
    if (text != "int8" && text != "int16" && text != "fp16")
      in.error("range", key, fmt::format("{} names '{}', expected int8, int16 or fp16", key, text));
    else if (std::find(types.begin(), types.end(), type) != types.end())
      in.error("range", key, fmt::format("{} names '{}' twice", key, text));
    else
      types.push_back(type);
  }
  return types;
}

MemifConfig memif(MapReader& in, const std::string& name, Need need) {
  MemifConfig m;
  m.latency = static_cast<uint32_t>(in.unsigned_integer(name + "_latency", need).value_or(0));
  m.max_burst_length =
      static_cast<uint32_t>(in.unsigned_integer(name + "_max_burst_length", need).value_or(0));
  m.width_bits = static_cast<uint32_t>(in.unsigned_integer(name + "_width", need).value_or(0));
  return m;
}

void read_memifs(MapReader& in, HwConfig& c) {
  c.primary_memif = memif(in, "primary_memif", Need::kRequired);
  const bool secondary = in.boolean("secondary_memif").value_or(false);
  const MemifConfig m = memif(in, "secondary_memif", secondary ? Need::kRequired : Need::kOptional);
  if (secondary) c.secondary_memif = m;
  for (const char* part : {"latency", "max_burst_length", "width"}) {
    const std::string key = fmt::format("secondary_memif_{}", part);
    const bool present = !in.node(key, Need::kOptional).IsNull();
    if (present && !secondary)
      in.error("secondary_memif", key,
               fmt::format("{} is given, but secondary_memif is false", key));
  }
}

HwConfig read(MapReader& in) {
  HwConfig c;
  const auto flag = [&](const char* key, bool& value, Need need = Need::kRequired) {
    value = in.boolean(key, need).value_or(false);
  };
  const auto size = [&](const char* key, uint32_t& value, Need need = Need::kRequired) {
    value = static_cast<uint32_t>(in.unsigned_integer(key, need).value_or(0));
  };
  c.name = in.text("name").value_or("");
  c.hw = static_cast<int>(in.unsigned_integer("hw", Need::kRequired, 1000).value_or(0));
  c.feature_data_types = data_types(in, "feature_data_types");
  c.weight_data_types = data_types(in, "weight_data_types");
  flag("weight_compression", c.weight_compression);
  flag("winograd", c.winograd);
  flag("batch", c.batch);
  size("max_batch_size", c.max_batch_size, Need::kOptional);
  flag("sdp_lut", c.sdp_lut);
  flag("sdp_bs", c.sdp_bs);
  flag("sdp_bn", c.sdp_bn);
  flag("sdp_ew", c.sdp_ew);
  flag("bdma", c.bdma);
  flag("rubik", c.rubik);
  flag("rubik_contract", c.rubik_contract);
  flag("rubik_reshape", c.rubik_reshape);
  flag("pdp", c.pdp);
  flag("cdp", c.cdp);
  flag("retiming", c.retiming, Need::kOptional);
  size("mac_atomic_c_size", c.mac_atomic_c_size);
  size("mac_atomic_k_size", c.mac_atomic_k_size);
  size("memory_atomic_size", c.memory_atomic_size);
  size("cbuf_bank_number", c.cbuf_bank_number);
  size("cbuf_bank_width", c.cbuf_bank_width);
  size("cbuf_bank_depth", c.cbuf_bank_depth);
  size("sdp_bs_throughput", c.sdp_bs_throughput, Need::kOptional);
  size("sdp_bn_throughput", c.sdp_bn_throughput, Need::kOptional);
  size("sdp_ew_throughput", c.sdp_ew_throughput, Need::kOptional);
  size("pdp_throughput", c.pdp_throughput, Need::kOptional);
  size("cdp_throughput", c.cdp_throughput, Need::kOptional);
  size("mem_address_width", c.mem_address_width);
  read_memifs(in, c);
  return c;
}

std::string join(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

Diagnostics validate(const HwConfig& config) {
  Diagnostics errors;
  for (const Violation& v : Rules(config).check()) errors.add(v.id, "", v.message);
  return errors;
}

Result<HwConfig> load_hw_config(const std::string& name_or_path) {
  std::filesystem::path path = name_or_path;
  const bool is_name = name_or_path.find('/') == std::string::npos && path.extension() != ".yaml" &&
                       path.extension() != ".yml";
  if (is_name) {
    path = config_dir() / "hardware" / (name_or_path + ".yaml");
    if (!std::filesystem::exists(path))
      return Error{
          "hw_config.name", "",
          fmt::format("no configuration '{}'; there are {}, or give the path of a .yaml file",
                      name_or_path, join(published_configs()))};
  }
  const auto root = yaml::load_map(path, "hw_config");
  if (!root) return root.errors();
  Diagnostics errors;
  MapReader in(*root, path.string(), "hw_config", errors);
  HwConfig config = read(in);
  in.finish();
  // A parameter that is already complained about is not also measured against the rules.
  std::vector<std::string> bad_places;
  for (const Error& e : errors.errors()) bad_places.push_back(e.place);
  for (const Violation& v : Rules(config).check()) {
    const std::string place = in.place(v.key);
    const bool absent = in.node(v.key, Need::kOptional).IsNull();
    if (absent && v.id != "hw_config.needs") continue;
    if (std::find(bad_places.begin(), bad_places.end(), place) == bad_places.end())
      errors.add(v.id, place, v.message);
  }
  if (!errors.empty()) return errors;
  return config;
}

std::vector<std::string> published_configs() {
  std::vector<std::pair<uint32_t, std::string>> found;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(config_dir() / "hardware", ignored)) {
    if (entry.path().extension() != ".yaml") continue;
    const auto config = load_hw_config(entry.path().string());
    if (config) found.emplace_back(config->macs(), config->name);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (const auto& [macs, name] : found) names.push_back(name);
  return names;
}

std::filesystem::path config_dir() {
  if (const char* dir = std::getenv("DLAVP_CONFIG_DIR"); dir != nullptr && *dir != 0) return dir;
  std::error_code failed;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failed);
  const std::filesystem::path installed =
      program.parent_path().parent_path() / "share" / "dlavp" / "configs";
  if (!failed && std::filesystem::is_directory(installed, failed)) return installed;
  return DLAVP_SOURCE_CONFIG_DIR;
}

}  // namespace dlavp
