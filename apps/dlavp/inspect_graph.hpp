// A loadable as a graph of layers: operations of one layer (its tiles, and what is joined to them
// on the fly) are one node, edges follow the data through memory. Made from the loadable's
// description, for any compiler's loadable; names are there where the loadable has dlavp-info.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dlavp::app {

/// Bytes [begin, end) of a memory.
struct ByteRange {
  int memory = 0;
  uint64_t begin = 0, end = 0;
};

struct GraphNode {
  enum class Kind : uint8_t { kInput, kLayer, kOutput };
  Kind kind = Kind::kLayer;
  std::string name, shape, detail;
  std::vector<std::pair<std::string, size_t>> engines;  ///< and their numbers of operations
  std::vector<std::string> chains;       ///< operations joined on the fly, one line each
  uint64_t macs = 0;                     ///< 0: not known
  std::vector<ByteRange> reads, writes;  ///< merged, by memory and place
  std::vector<size_t> from;              ///< earlier nodes whose data it reads
  std::vector<size_t> after;             ///< other earlier nodes whose completion it waits for
  size_t last_reader = 0;                ///< of what it writes; itself if nobody reads it
};

struct GraphMemory {
  int id = 0;
  uint64_t size = 0;
  std::string what;  ///< "DRAM, input"
};

struct LoadableGraph {
  std::vector<GraphNode> nodes;  ///< inputs, layers in the order of execution, outputs
  std::vector<GraphMemory> memories;
};

/// `described`: what `dlavp inspect --json` prints, with the names of operations and layers.
[[nodiscard]] LoadableGraph loadable_graph(const nlohmann::ordered_json& described);

/// Nodes with the indices of those that they follow.
[[nodiscard]] nlohmann::ordered_json graph_json(const LoadableGraph& graph);

}  // namespace dlavp::app
