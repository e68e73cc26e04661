#include "apps/dlavp/inspect_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/dlavp/inspect_text.hpp"
#include "compiler/loadable/dla_descriptors.h"

namespace dlavp::app {

namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kMostSurfaces = 1 << 16;

/// Who wrote each byte of a memory last.
class Writers {
 public:
  void write(uint64_t begin, uint64_t end, size_t node) {
    if (begin >= end) return;
    split(begin);
    split(end);
    parts_.erase(parts_.lower_bound(begin), parts_.lower_bound(end));
    parts_[begin] = {end, node};
  }
  void find(uint64_t begin, uint64_t end, std::set<size_t>& out) const {
    auto it = parts_.upper_bound(begin);
    if (it != parts_.begin()) --it;
    for (; it != parts_.end() && it->first < end; ++it)
      if (it->second.first > begin) out.insert(it->second.second);
  }

 private:
  void split(uint64_t at) {
    auto it = parts_.upper_bound(at);
    if (it == parts_.begin()) return;
    --it;
    auto& [begin, part] = *it;
    if (begin == at || part.first <= at) return;
    parts_[at] = part;
    part.first = at;
  }
  std::map<uint64_t, std::pair<uint64_t, size_t>> parts_;
};

/// One operation, with the node it belongs to.
struct Op {
  size_t node = 0;
  std::vector<ByteRange> reads, writes;
};

void merge(std::vector<ByteRange>& ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const ByteRange& a, const ByteRange& b) {
    return std::tie(a.memory, a.begin, a.end) < std::tie(b.memory, b.begin, b.end);
  });
  std::vector<ByteRange> out;
  for (const ByteRange& r : ranges) {
    if (!out.empty() && out.back().memory == r.memory && r.begin <= out.back().end)
      out.back().end = std::max(out.back().end, r.end);
    else
      out.push_back(r);
  }
  ranges = std::move(out);
}

/// A tensor of a core layer with the fields of a cube.
Json as_cube(const Json& t) {
  const auto number = [&t](const char* key) { return t[key].get<uint64_t>(); };
  const uint64_t lanes =
      std::max<uint64_t>(number("atom") / std::max(number("element"), uint64_t{1}), 1);
  const uint64_t surfaces = (number("channels") + lanes - 1) / lanes;
  uint64_t size = number("width") * number("atom");
  if (number("height") != 0) size += (number("height") - 1) * number("line_stride");
  if (surfaces != 0) size += (surfaces - 1) * number("surface_stride");
  return {{"address", t["address"]},
          {"offset", t["offset"]},
          {"size", size},
          {"height", t["height"]},
          {"line_stride", t["line_stride"]},
          {"surf_stride", t["surface_stride"]}};
}

/// The shape of two bands of rows that follow each other: "56x32x64" and "56x24x64".
std::string joined(const std::string& a, const std::string& b) {
  unsigned aw = 0, ah = 0, ac = 0, bw = 0, bh = 0, bc = 0;
  const bool both = std::sscanf(a.c_str(), "%ux%ux%u", &aw, &ah, &ac) == 3 &&
                    std::sscanf(b.c_str(), "%ux%ux%u", &bw, &bh, &bc) == 3;
  if (!both) return a.empty() ? b : a;
  return aw == bw && ac == bc ? fmt::format("{}x{}x{}", aw, ah + bh, ac) : a;
}

/// Surfaces of a cube. A band of rows lies in surfaces that are larger than it: some compilers
/// write the bytes from its first to its last, others those that belong to it.
uint64_t surfaces_of(const Json& cube) {
  const auto number = [&cube](const char* key) { return cube[key].get<uint64_t>(); };
  const uint64_t size = number("size"), surface = number("surf_stride"),
                 line = number("line_stride"), lines = number("height") * line;
  if (surface == 0) return 1;
  const uint64_t width = cube.value("width", uint64_t{0});
  const uint64_t atom = width == 0 || line % width != 0 ? 0 : line / width;
  if (atom != 0) {
    const uint64_t surfaces = (cube.value("channel", uint64_t{0}) + atom - 1) / atom;
    if (surfaces != 0 && size == surfaces * lines) return surfaces;
  }
  return (size + surface - 1) / surface;
}

class Builder {
 public:
  explicit Builder(const Json& described) : j_(described) {}
  LoadableGraph run();

 private:
  struct TaskOps {
    const Json* task;
    std::vector<size_t> first;  ///< by operation: the first one of its chain
    std::vector<size_t> node;   ///< by operation
  };

  void add_memories();
  void add_tensors(unsigned flag, GraphNode::Kind kind);
  void add_task(const Json& task);
  void add_accelerator(const Json& task);
  void add_core(const Json& task);
  [[nodiscard]] std::string layer_key(const Json& op, const Json& task) const;
  size_t node_of(const std::string& key);
  void add_chain(GraphNode& node, const std::vector<const Json*>& chain) const;
  void count_engine(GraphNode& node, const std::string& engine) const;
  /// Byte ranges of a cube, a surface each.
  void ranges(const Json& cube, const Json& task, std::vector<ByteRange>& out) const;
  void connect();

  const Json& j_;
  LoadableGraph out_;
  std::map<std::string, size_t> nodes_;  ///< by key
  std::vector<Op> ops_;                  ///< in the order of execution
  std::vector<std::pair<size_t, size_t>> waits_;
};

void Builder::add_memories() {
  for (const Json& m : j_["memories"]) {
    const auto flags = m["flags"].get<unsigned>();
    std::string what = m["domain"] == "SRAM" ? "SRAM" : "DRAM";
    if ((flags & DLA_MEMORY_INPUT) != 0) what += ", input";
    if ((flags & DLA_MEMORY_OUTPUT) != 0) what += ", output";
    if ((flags & DLA_MEMORY_SET) != 0) what += ", constants";
    out_.memories.push_back({m["id"], m["size"], what});
  }
}

void Builder::add_tensors(unsigned flag, GraphNode::Kind kind) {
  for (const Json& m : j_["memories"]) {
    if ((m["flags"].get<unsigned>() & flag) == 0) continue;
    GraphNode node;
    node.kind = kind;
    node.name = fmt::format("memory {}", m["id"].get<int>());
    for (const Json& t : j_["tensors"]) {
      if (t["mem_id"] != m["id"]) continue;
      node.name = t["name"];
      node.shape = fmt::format("{}x{}x{}", t["w"].get<int>(), t["h"].get<int>(), t["c"].get<int>());
    }
    const std::vector<ByteRange> all{{m["id"], 0, m["size"]}};
    (kind == GraphNode::Kind::kInput ? node.writes : node.reads) = all;
    Op op{out_.nodes.size(), node.reads, node.writes};
    ops_.push_back(std::move(op));
    out_.nodes.push_back(std::move(node));
  }
}

void Builder::ranges(const Json& cube, const Json& task, std::vector<ByteRange>& out) const {
  const auto number = [&cube](const char* key) { return cube[key].get<uint64_t>(); };
  if (cube.value("type", 0) == DLA_CUBE_STREAM || number("size") == 0) return;
  const auto index = cube["address"].get<size_t>();
  const Json& list = task["address_list"];
  const auto address =
      std::find_if(j_["addresses"].begin(), j_["addresses"].end(),
                   [&](const Json& a) { return index < list.size() && a["id"] == list[index]; });
  if (address == j_["addresses"].end()) return;
  const int memory = (*address)["mem_id"];
  const uint64_t begin = (*address)["offset"].get<uint64_t>() + number("offset");
  const uint64_t size = number("size"), surface = number("surf_stride");
  const uint64_t surfaces = surfaces_of(cube), lines = number("height") * number("line_stride");
  if (surfaces < 2 || surfaces > kMostSurfaces) {
    out.push_back({memory, begin, begin + size});
    return;
  }
  const uint64_t length = lines == 0 ? surface : std::min(surface, lines);
  for (uint64_t s = 0; s < surfaces; ++s)
    out.push_back({memory, begin + s * surface, begin + s * surface + length});
}

/// What makes operations one layer: its number where the loadable names layers, else the weights
/// that tiles share.
std::string Builder::layer_key(const Json& op, const Json& task) const {
  if (op.contains("layer")) return fmt::format("layer {}", op["layer_index"].get<size_t>());
  for (const Json& c : op.value("cubes", Json::array()))
    if (c["name"] == "weight_data")
      return fmt::format("weights {} {} {}", task["id"].get<int>(), c["address"].get<int>(),
                         c["offset"].get<uint64_t>());
  return fmt::format("operation {} {}", task["id"].get<int>(), op["index"].get<size_t>());
}

size_t Builder::node_of(const std::string& key) {
  const auto [it, fresh] = nodes_.try_emplace(key, out_.nodes.size());
  if (fresh) out_.nodes.emplace_back();
  return it->second;
}

void Builder::count_engine(GraphNode& node, const std::string& engine) const {
  for (auto& [name, count] : node.engines)
    if (name == engine) {
      ++count;
      return;
    }
  node.engines.emplace_back(engine, 1);
}

void Builder::add_chain(GraphNode& node, const std::vector<const Json*>& chain) const {
  const Json &first = *chain.front(), &last = *chain.back();
  const bool fresh = node.chains.empty();
  if (fresh) {
    node.name = first.contains("layer") ? first["layer"].get<std::string>()
                                        : fmt::format("{} {}", first["engine"].get<std::string>(),
                                                      first["index"].get<size_t>());
    node.detail = detail_text(first);
    if (last.contains("layer") && last["layer"] != first["layer"])
      node.name += " + " + last["layer"].get<std::string>();
  }
  const std::string to = cube_text(last["cubes"], "dst_data");
  const std::string shape = last.value("shape", to.substr(0, to.find(' ')));
  if (fresh || !last.contains("shape")) node.shape = joined(node.shape, shape);
  std::string line = cube_text(first["cubes"], "src_data") + " \u2192 " + to;
  for (const Json* op : chain) {
    count_engine(node, (*op)["engine"]);
    node.macs += op->value("macs", uint64_t{0});
    if (op != chain.front()) line += "  " + detail_text(*op);
  }
  node.chains.push_back(line);
}

void Builder::add_accelerator(const Json& task) {
  const Json& operations = task["operations"];
  const size_t count = operations.size();
  std::vector<std::vector<const Json*>> chains(count);
  std::vector<size_t> nodes(count);
  for (size_t i = 0; i < count; ++i) {
    size_t first = i;
    // A chain has at most as many members as there are operations, even in a broken loadable.
    for (size_t step = 0; step < count && !operations[first]["fused_parent"].is_null(); ++step)
      first = std::min(operations[first]["fused_parent"].get<size_t>(), count - 1);
    nodes[i] = node_of(layer_key(operations[first], task));
    chains[first].push_back(&operations[i]);
    Op op{nodes[i], {}, {}};
    for (const Json& c : operations[i]["cubes"])
      ranges(c, task, c["name"] == "dst_data" ? op.writes : op.reads);
    ops_.push_back(std::move(op));
  }
  for (size_t i = 0; i < count; ++i)
    if (!chains[i].empty()) add_chain(out_.nodes[nodes[i]], chains[i]);
  for (size_t i = 0; i < count; ++i)
    for (const Json& c : operations[i]["consumers"])
      if (c["event"] == "completed" && c["index"].get<size_t>() < count)
        waits_.emplace_back(nodes[i], nodes[c["index"].get<size_t>()]);
}

void Builder::add_core(const Json& task) {
  for (const Json& op : task["operations"]) {
    const size_t index = node_of(layer_key(op, task));
    GraphNode& node = out_.nodes[index];
    const Json &fields = op["fields"], &to = op["dst_data"];
    node.detail = fields.value("kernel", op["engine"].get<std::string>());
    node.name = op.value("layer", fmt::format("{} {}", node.detail, op["index"].get<size_t>()));
    node.shape = op.value("shape", fmt::format("{}x{}x{}", to["width"].get<int>(),
                                               to["height"].get<int>(), to["channel"].get<int>()));
    count_engine(node, "CPU");
    Op done{index, {}, {}};
    if (fields.contains("inputs")) {
      for (const Json& t : fields["inputs"]) ranges(as_cube(t), task, done.reads);
      for (const Json& t : fields["outputs"]) ranges(as_cube(t), task, done.writes);
    } else {
      ranges(op["src_data"], task, done.reads);
      ranges(to, task, done.writes);
    }
    ops_.push_back(std::move(done));
  }
}

void Builder::connect() {
  std::map<int, Writers> memories;
  std::vector<std::set<size_t>> from(out_.nodes.size());
  for (size_t i = 0; i < out_.nodes.size(); ++i) out_.nodes[i].last_reader = i;
  for (const Op& op : ops_) {
    GraphNode& node = out_.nodes[op.node];
    for (const ByteRange& r : op.reads) memories[r.memory].find(r.begin, r.end, from[op.node]);
    for (const ByteRange& r : op.writes) memories[r.memory].write(r.begin, r.end, op.node);
    if (node.kind != GraphNode::Kind::kLayer) continue;
    node.reads.insert(node.reads.end(), op.reads.begin(), op.reads.end());
    node.writes.insert(node.writes.end(), op.writes.begin(), op.writes.end());
  }
  for (size_t i = 0; i < out_.nodes.size(); ++i) {
    merge(out_.nodes[i].reads);
    merge(out_.nodes[i].writes);
    for (const size_t f : from[i]) {
      if (f >= i) continue;
      out_.nodes[i].from.push_back(f);
      out_.nodes[f].last_reader = i;
    }
  }
  std::set<std::pair<size_t, size_t>> waits(waits_.begin(), waits_.end());
  for (const auto& [first, second] : waits)
    if (first < second && from[second].count(first) == 0) out_.nodes[second].after.push_back(first);
}

LoadableGraph Builder::run() {
  add_memories();
  add_tensors(DLA_MEMORY_INPUT, GraphNode::Kind::kInput);
  for (const Json& task : j_["tasks"])
    if (task["interface"] == "DLA")
      add_accelerator(task);
    else
      add_core(task);
  add_tensors(DLA_MEMORY_OUTPUT, GraphNode::Kind::kOutput);
  connect();
  return std::move(out_);
}

}  // namespace

LoadableGraph loadable_graph(const Json& described) { return Builder(described).run(); }

Json graph_json(const LoadableGraph& graph) {
  const auto ranges_json = [](const std::vector<ByteRange>& ranges) {
    Json out = Json::array();
    for (const ByteRange& r : ranges)
      out.push_back({{"memory", r.memory}, {"begin", r.begin}, {"end", r.end}});
    return out;
  };
  Json out = Json::array();
  for (const GraphNode& n : graph.nodes) {
    Json engines = Json::object();
    for (const auto& [engine, count] : n.engines) engines[engine] = count;
    const char* kind = n.kind == GraphNode::Kind::kInput    ? "input"
                       : n.kind == GraphNode::Kind::kOutput ? "output"
                                                            : "layer";
    out.push_back({{"name", n.name},
                   {"kind", kind},
                   {"shape", n.shape},
                   {"operations", engines},
                   {"macs", n.macs},
                   {"from", n.from},
                   {"after", n.after},
                   {"reads", ranges_json(n.reads)},
                   {"writes", ranges_json(n.writes)}});
  }
  return out;
}

}  // namespace dlavp::app
