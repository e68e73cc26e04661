// Descriptors behind a task's address list: decoding of all versions, and each named error.
#include <catch2/catch.hpp>
#include <functional>

#include "compiler/loadable/task_view.hpp"
#include "compiler/loadable/tests/small_loadable.hpp"

using namespace dlavp;
using namespace dlavp::loadable;
using loadable::testing::bytes_of;
using loadable::testing::cube;
using loadable::testing::small_loadable;

namespace {

template <typename T>
void edit(Blob& blob, const std::function<void(T&)>& change) {
  T value;
  std::memcpy(&value, blob.data.data(), sizeof(T));
  change(value);
  std::memcpy(blob.data.data(), &value, sizeof(T));
}

Diagnostics dla_errors(const std::function<void(Loadable&)>& damage) {
  Loadable l = small_loadable();
  damage(l);
  REQUIRE(validate(l).empty());
  const Result<DlaTask> task = read_dla_task(l, l.tasks[0]);
  REQUIRE_FALSE(task.ok());
  return task.errors();
}

/// Turns the small loadable into one with a single CPU operation (old: without scale factors).
Loadable emu_loadable(bool old_layout) {
  Loadable l = small_loadable();
  l.tasks[0].interface = DLA_INTERFACE_EMU;
  DlaEmuNetwork network{};
  network.operation_desc_index = 4;
  network.operation_buffer_desc_index = 5;
  network.num_operations = 1;
  l.blobs[0].data = bytes_of(network);
  if (old_layout) {
    std::vector<uint8_t> op(16);
    op[0] = DLA_EMU_SOFTMAX;
    op[1] = 1;
    l.blobs[2].data = op;
    std::vector<uint8_t> buffers(512);
    const std::vector<uint8_t> source = {1, 0, 128, 0,  0, 0, 2, 0,  3, 0, 4,
                                         0, 5, 0,   32, 0, 0, 0, 64, 0, 0, 0};
    std::copy(source.begin(), source.end(), buffers.begin());
    buffers[256] = 2;
    l.blobs[3].data = buffers;
  } else {
    DlaEmuOp op{};
    op.op_type = DLA_EMU_POWER;
    op.input_scale_factor = 0.5F;
    op.u.power.power = 2.0F;
    DlaEmuBuffers buffers{};
    buffers.src_data.address = 1;
    buffers.src_data.size = 128;
    buffers.dst_data.address = 2;
    l.blobs[2].data = bytes_of(op);
    l.blobs[3].data = bytes_of(buffers);
  }
  for (const size_t i : {0U, 2U, 3U}) {
    const size_t memory = i == 0 ? 0 : i + 2;
    l.memories[memory].size = l.addresses[memory].size = l.blobs[i].data.size();
  }
  return l;
}

/// The same with a core layer, whose block lies where the dependency graph lay.
Loadable core_loadable() {
  Loadable l = emu_loadable(false);
  struct DLA_PACKED Block {
    DlaCoreHeader header;
    DlaCoreTensor input, output;
  };
  Block block{};
  block.header.magic = CORE_MAGIC;
  block.header.kernel = CORE_RESIZE;
  block.header.num_inputs = block.header.num_outputs = 1;
  block.input.address = 1;
  block.output.address = 2;
  block.output.width = 9;
  l.blobs[1].data = bytes_of(block);
  l.memories[3].size = l.addresses[3].size = sizeof block;
  const DlaCoreReference reference{3, 0, 0, sizeof block};
  edit<DlaEmuOp>(l.blobs[2], [&](DlaEmuOp& op) {
    op.op_type = DLA_EMU_CORE;
    std::memcpy(&op.u, &reference, sizeof reference);
  });
  return l;
}

}  // namespace

TEST_CASE("task view: a task of version 0.12 is decoded as written") {
  const Loadable l = small_loadable();
  const Result<DlaTask> task = read_dla_task(l, l.tasks[0]);
  REQUIRE(task.ok());
  CHECK(task->version == Version{0, 12, 3});
  REQUIRE(task->operations.size() == 1);
  const DlaEntry& e = task->operations[0];
  CHECK(e.dependency.op_type == DLA_ENGINE_PDP);
  CHECK(+e.operation.pdp.stride_x == 2);
  CHECK(uint16_t{e.surface.pair.dst_data.width} == 2);
  CHECK(cubes_of(e).size() == 2);
}

TEST_CASE("task view: cubes of versions 0.10 and 0.11 get an offset of zero") {
  for (const uint8_t minor : {uint8_t{10}, uint8_t{11}}) {
    Loadable l = small_loadable();
    for (Blob& b : l.blobs) b.version = {0, minor, 0};
    std::vector<uint8_t>& surfaces = l.blobs[3].data;
    std::fill(surfaces.begin(), surfaces.end(), uint8_t{0});
    const DlaCubeV11 src{DLA_CUBE_DRAM, 1, 128, 4, 4, 8, 0, 32, 128, 0};
    const DlaCubeV11 dst{DLA_CUBE_DRAM, 2, 32, 2, 2, 8, 0, 16, 32, 0};
    std::memcpy(surfaces.data(), &src, sizeof(src));
    std::memcpy(surfaces.data() + sizeof(src), &dst, sizeof(dst));
    const Result<DlaTask> task = read_dla_task(l, l.tasks[0]);
    REQUIRE(task.ok());
    const DlaCube wide = task->operations[0].surface.pair.dst_data;
    CHECK(wide.offset == 0U);
    CHECK(wide.address == 2);
    CHECK(wide.size == 32U);
    CHECK(wide.surf_stride == 32U);
  }
}

TEST_CASE("task view: the trailing fields of an old convolution surface are kept") {
  Loadable l = small_loadable();
  for (Blob& b : l.blobs) b.version = {0, 10, 0};
  edit<DlaDependency>(l.blobs[1], [](DlaDependency& d) { d.op_type = DLA_ENGINE_CONV; });
  std::vector<uint8_t>& bytes = l.blobs[3].data;
  std::fill(bytes.begin(), bytes.end(), uint8_t{0});
  for (const size_t i : {0U, 3U}) bytes[i * sizeof(DlaCubeV11) + 2] = 1;
  bytes[4 * sizeof(DlaCubeV11)] = DLA_CUBE_STREAM;
  bytes[5 * sizeof(DlaCubeV11) + 8] = 48;  // in_line_uv_stride
  const Result<DlaTask> task = read_dla_task(l, l.tasks[0]);
  REQUIRE(task.ok());
  CHECK(uint32_t{task->operations[0].surface.conv.in_line_uv_stride} == 48);
  CHECK(uint16_t{task->operations[0].surface.conv.dst_data.type} == DLA_CUBE_STREAM);
}

TEST_CASE("task view: each broken descriptor is named") {
  struct Case {
    const char* id;
    std::function<void(Loadable&)> damage;
  };
  const auto network = [](const std::function<void(DlaNetwork&)>& f) {
    return [f](Loadable& l) { edit<DlaNetwork>(l.blobs[0], f); };
  };
  const auto node = [](const std::function<void(DlaDependency&)>& f) {
    return [f](Loadable& l) { edit<DlaDependency>(l.blobs[1], f); };
  };
  const auto surface = [](const std::function<void(DlaPairSurface&)>& f) {
    return [f](Loadable& l) { edit<DlaPairSurface>(l.blobs[3], f); };
  };
  const std::vector<Case> cases = {
      {"loadable.interface_version", [](Loadable& l) { l.blobs[0].version.minor = 9; }},
      {"loadable.operations", network([](DlaNetwork& n) { n.num_operations = 0; })},
      {"loadable.list_index", network([](DlaNetwork& n) { n.surface_desc_index = 6; })},
      {"loadable.list_index", network([](DlaNetwork& n) { n.dependency_graph_index = -1; })},
      {"loadable.list_size", network([](DlaNetwork& n) { n.num_operations = 2; })},
      {"loadable.list_missing", network([](DlaNetwork& n) { n.operation_desc_index = 1; })},
      {"loadable.list_index", network([](DlaNetwork& n) { n.num_luts = 1; })},
      {"loadable.op_type", node([](DlaDependency& d) { d.op_type = 6; })},
      {"loadable.dependency", node([](DlaDependency& d) { d.consumers[2].index = 1; })},
      {"loadable.dependency", node([](DlaDependency& d) { d.fused_parent.index = -2; })},
      {"loadable.lut_index", node([](DlaDependency& d) { d.op_type = DLA_ENGINE_CDP; })},
      {"loadable.cube_type", surface([](DlaPairSurface& s) { s.src_data.type = 3; })},
      {"loadable.cube_address", surface([](DlaPairSurface& s) { s.src_data.address = 6; })},
      {"loadable.cube_range", surface([](DlaPairSurface& s) { s.dst_data.offset = 1; })},
  };
  for (const Case& c : cases) {
    INFO(c.id);
    CHECK(dla_errors(c.damage).has(c.id));
  }
}

TEST_CASE("task view: too many copy transfers are refused") {
  const Diagnostics errors = dla_errors([](Loadable& l) {
    edit<DlaDependency>(l.blobs[1], [](DlaDependency& d) { d.op_type = DLA_ENGINE_BDMA; });
    edit<DlaBdmaSurface>(l.blobs[3], [](DlaBdmaSurface& s) { s.num_transfers = 21; });
  });
  CHECK(errors.has("loadable.bdma_transfers"));
}

TEST_CASE("task view: CPU operations of both layouts are decoded") {
  const Loadable now = emu_loadable(false);
  const Result<EmuTask> power = read_emu_task(now, now.tasks[0]);
  REQUIRE(power.ok());
  CHECK(float{power->operations[0].operation.input_scale_factor} == 0.5F);
  CHECK(float{power->operations[0].operation.u.power.power} == 2.0F);

  const Loadable before = emu_loadable(true);
  const Result<EmuTask> softmax = read_emu_task(before, before.tasks[0]);
  REQUIRE(softmax.ok());
  const EmuEntry& e = softmax->operations[0];
  CHECK(+e.operation.op_type == DLA_EMU_SOFTMAX);
  CHECK(+e.operation.u.axis == 1);
  CHECK(float{e.operation.input_scale_factor} == 1.0F);
  CHECK(uint32_t{e.buffers.src_data.size} == 128);
  CHECK(uint16_t{e.buffers.src_data.format} == DLA_EMU_FP16);
  CHECK(uint16_t{e.buffers.src_data.channel} == 5);
  CHECK(uint32_t{e.buffers.src_data.surf_stride} == 64);
  CHECK(int16_t{e.buffers.dst_data.address} == 2);
}

TEST_CASE("task view: a core layer shows its kernel and tensors") {
  Loadable l = core_loadable();
  const Result<EmuTask> task = read_emu_task(l, l.tasks[0]);
  REQUIRE(task.ok());
  const auto& core = task->operations[0].core;
  REQUIRE(core);
  CHECK(core->kernel_name() == "resize");
  REQUIRE(core->inputs.size() == 1);
  REQUIRE(core->outputs.size() == 1);
  CHECK(uint32_t{core->outputs[0].width} == 9);
  edit<DlaCoreHeader>(l.blobs[1], [](DlaCoreHeader& h) {
    h.kernel = CORE_CUSTOM;
    std::memcpy(h.name, "swish", 5);
  });
  CHECK(read_emu_task(l, l.tasks[0])->operations[0].core->kernel_name() == "swish");
}

TEST_CASE("task view: each broken core block is named") {
  const auto errors_of = [](const std::function<void(Loadable&)>& damage) {
    Loadable l = core_loadable();
    damage(l);
    const Result<EmuTask> task = read_emu_task(l, l.tasks[0]);
    REQUIRE_FALSE(task.ok());
    return task.errors();
  };
  const auto reference = [](const DlaCoreReference& value) {
    return [value](Loadable& l) {
      edit<DlaEmuOp>(l.blobs[2], [&](DlaEmuOp& op) { std::memcpy(&op.u, &value, sizeof value); });
    };
  };
  CHECK(errors_of(reference({3, 0, 0, 55})).has("loadable.core_block"));
  CHECK(errors_of(reference({3, 0, 0, 57})).has("loadable.core_block"));
  CHECK(errors_of(reference({3, 0, 4, 132})).has("loadable.core_block"));
  CHECK(errors_of(reference({3, 0, 1, 136})).has("loadable.list_size"));
  CHECK(errors_of(reference({9, 0, 0, 136})).has("loadable.list_index"));
  CHECK(errors_of([](Loadable& l) {
          edit<DlaCoreHeader>(l.blobs[1], [](DlaCoreHeader& h) { h.num_inputs = 2; });
        }).has("loadable.core_block"));
}

TEST_CASE("task view: each broken CPU operation is named") {
  const auto errors_of = [](const std::function<void(Loadable&)>& damage) {
    Loadable l = emu_loadable(false);
    damage(l);
    const Result<EmuTask> task = read_emu_task(l, l.tasks[0]);
    REQUIRE_FALSE(task.ok());
    return task.errors();
  };
  CHECK(errors_of([](Loadable& l) {
          edit<DlaEmuOp>(l.blobs[2], [](DlaEmuOp& o) { o.op_type = 2; });
        }).has("loadable.emu_op_type"));
  CHECK(errors_of([](Loadable& l) {
          edit<DlaEmuBuffer>(l.blobs[3], [](DlaEmuBuffer& b) { b.address = 6; });
        }).has("loadable.emu_address"));
  CHECK(errors_of([](Loadable& l) {
          edit<DlaEmuBuffer>(l.blobs[3], [](DlaEmuBuffer& b) { b.size = 129; });
        }).has("loadable.emu_range"));
}
