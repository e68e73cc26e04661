// dlavp inspect: shows what a loadable holds: inputs and outputs, memory map, tasks with their
// operations, sizes and dependencies, blobs, and with --verbose every descriptor field. It does
// not judge whether a configuration can run the loadable.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "apps/dlavp/cli.hpp"
#include "apps/dlavp/commands.hpp"
#include "compiler/loadable/describe.hpp"

namespace dlavp::app {

namespace {

using Json = nlohmann::ordered_json;
using loadable::DlaEntry;
using loadable::Loadable;

Result<Loadable> load_file(const std::string& path, size_t& bytes_read) {
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path))
    return Error{"inspect.file", path, "cannot open this file"};
  const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
  bytes_read = bytes.size();
  auto loaded = loadable::read_loadable(bytes);
  if (loaded) return loaded;
  Diagnostics errors;
  for (const Error& e : loaded.errors().errors())
    errors.add(e.id, e.place.empty() ? path : path + ": " + e.place, e.message);
  return errors;
}

/// Every task as JSON, in list order; errors are prefixed with the file.
Result<Json> describe_tasks(const Loadable& l, const std::string& path) {
  Json out = Json::array();
  Diagnostics errors;
  const auto take = [&](const auto& task) {
    if (task) {
      out.push_back(describe_task(*task));
      return;
    }
    for (const Error& e : task.errors().errors())
      errors.add(e.id, path + ": " + e.place, e.message);
  };
  for (const loadable::Task& task : l.tasks) {
    if (task.interface == DLA_INTERFACE_EMU)
      take(loadable::read_emu_task(l, task));
    else
      take(loadable::read_dla_task(l, task));
    if (!errors.empty()) continue;
    out.back()["instance"] = task.instance;
    out.back()["address_list"] = task.address_list;
    out.back()["pre_actions"] = task.pre_actions;
    out.back()["post_actions"] = task.post_actions;
  }
  if (!errors.empty()) return errors;
  return out;
}

std::string flags_text(unsigned flags) {
  const std::pair<unsigned, const char*> names[] = {{DLA_MEMORY_ALLOC, "alloc"},
                                                    {DLA_MEMORY_SET, "set"},
                                                    {DLA_MEMORY_INPUT, "input"},
                                                    {DLA_MEMORY_OUTPUT, "output"},
                                                    {DLA_MEMORY_DEBUG, "debug"}};
  std::string out;
  for (const auto& [bit, name] : names)
    if ((flags & bit) != 0) out += (out.empty() ? "" : " ") + std::string(name);
  return out;
}

std::string tensor_type(unsigned type) {
  static constexpr const char* kNames[] = {"?", "float", "half", "int16", "int8"};
  return type < std::size(kNames) ? kNames[type] : "?";
}

void print_container(const Json& j) {
  fmt::print("\nInputs and outputs\n");
  for (const Json& t : j["tensors"]) {
    const Json& all = j["memories"];
    const auto memory = std::find_if(all.begin(), all.end(),
                                     [&t](const Json& m) { return m["id"] == t["mem_id"]; });
    fmt::print("  {:<7} {:<24} {} x {} x {} x {} (N C H W) {}, {} bytes in memory {} at {}\n",
               ((*memory)["flags"].get<unsigned>() & DLA_MEMORY_INPUT) != 0 ? "input" : "output",
               t["name"].get<std::string>(), t["n"].get<int>(), t["c"].get<int>(),
               t["h"].get<int>(), t["w"].get<int>(), tensor_type(t["data_type"].get<unsigned>()),
               t["size"].get<uint64_t>(), t["mem_id"].get<int>(), t["offset"].get<uint64_t>());
  }
  fmt::print("\nMemories\n  {:>4} {:>7} {:>12} {:>9}  {:<16} {}\n", "id", "domain", "bytes",
             "align", "flags", "contents");
  for (const Json& m : j["memories"]) {
    std::string contents;
    for (size_t i = 0; i < m["contents"].size(); ++i) {
      const auto name = m["contents"][i].get<std::string>();
      if (!name.empty() && i < 4)
        contents += fmt::format("{}{} at {}", contents.empty() ? "" : ", ", name,
                                m["offsets"][i].get<uint64_t>());
    }
    if (m["contents"].size() > 4) contents += fmt::format(", {} more", m["contents"].size() - 4);
    fmt::print("  {:>4} {:>7} {:>12} {:>9}  {:<16} {}\n", m["id"].get<int>(),
               m["domain"].get<std::string>(), m["size"].get<uint64_t>(),
               m["alignment"].get<uint64_t>(), flags_text(m["flags"].get<unsigned>()), contents);
  }
}

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

std::string waits_text(const Json& operations, size_t index) {
  std::string out;
  for (const Json& other : operations)
    for (const Json& c : other["consumers"])
      if (c["index"] == index)
        out += fmt::format("{}{} {}", out.empty() ? "" : ", ", other["index"].get<int>(),
                           c["event"].get<std::string>());
  return out;
}

void print_verbose(const Json& op) {
  for (const auto& [name, value] : op["fields"].items())
    fmt::print("         {} = {}\n", name, value.dump());
  for (const char* list : {"cubes", "src_data", "dst_data"}) {
    if (!op.contains(list)) continue;
    if (!op[list].is_array()) fmt::print("         {} = {}\n", list, op[list].dump());
    if (op[list].is_array())
      for (const Json& c : op[list]) fmt::print("         {}\n", c.dump());
  }
}

void print_task(const Json& task, bool verbose) {
  const bool dla = task["interface"] == "DLA";
  fmt::print("\nTask {}: {}{}, {} operations\n", task["id"].get<int>(),
             dla ? "accelerator, descriptors " : "CPU",
             dla ? task["version"].get<std::string>() : "", task["operations"].size());
  if (dla)
    fmt::print("  {:>4} {:<6} {:<26} {:<26} {:<34} {}\n", "#", "engine",
               "input (WxHxC @address+offset)", "output", "what", "waits for");
  for (const Json& op : task["operations"]) {
    const size_t index = op["index"].get<size_t>();
    if (dla)
      fmt::print("  {:>4} {:<6} {:<26} {:<26} {:<34} {}\n", index, op["engine"].get<std::string>(),
                 cube_text(op["cubes"], "src_data"), cube_text(op["cubes"], "dst_data"),
                 detail_text(op), waits_text(task["operations"], index));
    else
      fmt::print("  {:>4} {} over {} channels\n", index, op["engine"].get<std::string>(),
                 op["src_data"]["channel"].get<int>());
    if (verbose) print_verbose(op);
  }
  if (verbose && dla)
    for (const Json& lut : task["luts"]) fmt::print("  LUT {}\n", lut.dump());
}

void print_text(const Json& j, bool verbose) {
  fmt::print("{}: loadable {}, {} bytes, {} tasks, {} blobs\n", j["file"].get<std::string>(),
             j["version"].get<std::string>(), j["file_bytes"].get<uint64_t>(), j["tasks"].size(),
             j["blobs"].size());
  print_container(j);
  for (const Json& task : j["tasks"]) print_task(task, verbose);
  if (!verbose) return;
  fmt::print("\nBlobs\n");
  for (const Json& b : j["blobs"])
    fmt::print("  {:<28} {:>10} bytes  interface {}.{}  version {}\n", b["name"].get<std::string>(),
               b["size"].get<uint64_t>(), b["interface"].get<int>(), b["sub_interface"].get<int>(),
               b["version"].get<std::string>());
  for (const char* list : {"addresses", "events", "relocs", "submits"}) {
    fmt::print("\n{}\n", list);
    for (const Json& entry : j[list]) fmt::print("  {}\n", entry.dump());
  }
}

}  // namespace

int cmd_inspect(const std::vector<std::string>& args) {
  Cli cli("inspect", "MODEL [--verbose] [--json]",
          "Shows what a loadable contains: inputs and outputs, memories, tasks, operations with "
          "their\nsizes and dependencies. --verbose adds every field of every descriptor.",
          {"dlavp inspect model.nvdla", "dlavp inspect model.nvdla --verbose",
           "dlavp inspect model.nvdla --json"});
  cli.add()("verbose,v", "every field of every descriptor");
  cli.add_json();
  cli.positional("model", 1);
  if (const auto exit = cli.parse(args)) return *exit;
  const std::string path = cli.has("model") ? cli.texts("model").front() : std::string();
  if (path.empty())
    return fail("cli.missing", "inspect", "no loadable given; see dlavp inspect --help");
  size_t bytes = 0;
  const Result<Loadable> l = load_file(path, bytes);
  if (!l) return fail(l.errors());
  const Result<Json> tasks = describe_tasks(*l, path);
  if (!tasks) return fail(tasks.errors());
  Json j = {{"file", path}, {"file_bytes", bytes}};
  j.update(describe_container(*l));
  j["tasks"] = *tasks;
  if (cli.json())
    fmt::print("{}\n", j.dump(2));
  else
    print_text(j, cli.has("verbose"));
  return kDone;
}

}  // namespace dlavp::app
