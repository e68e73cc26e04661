#include "vp/host/network.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sw/core/loadable.h"

namespace dlavp::vp {

namespace {

using Json = nlohmann::json;

// Codes of the loadable's lists.
constexpr uint16_t kInput = 4, kOutput = 8;
constexpr uint8_t kNcxhwx = 3;

std::string text(const Loadable& l, const FbVector& v) {
  return {reinterpret_cast<const char*>(l.buffer.data + v.position), v.count};
}

IoTensor io_tensor(const Loadable& l, const LoadableMemory& memory) {
  IoTensor out;
  out.bind_id = memory.bind_id;
  out.bytes = memory.bytes;
  LoadableTensor t;
  if (!loadable_tensor_of(&l, &memory, &t)) {
    out.name = fmt::format("memory {}", memory.id);
    return out;
  }
  out.name = text(l, t.name);
  out.described = t.c > 0 && t.h > 0 && t.w > 0;
  out.pixel_format = t.pixel_format;
  // Formats from 36 on are features; NVIDIA's test loadables call theirs NCHW.
  out.feature = t.data_format == kNcxhwx || t.pixel_format >= 36;
  out.channels = static_cast<uint32_t>(t.c);
  out.height = static_cast<uint32_t>(t.h);
  out.width = static_cast<uint32_t>(t.w);
  out.line_bytes = t.strides[1];
  out.surface_bytes = t.strides[2];
  return out;
}

void apply_tensor(const Json& info, std::vector<IoTensor>& tensors) {
  for (const Json& entry : info)
    for (IoTensor& t : tensors) {
      if (t.bind_id != entry.at("bind_id").get<uint32_t>()) continue;
      t.name = entry.value("name", t.name);
      if (entry.contains("scale")) t.scale = entry.at("scale").get<float>();
      t.zero_point = entry.value("zero_point", 0);
      if (entry.contains("mean")) t.mean = entry.at("mean").get<std::vector<float>>();
      const auto shape = entry.value("shape", std::vector<uint32_t>{});
      if (shape.size() == 4) t.network_channels = shape[1];
    }
}

std::pair<uint32_t, uint32_t> place_of(const OperationName& op) { return {op.task, op.index}; }

void apply_info(const Json& info, Network& network) {
  network.config = info.value("config", "");
  apply_tensor(info.value("inputs", Json::array()), network.inputs);
  apply_tensor(info.value("outputs", Json::array()), network.outputs);
  for (const Json& layer : info.value("layers", Json::array()))
    network.layers.push_back(layer.value("name", ""));
  for (const Json& op : info.value("operations", Json::array())) {
    const size_t layer = op.value("layer", network.layers.size());
    network.operations.push_back(
        {op.at("task").get<uint32_t>(), op.at("index").get<uint32_t>(), op.value("name", ""),
         layer < network.layers.size() ? std::optional(layer) : std::nullopt,
         op.value("macs", uint64_t{0})});
  }
  std::ranges::sort(network.operations, {}, place_of);
  network.labels = info.value("labels", std::vector<std::string>{});
}

}  // namespace

const OperationName* Network::operation(uint32_t task, uint32_t index) const {
  const auto key = std::pair(task, index);
  const auto at = std::ranges::lower_bound(operations, key, {}, place_of);
  return at != operations.end() && place_of(*at) == key ? &*at : nullptr;
}

Result<Network> read_network(std::span<const uint8_t> bytes, const std::string& place) {
  Loadable l;
  FwError error;
  fw_error_clear(&error);
  if (!loadable_open(&l, bytes.data(), bytes.size(), &error))
    return Error{fw_code_name(error.code), place, error.text};
  Network network;
  for (uint32_t i = 0; i < l.memories.count; ++i) {
    LoadableMemory memory;
    if (!loadable_memory(&l, i, &memory)) continue;
    if ((memory.flags & kInput) != 0) network.inputs.push_back(io_tensor(l, memory));
    if ((memory.flags & kOutput) != 0) network.outputs.push_back(io_tensor(l, memory));
  }
  const auto by_bind_id = [](const IoTensor& a, const IoTensor& b) {
    return a.bind_id < b.bind_id;
  };
  std::stable_sort(network.inputs.begin(), network.inputs.end(), by_bind_id);
  std::stable_sort(network.outputs.begin(), network.outputs.end(), by_bind_id);
  for (uint32_t i = 0; i < l.blobs.count; ++i) {
    LoadableBlob blob;
    if (!loadable_blob(&l, i, &blob) || text(l, blob.name) != "dlavp-info") continue;
    try {
      apply_info(Json::parse(text(l, blob.data)), network);
    } catch (const Json::exception& e) {
      return Error{"run.info", place + ": dlavp-info", e.what()};
    }
  }
  return network;
}

Diagnostics check_config(const Network& network, const HwConfig& hw, const std::string& place) {
  Diagnostics errors;
  if (!network.config.empty() && network.config != hw.name)
    errors.add("run.config", place,
               fmt::format("compiled for {}, the accelerator is {}", network.config, hw.name));
  if (!network.config.empty()) return errors;
  // NVIDIA's loadables do not name their configuration; a packed feature tensor shows its atom.
  for (const auto* list : {&network.inputs, &network.outputs})
    for (const IoTensor& t : *list) {
      if (!t.described || !t.feature || t.line_bytes % t.width != 0) continue;
      const uint32_t atom = t.line_bytes / t.width;
      const bool plausible = atom == 8 || atom == 16 || atom == 32 || atom == 64;
      if (plausible && atom != hw.memory_atomic_size)
        errors.add("run.config", place,
                   fmt::format("tensor {} has atoms of {} bytes, {} has {}", t.name, atom, hw.name,
                               hw.memory_atomic_size));
    }
  return errors;
}

}  // namespace dlavp::vp
