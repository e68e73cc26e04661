// A small valid loadable for the tests: one DLA task with one pooling operation on an int8 cube of
// 4x4x8, and the pieces a test bends to provoke each error.
#pragma once

#include <cstring>
#include <vector>

#include "compiler/loadable/dla_descriptors.h"
#include "compiler/loadable/loadable.hpp"

namespace dlavp::loadable::testing {

template <typename T>
std::vector<uint8_t> bytes_of(const T& value) {
  std::vector<uint8_t> out(sizeof(T));
  std::memcpy(out.data(), &value, sizeof(T));
  return out;
}

inline DlaCube cube(int16_t address, uint16_t width, uint16_t height, uint16_t channels) {
  const uint32_t line = width * 8U;
  const uint32_t surface = line * height;
  return {DLA_CUBE_DRAM, address, 0, surface * ((channels + 7U) / 8U), width, height, channels, 0,
          line,          surface, 0};
}

inline DlaNetwork small_network() {
  DlaNetwork network{};
  network.dependency_graph_index = 3;
  network.operation_desc_index = 4;
  network.surface_desc_index = 5;
  network.lut_data_index = network.roi_array_index = network.surface_index =
      network.stat_list_index = network.input_layer = DLA_NO_INDEX;
  for (int e = 0; e < DLA_ENGINE_COUNT; ++e) network.op_head[e] = DLA_NO_INDEX;
  network.op_head[DLA_ENGINE_PDP] = 0;
  network.num_operations = 1;
  network.num_addresses = 6;
  return network;
}

/// Dependency graph, operation list and surface list of a 2x2 maximum pool from address 1 to 2.
inline std::vector<Blob> small_blobs() {
  DlaDependency node{};
  node.op_type = DLA_ENGINE_PDP;
  for (DlaConsumer& c : node.consumers) c.index = DLA_NO_INDEX;
  node.fused_parent.index = DLA_NO_INDEX;
  DlaOperation op;
  std::memset(&op, 0, sizeof(op));
  op.pdp.pool_mode = DLA_POOL_MAX;
  op.pdp.pool_width = op.pdp.pool_height = 1;
  op.pdp.stride_x = op.pdp.stride_y = 2;
  op.pdp.split_num = 1;
  DlaSurface surface;
  std::memset(&surface, 0, sizeof(surface));
  surface.pair.src_data = cube(1, 4, 4, 8);
  surface.pair.dst_data = cube(2, 2, 2, 8);
  const Version v{0, 12, 3};
  return {{"task-0-addr0", DLA_INTERFACE_DLA, DLA_BLOB_NETWORK, v, bytes_of(small_network())},
          {"task-0-dep_graph", DLA_INTERFACE_DLA, DLA_BLOB_DEPENDENCIES, v, bytes_of(node)},
          {"task-0-op_list", DLA_INTERFACE_DLA, DLA_BLOB_OPERATIONS, v, bytes_of(op)},
          {"task-0-surf_list", DLA_INTERFACE_DLA, DLA_BLOB_SURFACES, v, bytes_of(surface)}};
}

inline Tensor small_tensor(const char* name, uint16_t id, uint16_t memory, int32_t side) {
  const auto line = static_cast<uint32_t>(side) * 8;
  const uint32_t surface = line * static_cast<uint32_t>(side);
  Tensor t;
  t.name = name;
  t.id = id;
  t.mem_id = memory;
  t.size = surface;
  t.data_format = DLA_TENSOR_NCXHWX;
  t.data_type = DLA_TENSOR_INT8;
  t.data_category = DLA_TENSOR_FEATURE;
  t.pixel_format = DLA_FORMAT_FEATURE;
  t.n = 1;
  t.c = 8;
  t.h = t.w = side;
  t.stride = {1, line, surface};
  return t;
}

/// Address list: 0 network, 1 input, 2 output, 3 dependency graph, 4 operations, 5 surfaces.
inline Loadable small_loadable() {
  Loadable l;
  l.blobs = small_blobs();
  const auto holding = [&l](uint16_t id, size_t blob) {
    const Blob& b = l.blobs[blob];
    return Memory{id, 0, DLA_MEMORY_ALLOC | DLA_MEMORY_SET, b.data.size(), 4096, {b.name}, {0},
                  0,  0};
  };
  l.memories = {holding(0, 0),
                {1, 0, DLA_MEMORY_ALLOC | DLA_MEMORY_INPUT, 128, 4096, {}, {}, 0, 0},
                {2, 0, DLA_MEMORY_ALLOC | DLA_MEMORY_OUTPUT, 32, 4096, {}, {}, 0, 1},
                holding(3, 1),
                holding(4, 2),
                holding(5, 3)};
  for (const Memory& m : l.memories) l.addresses.push_back({m.id, m.id, 0, m.size});
  l.tasks = {{0, DLA_INTERFACE_DLA, -1, {0, 1, 2, 3, 4, 5}, {}, {0}}};
  l.events = {{0, 0, 0, 1, DLA_EVENT_ACTION_SIGNAL}};
  l.tensors = {small_tensor("data", 0, 1, 4), small_tensor("pool", 1, 2, 2)};
  l.relocs = {{1, 5, 20, DLA_INTERFACE_DLA, DLA_BLOB_SURFACES, 1}};
  l.submits = {{0, {0}}};
  return l;
}

}  // namespace dlavp::loadable::testing
