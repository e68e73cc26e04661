// The older form of traces, input.txn: one command a line, words separated by blanks, # comments.
#include <fstream>
#include <sstream>

#include "vp/trace/data_file.hpp"
#include "vp/trace/register_names.hpp"
#include "vp/trace/trace.hpp"

namespace dlavp::trace {

namespace {

// Registers are numbered by words from here.
constexpr uint64_t kRegisterSpace = 0xffff0000;
// The second memory port's SRAM in the address map of these traces.
constexpr uint64_t kSramBase = 0x50000000, kSramEnd = 0x60000000;

class TxnParser {
 public:
  TxnParser(const std::filesystem::path& file, const HwConfig& hw) : file_(file), hw_(hw) {}

  Result<Trace> parse() {
    std::ifstream in(file_);
    if (!in) return Error{"trace.file", file_.string(), "cannot be read"};
    trace_.name = file_.parent_path().filename().string();
    trace_.begins_at_reset = true;
    std::string line;
    for (unsigned number = 1; std::getline(in, line); ++number) {
      place_ = fmt::format("{}:{}", file_.string(), number);
      std::istringstream words(line.substr(0, line.find('#')));
      std::vector<std::string> call;
      for (std::string word; words >> word;) call.push_back(word);
      if (!call.empty()) command(call);
    }
    if (trace_.commands.empty() && errors_.empty())
      errors_.add("trace.empty", file_.string(), "there is no command in it");
    if (!errors_.empty()) return errors_;
    return std::move(trace_);
  }

 private:
  void error(const std::string& id, const std::string& message) {
    errors_.add(id, place_, message);
  }
  void add(Action action) { trace_.commands.push_back({std::move(action), place_}); }

  void command(const std::vector<std::string>& call) {
    const std::string& name = call[0];
    const size_t arity = name == "wait" ? 0 : name == "write_reg" ? 2 : 3;
    if (name != "wait" && name != "write_reg" && name != "read_reg" && name != "load_mem" &&
        name != "dump_mem")
      return error("trace.command", fmt::format("'{}' is not a known command", name));
    if (call.size() - 1 != arity)
      return error("trace.arguments",
                   fmt::format("{} has {} arguments, expected {}", name, call.size() - 1, arity));
    if (name == "wait") return add(WaitInterrupt{});
    if (name == "write_reg") return write_reg(call);
    if (name == "read_reg") return read_reg(call);
    memory(call);
  }

  std::optional<uint64_t> number(const std::string& text, const char* what,
                                 uint64_t max = ~uint64_t{0}) {
    const auto value = to_number(text);
    if (!value || *value > max)
      error("trace.number",
            fmt::format("{} is '{}', expected a number up to {:#x}", what, text, max));
    return value && *value <= max ? value : std::nullopt;
  }

  std::optional<NamedRegister> register_at(const std::string& text) {
    const auto word = number(text, "the register", UINT32_MAX);
    if (!word) return std::nullopt;
    std::optional<NamedRegister> found;
    if (*word >= kRegisterSpace)
      found = find_register(static_cast<uint32_t>((*word - kRegisterSpace) * 4), hw_.hw);
    if (!found) error("trace.register", fmt::format("{} is not a register of {}", text, hw_.name));
    return found;
  }

  void write_reg(const std::vector<std::string>& call) {
    const auto reg = register_at(call[1]);
    const auto value = number(call[2], "the value", UINT32_MAX);
    if (!reg || !value) return;
    const auto word = static_cast<uint32_t>(*value);
    const bool enables = reg->info->name == "D_OP_ENABLE" || reg->info->name == "CFG_LAUNCH0" ||
                         reg->info->name == "CFG_LAUNCH1";
    add(RegWrite{reg->resource, reg->address, word, enables && (word & 1) != 0});
  }

  void read_reg(const std::vector<std::string>& call) {
    const auto reg = register_at(call[1]);
    const auto mask = number(call[2], "the mask", UINT32_MAX),
               value = number(call[3], "the value", UINT32_MAX);
    if (!reg || !mask || !value) return;
    add(RegCheck{.resource = reg->resource,
                 .name = reg->resource + "." + reg->info->name,
                 .address = reg->address,
                 .mask = static_cast<uint32_t>(*mask),
                 .expected = static_cast<uint32_t>(*value & *mask),
                 .poll = true});
  }

  void memory(const std::vector<std::string>& call) {
    const auto address = number(call[1], "the address"),
               bytes = number(call[2], "the size", uint64_t{1} << 32);
    if (!address || !bytes) return;
    if (*bytes > ~*address)
      return error("trace.range", fmt::format("{:#x} bytes at {:#x} end beyond the address space",
                                              *bytes, *address));
    const RamType ram = *address >= kSramBase && *address < kSramEnd ? RamType::kCv : RamType::kMc;
    if (ram == RamType::kCv && !hw_.secondary_memif)
      return error("trace.memory", fmt::format("{} has no secondary memory", hw_.name));
    auto dump = read_dump(file_.parent_path() / call[3], *bytes);
    if (!dump) {
      errors_.append(dump.errors());
      return;
    }
    std::vector<Packet> packets{{0, std::move(dump).value()}};
    if (call[0] == "load_mem")
      add(MemLoad{ram, *address, std::move(packets)});
    else
      add(CheckBytes{"", ram, *address, std::move(packets)});
  }

  const std::filesystem::path file_;
  const HwConfig& hw_;
  Trace trace_;
  Diagnostics errors_;
  std::string place_;
};

std::vector<std::filesystem::path> cfg_files(const std::filesystem::path& dir) {
  std::vector<std::filesystem::path> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(dir, ignored))
    if (entry.path().extension() == ".cfg") files.push_back(entry.path());
  return files;
}

}  // namespace

Result<Trace> parse_txn(const std::filesystem::path& file, const HwConfig& hw) {
  return TxnParser(file, hw).parse();
}

bool is_trace(const std::filesystem::path& dir) {
  return std::filesystem::exists(dir / "input.txn") || !cfg_files(dir).empty();
}

Result<Trace> load_trace(const std::filesystem::path& dir, const HwConfig& hw) {
  const auto files = cfg_files(dir);
  if (files.size() > 1)
    return Error{"trace.file", dir.string(),
                 fmt::format("has {} .cfg files, expected one", files.size())};
  if (files.size() == 1) return parse_cfg(files[0], hw);
  return parse_txn(dir / "input.txn", hw);
}

}  // namespace dlavp::trace
