// The .cfg form of traces: one call a line.
#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "vp/trace/data_file.hpp"
#include "vp/trace/register_names.hpp"
#include "vp/trace/trace.hpp"

namespace dlavp::trace {

namespace {

struct Call {
  std::string name;
  std::vector<std::string> args;
};

/// "name(a, b, c);" with or without blanks and the semicolon.
std::optional<Call> parse_call(std::string_view text) {
  const size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  const std::string_view tail = trimmed(text.substr(close + 1));
  if (!tail.empty() && tail != ";") return std::nullopt;
  Call call{std::string(trimmed(text.substr(0, open))), {}};
  std::string_view args = text.substr(open + 1, close - open - 1);
  while (true) {
    const size_t comma = args.find(',');
    call.args.emplace_back(trimmed(args.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    args.remove_prefix(comma + 1);
  }
  if (call.args.size() == 1 && call.args[0].empty()) call.args.clear();
  return call.name.empty() ? std::nullopt : std::optional(call);
}

class CfgParser {
 public:
  CfgParser(const std::filesystem::path& file, const HwConfig& hw) : file_(file), hw_(hw) {}

  Result<Trace> parse() {
    std::ifstream in(file_);
    if (!in) return Error{"trace.file", file_.string(), "cannot be read"};
    trace_.name = file_.parent_path().filename().string();
    trace_.handles_interrupts = true;
    std::string line;
    for (unsigned number = 1; std::getline(in, line); ++number) {
      place_ = fmt::format("{}:{}", file_.string(), number);
      const std::string_view text = trimmed(std::string_view(line).substr(0, line.find("//")));
      if (text.empty()) continue;
      const auto call = parse_call(text);
      if (call)
        command(*call);
      else
        error("trace.syntax", fmt::format("'{}' is not a call", text));
    }
    check_syncs();
    if (!errors_.empty()) return errors_;
    return std::move(trace_);
  }

 private:
  void error(const std::string& id, const std::string& message) {
    errors_.add(id, place_, message);
  }
  void add(Action action) { trace_.commands.push_back({std::move(action), place_}); }

  void command(const Call& call) {
    static const std::map<std::string, std::pair<unsigned, void (CfgParser::*)(const Call&)>>
        kForms = {{"mem_init", {4, &CfgParser::mem_init}},
                  {"mem_load", {3, &CfgParser::mem_load}},
                  {"reg_write", {2, &CfgParser::reg_write}},
                  {"reg_read_check", {2, &CfgParser::reg_check}},
                  {"reg_read_expected", {2, &CfgParser::reg_check}},
                  {"intr_notify", {2, &CfgParser::intr_notify}},
                  {"check_crc", {5, &CfgParser::check_crc}},
                  {"check_file", {5, &CfgParser::check_file}},
                  {"check_nothing", {1, &CfgParser::check_nothing}}};
    if (call.name.starts_with("poll_reg_") || call.name.starts_with("poll_field_"))
      return poll(call);
    if (call.name == "sync_wait" || call.name == "sync_notify") return sync(call);
    if (call.name == "reg_read") return;  // its value goes nowhere
    const auto form = kForms.find(call.name);
    if (form == kForms.end())
      return error("trace.command", fmt::format("'{}' is not a known command", call.name));
    const auto& [arity, handler] = form->second;
    const bool masked = handler == &CfgParser::reg_check && call.args.size() == 3;
    if (call.args.size() != arity && !masked)
      return error("trace.arguments", fmt::format("{} has {} arguments, expected {}", call.name,
                                                  call.args.size(), arity));
    (this->*handler)(call);
  }

  std::optional<RamType> ram(const std::string& text) {
    if (text == "pri_mem" || text == "1") return RamType::kMc;
    if (text == "sec_mem" || text == "0") {
      if (hw_.secondary_memif) return RamType::kCv;
      error("trace.memory", fmt::format("'{}': {} has no secondary memory", text, hw_.name));
      return std::nullopt;
    }
    error("trace.memory",
          fmt::format("'{}' is not a memory, expected pri_mem (1) or sec_mem (0)", text));
    return std::nullopt;
  }

  std::optional<uint64_t> number(const std::string& text, const char* what,
                                 uint64_t max = ~uint64_t{0}) {
    const auto value = to_number(text);
    if (!value)
      error("trace.number", fmt::format("{} is '{}', expected a number", what, text));
    else if (*value > max)
      error("trace.number", fmt::format("{} is {:#x}, expected at most {:#x}", what, *value, max));
    return value && *value <= max ? value : std::nullopt;
  }

  std::optional<NamedRegister> named(const std::string& text) {
    auto found = find_register(text, hw_.hw);
    if (!found)
      error("trace.register", fmt::format("'{}' is not a register of {}", text, hw_.name));
    return found;
  }

  /// The range of a memory command, which must not wrap around.
  bool range(uint64_t address, uint64_t bytes) {
    if (bytes <= ~address) return true;
    error("trace.range",
          fmt::format("{:#x} bytes at {:#x} end beyond the address space", bytes, address));
    return false;
  }

  void mem_init(const Call& call) {
    const auto memory = ram(call.args[0]);
    const auto address = number(call.args[1], "the address"),
               bytes = number(call.args[2], "the size");
    uint8_t value = 0;
    if (call.args[3] == "ALL_ONE") {
      value = 0xff;
    } else if (call.args[3] != "ALL_ZERO") {
      return error(
          "trace.pattern",
          fmt::format("'{}' is not a known pattern, expected ALL_ZERO or ALL_ONE", call.args[3]));
    }
    if (memory && address && bytes && range(*address, *bytes))
      add(MemInit{*memory, *address, *bytes, value});
  }

  std::optional<std::filesystem::path> data_path(std::string text) {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') {
      error("trace.file", fmt::format("{} is not a file name in quotes", text));
      return std::nullopt;
    }
    text = text.substr(1, text.size() - 2);
    const auto dir = file_.parent_path();
    for (const auto& place : {dir, dir / ".." / ".." / "memory_surface_warehouse",
                              dir / ".." / "memory_surface_warehouse"})
      if (std::filesystem::is_regular_file(place / text)) return place / text;
    error("trace.file", fmt::format("there is no data file '{}'", text));
    return std::nullopt;
  }

  std::optional<std::vector<Packet>> packets(const std::string& text, uint64_t address) {
    const auto path = data_path(text);
    if (!path) return std::nullopt;
    auto found = read_packets(*path);
    if (!found) {
      errors_.append(found.errors());
      return std::nullopt;
    }
    for (const Packet& p : *found)
      if (!range(address, p.offset) || !range(address + p.offset, p.bytes.size()))
        return std::nullopt;
    return std::move(found).value();
  }

  void mem_load(const Call& call) {
    const auto memory = ram(call.args[0]);
    const auto address = number(call.args[1], "the address");
    if (!address) return;
    auto found = packets(call.args[2], *address);
    if (memory && found) add(MemLoad{*memory, *address, std::move(*found)});
  }

  void reg_write(const Call& call) {
    const auto reg = named(call.args[0]);
    const auto value = number(call.args[1], "the value", UINT32_MAX);
    if (!reg || !value) return;
    const auto word = static_cast<uint32_t>(*value);
    add(RegWrite{reg->resource, reg->address, word,
                 reg->info->name == "D_OP_ENABLE" && (word & 1) != 0});
  }

  void reg_check(const Call& call) {
    const auto reg = named(call.args[0]);
    const auto value = number(call.args.back(), "the value", UINT32_MAX);
    const auto mask = call.args.size() == 3 ? number(call.args[1], "the mask", UINT32_MAX)
                                            : std::optional<uint64_t>(UINT32_MAX);
    if (reg && value && mask)
      add(RegCheck{.resource = reg->resource,
                   .name = call.args[0],
                   .address = reg->address,
                   .mask = static_cast<uint32_t>(*mask),
                   .expected = static_cast<uint32_t>(*value)});
  }

  void poll(const Call& call) {
    static const std::map<std::string, Condition> kConditions = {
        {"equal", Condition::kEqual},     {"not_equal", Condition::kNotEqual},
        {"greater", Condition::kGreater}, {"not_greater", Condition::kNotGreater},
        {"less", Condition::kLess},       {"not_less", Condition::kNotLess}};
    const bool field = call.name.starts_with("poll_field_");
    const auto condition = kConditions.find(call.name.substr(field ? 11 : 9));
    if (condition == kConditions.end())
      return error("trace.command", fmt::format("'{}' is not a known command", call.name));
    // A first argument without a dot is the sequence's resource; the register tells it as well.
    std::vector<std::string> args = call.args;
    const size_t arity = field ? 3 : 2;
    if (args.size() == arity + 1 && args[0].find('.') == std::string::npos)
      args.erase(args.begin());
    if (args.size() != arity)
      return error("trace.arguments", fmt::format("{} has {} arguments, expected {}", call.name,
                                                  call.args.size(), arity));
    const auto reg = named(args[0]);
    const auto value = number(args.back(), "the value", UINT32_MAX);
    if (!reg || !value) return;
    RegCheck check{.resource = reg->resource,
                   .name = args[0],
                   .address = reg->address,
                   .condition = condition->second,
                   .expected = static_cast<uint32_t>(*value),
                   .poll = true};
    if (field) {
      const auto& fields = reg->info->fields;
      const auto found = std::find_if(fields.begin(), fields.end(),
                                      [&](const regs::FieldInfo& f) { return f.name == args[1]; });
      if (found == fields.end())
        return error("trace.register", fmt::format("'{}' is not a field of {}", args[1], args[0]));
      check.shift = found->lsb;
      check.mask = regs::Field{0, found->lsb, found->width, false}.mask();
    }
    add(check);
  }

  void sync(const Call& call) {
    if (call.args.empty() || call.args.size() > 2)
      return error("trace.arguments",
                   fmt::format("{} has {} arguments, expected 2", call.name, call.args.size()));
    std::string resource = call.args.size() == 2 ? call.args[0] : "";
    if (resource.starts_with("NVDLA_")) resource.erase(0, 6);
    const std::string& id = call.args.back();
    if (call.name == "sync_wait") {
      needed_.emplace_back(id, place_);
      add(SyncWait{resource, id});
    } else {
      reached_.insert(id);
      add(SyncNotify{resource, id});
    }
  }

  void intr_notify(const Call& call) {
    const auto bit = find_interrupt(call.args[0]);
    if (!bit)
      return error(
          "trace.interrupt",
          fmt::format("'{}' is not an interrupt, expected for example SDP_0", call.args[0]));
    reached_.insert(call.args[1]);
    add(IntrNotify{call.args[0], *bit, call.args[1]});
  }

  void check_crc(const Call& call) {
    needed_.emplace_back(call.args[0], place_);
    const auto memory = ram(call.args[1]);
    const auto address = number(call.args[2], "the address"),
               bytes = number(call.args[3], "the size");
    const auto crc = number(call.args[4], "the CRC", UINT32_MAX);
    if (memory && address && bytes && crc && range(*address, *bytes))
      add(CheckCrc{call.args[0], *memory, *address, *bytes, static_cast<uint32_t>(*crc)});
  }

  void check_file(const Call& call) {
    needed_.emplace_back(call.args[0], place_);
    const auto memory = ram(call.args[1]);
    const auto address = number(call.args[2], "the address");
    const auto bytes = number(call.args[3], "the size");
    if (!memory || !address || !bytes) return;
    if (auto found = packets(call.args[4], *address))
      add(CheckBytes{call.args[0], *memory, *address, std::move(*found)});
  }

  void check_nothing(const Call& call) {
    needed_.emplace_back(call.args[0], place_);
    add(CheckNothing{call.args[0]});
  }

  void check_syncs() {
    for (const auto& [id, place] : needed_)
      if (!reached_.contains(id))
        errors_.add("trace.sync", place,
                    fmt::format("'{}' is awaited, but no intr_notify or sync_notify gives it", id));
    if (trace_.commands.empty() && errors_.empty())
      errors_.add("trace.empty", file_.string(), "there is no command in it");
  }

  const std::filesystem::path file_;
  const HwConfig& hw_;
  Trace trace_;
  Diagnostics errors_;
  std::string place_;
  std::set<std::string> reached_;
  std::vector<std::pair<std::string, std::string>> needed_;
};

}  // namespace

Result<Trace> parse_cfg(const std::filesystem::path& file, const HwConfig& hw) {
  return CfgParser(file, hw).parse();
}

}  // namespace dlavp::trace
