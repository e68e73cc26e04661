// dlavp inspect: shows what a loadable holds: inputs and outputs, memory map, tasks with their
// operations, sizes and dependencies, blobs, and with --verbose every descriptor field. It does
// not judge whether a configuration can run the loadable.
#include <fmt/format.h>

#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>

#include "apps/dlavp/cli.hpp"
#include "apps/dlavp/commands.hpp"
#include "apps/dlavp/file_kind.hpp"
#include "apps/dlavp/inspect_graph.hpp"
#include "apps/dlavp/inspect_svg.hpp"
#include "apps/dlavp/inspect_text.hpp"
#include "apps/dlavp/write_file.hpp"
#include "compiler/loadable/describe.hpp"
#include "models/common/read_file.hpp"

namespace dlavp::app {

namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;
using loadable::DlaEntry;
using loadable::Loadable;

Result<Loadable> load_file(const std::string& path, size_t& bytes_read) {
  const auto text = read_file(path, "inspect.file");
  if (!text) return text.errors();
  const std::vector<uint8_t> bytes(text->begin(), text->end());
  bytes_read = bytes.size();
  auto loaded = loadable::read_loadable(bytes);
  if (loaded) return loaded;
  Diagnostics errors;
  for (const Error& e : loaded.errors().errors())
    errors.add(e.id, e.place.empty() ? path : path + ": " + e.place, e.message);
  return with_kind(errors, path);
}

/// Adds to each operation what dlavp-info says of it: name, layer, the layer's shape, MACs.
void add_names(const Json& info, Json& tasks) {
  const Json layers = info.value("layers", Json::array());
  for (const Json& op : info.value("operations", Json::array())) {
    const auto task = op.value("task", tasks.size()), index = op.value("index", size_t{0});
    if (task >= tasks.size() || index >= tasks[task]["operations"].size()) continue;
    Json& to = tasks[task]["operations"][index];
    to["name"] = op.value("name", "");
    to["macs"] = op.value("macs", uint64_t{0});
    const auto layer = op.value("layer", layers.size());
    if (layer >= layers.size()) continue;
    to["layer"] = layers[layer].value("name", "");
    to["layer_index"] = layer;
    const auto shape = layers[layer].value("shape", std::vector<int64_t>{});
    to["shape"] = shape.size() == 4 ? fmt::format("{}x{}x{}", shape[3], shape[2], shape[1])
                                    : fmt::format("{}", fmt::join(shape, "x"));
  }
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

Diagnostics add_names(const Loadable& l, const std::string& path, Json& tasks) {
  const loadable::Blob* blob = l.blob("dlavp-info");
  if (blob == nullptr) return {};
  try {
    add_names(Json::parse(blob->data.begin(), blob->data.end()), tasks);
  } catch (const Json::exception& e) {
    return Diagnostics(Error{"inspect.info", path + ": dlavp-info", e.what()});
  }
  return {};
}

/// By operation: which ones it waits for, and until when.
std::vector<std::string> waits_of(const Json& operations) {
  std::vector<std::string> out(operations.size());
  for (const Json& op : operations)
    for (const Json& c : op.value("consumers", Json::array())) {
      const auto to = c["index"].get<size_t>();
      if (to < out.size())
        out[to] += fmt::format("{}{} {}", out[to].empty() ? "" : ", ", op["index"].get<int>(),
                               c["event"].get<std::string>());
    }
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
    fmt::print("  {:>4} {:<6} {:<26} {:<26} {:<34} {:<22} {}\n", "#", "engine",
               "input (WxHxC @address+offset)", "output", "what", "waits for", "name");
  const std::vector<std::string> waits = waits_of(task["operations"]);
  for (const Json& op : task["operations"]) {
    const size_t index = op["index"].get<size_t>();
    const std::string engine = op["engine"], name = op.value("name", "");
    if (dla)
      fmt::print("  {:>4} {:<6} {:<26} {:<26} {:<34} {:<22} {}\n", index, engine,
                 cube_text(op["cubes"], "src_data"), cube_text(op["cubes"], "dst_data"),
                 detail_text(op), waits[index], name);
    else
      fmt::print("  {:>4} {} over {} channels  {}\n", index, op["fields"].value("kernel", engine),
                 op["src_data"]["channel"].get<int>(), name);
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

int draw(const Json& described, const std::string& path, bool json) {
  const LoadableGraph graph = loadable_graph(described);
  const std::string title =
      std::filesystem::path(described["file"].get<std::string>()).filename().string();
  const std::string picture = loadable_svg(graph, title);
  if (const Diagnostics wrong = write_file(path, picture, "inspect.write"); !wrong.empty())
    return fail(wrong);
  if (json)
    fmt::print("{}\n", Json{{"svg", path}, {"nodes", graph.nodes.size()}}.dump(2));
  else
    fmt::print("{}: {} layers, inputs and outputs\n", path, graph.nodes.size());
  return kDone;
}

}  // namespace

int cmd_inspect(const std::vector<std::string>& args) {
  Cli cli("inspect", "MODEL [--verbose] [--json] [--svg FILE]",
          "Shows what a loadable contains: inputs and outputs, memories, tasks, operations with "
          "their\nsizes and dependencies. --verbose adds every field of every descriptor; --svg "
          "draws its layers, the data\nbetween them, and what lies in the memories over time.",
          {"dlavp inspect model.nvdla", "dlavp inspect model.nvdla --verbose",
           "dlavp inspect model.nvdla --json", "dlavp inspect model.nvdla --svg model.svg"});
  cli.add()("verbose,v", "every field of every descriptor");
  cli.add()("svg", po::value<std::string>(), "write a picture instead of text");
  cli.add_json();
  cli.positional("model", 1);
  if (const auto exit = cli.parse(args)) return *exit;
  const std::string path = cli.has("model") ? cli.texts("model").front() : std::string();
  if (path.empty())
    return fail("cli.missing", "inspect", "no loadable given; see dlavp inspect --help");
  if (const Diagnostics wrong = check_target(cli.text("svg"), "inspect.write");
      cli.has("svg") && !wrong.empty())
    return fail(wrong);
  size_t bytes = 0;
  const Result<Loadable> l = load_file(path, bytes);
  if (!l) return fail(l.errors());
  Result<Json> tasks = describe_tasks(*l, path);
  if (!tasks) return fail(tasks.errors());
  if (const Diagnostics wrong = add_names(*l, path, *tasks); !wrong.empty()) return fail(wrong);
  Json j = {{"file", path}, {"file_bytes", bytes}};
  j.update(describe_container(*l));
  j["tasks"] = std::move(*tasks);
  if (cli.has("svg")) return draw(j, cli.text("svg"), cli.json());
  if (cli.json()) j["graph"] = graph_json(loadable_graph(j));
  if (cli.json())
    fmt::print("{}\n", j.dump(2, ' ', false, Json::error_handler_t::replace));
  else
    print_text(j, cli.has("verbose"));
  return kDone;
}

}  // namespace dlavp::app
