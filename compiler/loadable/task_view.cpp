// Decodes a task's descriptors. Everything here reads bytes that a user handed in, so each index
// and length is checked before use and each failure names the task, the operation and both values.
#include "compiler/loadable/task_view.hpp"

#include <array>
#include <cstring>
#include <optional>
#include <set>

namespace dlavp::loadable {
namespace {

/// The bytes behind one position of a task's address list.
struct Window {
  std::vector<uint8_t> bytes;
  Version version;
};

class Reader {
 public:
  Reader(const Loadable& loadable, const Task& task)
      : loadable_(loadable), task_(task), place_(fmt::format("task {}", task.id)) {}

  Diagnostics errors;
  [[nodiscard]] const std::string& place() const { return place_; }
  [[nodiscard]] size_t address_count() const { return task_.address_list.size(); }

  [[nodiscard]] const Address* address(int index) const {
    if (index < 0 || static_cast<size_t>(index) >= task_.address_list.size()) return nullptr;
    return loadable_.address(task_.address_list[static_cast<size_t>(index)]);
  }
  /// Bytes from the start of the address to the end of its memory.
  [[nodiscard]] uint64_t reach(const Address& a) const {
    return loadable_.memory(a.mem_id)->size - a.offset;
  }

  /// Constants behind address list position `index`, at least `bytes` of them.
  std::optional<Window> window(const char* what, int index, uint64_t bytes) {
    const Address* a = address(index);
    if (a == nullptr) {
      errors.add(
          "loadable.list_index", place_,
          fmt::format("{}: index {} of an address list of {}", what, index, address_count()));
      return std::nullopt;
    }
    const Memory& memory = *loadable_.memory(a->mem_id);
    for (size_t i = 0; i < memory.contents.size(); ++i) {
      const Blob* blob = loadable_.blob(memory.contents[i]);
      if (blob == nullptr || a->offset < memory.offsets[i]) continue;
      const uint64_t skip = a->offset - memory.offsets[i];
      if (skip >= blob->data.size()) continue;
      if (blob->data.size() - skip < bytes) {
        errors.add("loadable.list_size", place_,
                   fmt::format("{}: blob '{}' holds {} bytes, expected at least {}", what,
                               blob->name, blob->data.size() - skip, bytes));
        return std::nullopt;
      }
      return Window{{blob->data.begin() + static_cast<ptrdiff_t>(skip), blob->data.end()},
                    blob->version};
    }
    errors.add("loadable.list_missing", place_,
               fmt::format("{}: no blob at address {}", what, a->id));
    return std::nullopt;
  }

 private:
  const Loadable& loadable_;
  const Task& task_;
  std::string place_;
};

template <typename T>
T load(const std::vector<uint8_t>& bytes, size_t offset) {
  T out;
  std::memcpy(&out, bytes.data() + offset, sizeof(T));
  return out;
}

/// Number of cubes at the start of an engine's surface container.
size_t cube_count(unsigned op_type) {
  switch (op_type) {
    case DLA_ENGINE_CONV:
    case DLA_ENGINE_SDP:
      return 5;
    case DLA_ENGINE_BDMA:
      return 0;
    default:
      return 2;
  }
}

/// A surface container with 28-byte cubes, in the layout of 0.12.
DlaSurface widen_surface(const uint8_t* old, unsigned op_type) {
  DlaSurface out;
  const size_t cubes = cube_count(op_type);
  std::memset(&out, 0, sizeof(out));
  auto* to = reinterpret_cast<uint8_t*>(&out);
  for (size_t i = 0; i < cubes; ++i) {
    DlaCubeV11 c;
    std::memcpy(&c, old + i * sizeof(c), sizeof(c));
    const DlaCube wide{c.type,        c.address, 0,           c.size,        c.width,
                       c.height,      c.channel, c.reserved0, c.line_stride, c.surf_stride,
                       c.plane_stride};
    std::memcpy(to + i * sizeof(wide), &wide, sizeof(wide));
  }
  std::memcpy(to + cubes * sizeof(DlaCube), old + cubes * sizeof(DlaCubeV11),
              sizeof(DlaSurface) - cubes * sizeof(DlaCube));
  return out;
}

void check_cube(Reader& r, const std::string& place, const NamedCube& named) {
  const DlaCube c = *named.cube;
  if (c.type > DLA_CUBE_STREAM) {
    r.errors.add("loadable.cube_type", place,
                 fmt::format("{}: type {}, known 0 to 2", named.name, c.type));
    return;
  }
  if (c.type == DLA_CUBE_STREAM) return;
  const Address* a = r.address(c.address);
  if (a == nullptr) {
    r.errors.add("loadable.cube_address", place,
                 fmt::format("{}: address {} of an address list of {}", named.name, c.address,
                             r.address_count()));
    return;
  }
  const uint64_t reach = r.reach(*a);
  if (uint64_t{c.offset} + c.size > reach)
    r.errors.add("loadable.cube_range", place,
                 fmt::format("{}: {} bytes at {} end after the {} bytes of address {}", named.name,
                             c.size, c.offset, reach, a->id));
}

void check_transfers(Reader& r, const std::string& place, const DlaEntry& entry) {
  const unsigned count = entry.surface.bdma.num_transfers;
  if (count > DLA_BDMA_TRANSFERS) {
    r.errors.add("loadable.bdma_transfers", place,
                 fmt::format("{} transfers, at most {}", count, +DLA_BDMA_TRANSFERS));
    return;
  }
  for (unsigned i = 0; i < count; ++i)
    for (const int address : {int{entry.surface.bdma.transfers[i].source_address},
                              int{entry.surface.bdma.transfers[i].destination_address}})
      if (r.address(address) == nullptr)
        r.errors.add("loadable.cube_address", place,
                     fmt::format("transfer {}: address {} of an address list of {}", i, address,
                                 r.address_count()));
}

void check_lut(Reader& r, const std::string& place, const DlaEntry& entry, size_t luts) {
  int index = DLA_NO_INDEX;
  if (entry.dependency.op_type == DLA_ENGINE_CDP) {
    index = entry.operation.cdp.lut_index;
  } else if (entry.dependency.op_type == DLA_ENGINE_SDP) {
    const DlaSdpOp& sdp = entry.operation.sdp;
    if (sdp.y_op.enable == 0 || sdp.y_op.act != DLA_ACT_LUT) return;
    index = sdp.lut_index;
  }
  if (index >= static_cast<int>(luts))
    r.errors.add("loadable.lut_index", place, fmt::format("LUT {} of {}", index, luts));
}

void check_entry(Reader& r, const DlaEntry& entry, size_t number, size_t operations, size_t luts) {
  const DlaDependency& d = entry.dependency;
  const std::string place = fmt::format("{}: operation {}", r.place(), number);
  const auto check_reference = [&](const DlaConsumer& c, const std::string& what) {
    if (c.index < DLA_NO_INDEX || c.index >= static_cast<int>(operations))
      r.errors.add("loadable.dependency", place,
                   fmt::format("{} is operation {} of {}", what, int{c.index}, operations));
  };
  for (size_t e = 0; e < DLA_ENGINE_COUNT; ++e)
    check_reference(d.consumers[e],
                    fmt::format("consumer {}", engine_name(static_cast<unsigned>(e))));
  check_reference(d.fused_parent, "fused parent");
  for (const NamedCube& cube : cubes_of(entry)) check_cube(r, place, cube);
  if (d.op_type == DLA_ENGINE_BDMA) check_transfers(r, place, entry);
  check_lut(r, place, entry, luts);
}

void read_luts(Reader& r, DlaTask& out) {
  const size_t count = out.network.num_luts;
  if (count == 0) return;
  const auto list = r.window("LUT list", out.network.lut_data_index, count * sizeof(DlaLut));
  if (!list) return;
  for (size_t i = 0; i < count; ++i)
    out.luts.push_back(load<DlaLut>(list->bytes, i * sizeof(DlaLut)));
}

void read_operations(Reader& r, DlaTask& out) {
  const size_t count = out.network.num_operations;
  const auto graph = r.window("dependency graph", out.network.dependency_graph_index,
                              count * sizeof(DlaDependency));
  const auto operations =
      r.window("operation list", out.network.operation_desc_index, count * sizeof(DlaOperation));
  const auto surfaces =
      r.window("surface list", out.network.surface_desc_index, count * sizeof(DlaSurface));
  if (!graph || !operations || !surfaces) return;
  const bool old_cubes = out.version.minor < 12;
  for (size_t i = 0; i < count; ++i) {
    DlaEntry e;
    e.dependency = load<DlaDependency>(graph->bytes, i * sizeof(DlaDependency));
    if (e.dependency.op_type >= DLA_ENGINE_COUNT) {
      r.errors.add("loadable.op_type", fmt::format("{}: operation {}", r.place(), i),
                   fmt::format("engine {}, known 0 to 5", e.dependency.op_type));
      continue;
    }
    e.operation = load<DlaOperation>(operations->bytes, i * sizeof(DlaOperation));
    e.surface = old_cubes ? widen_surface(surfaces->bytes.data() + i * sizeof(DlaSurface),
                                          e.dependency.op_type)
                          : load<DlaSurface>(surfaces->bytes, i * sizeof(DlaSurface));
    out.operations.push_back(e);
  }
}

/// The first interface's buffers carried a precision; int8 was always in atoms of 32.
uint16_t emu_format(uint16_t precision) {
  if (precision == DLA_FP16) return DLA_EMU_FP16;
  return precision == DLA_INT16 ? DLA_EMU_INT16 : DLA_EMU_INT8_ATOM32;
}

/// CPU operations of the first interface: one packed byte, then the floats; no scale factors.
EmuEntry widen_emu(const uint8_t* op, const uint8_t* buffers) {
  EmuEntry out;
  std::memset(&out.operation, 0, sizeof out.operation);
  std::memset(&out.buffers, 0, sizeof out.buffers);
  out.operation.op_type = op[0];
  out.operation.input_scale_factor = out.operation.output_scale_factor = 1.0F;
  if (op[0] == DLA_EMU_POWER)
    std::memcpy(&out.operation.u.power, op + 1, sizeof(out.operation.u.power));
  else
    out.operation.u.axis = op[1];
  for (int i = 0; i < 2; ++i) {
    DlaEmuBuffer& b = i == 0 ? out.buffers.src_data : out.buffers.dst_data;
    const uint8_t* from = buffers + static_cast<size_t>(i) * sizeof(DlaEmuBuffer);
    std::memcpy(&b.address, from, sizeof(b.address));
    constexpr size_t kAfterOffset = 20;  // size to surf_stride, contiguous in both layouts
    std::memcpy(reinterpret_cast<uint8_t*>(&b) + offsetof(DlaEmuBuffer, size),
                from + sizeof(b.address), kAfterOffset);
    b.format = emu_format(b.format);
  }
  return out;
}

void check_emu(Reader& r, const EmuEntry& e, size_t number) {
  const std::string place = fmt::format("{}: operation {}", r.place(), number);
  if (e.operation.op_type > DLA_EMU_SOFTMAX && e.operation.op_type != DLA_EMU_CORE)
    r.errors.add("loadable.emu_op_type", place,
                 fmt::format("CPU operation {}, known 0 (power), 1 (softmax) and 64 (core layer)",
                             e.operation.op_type));
  for (const DlaEmuBuffer* b : {&e.buffers.src_data, &e.buffers.dst_data}) {
    const char* name = b == &e.buffers.src_data ? "source" : "destination";
    const Address* a = r.address(b->address);
    if (a == nullptr)
      r.errors.add("loadable.emu_address", place,
                   fmt::format("{}: address {} of an address list of {}", name, int{b->address},
                               r.address_count()));
    else if (uint64_t{b->offset} + b->size > r.reach(*a))
      r.errors.add("loadable.emu_range", place,
                   fmt::format("{}: {} bytes at {} end after the {} bytes of address {}", name,
                               uint32_t{b->size}, uint32_t{b->offset}, r.reach(*a), a->id));
  }
}

/// The block that a core operation refers to, checked as far as it is read here.
std::optional<CoreBlock> read_core_block(Reader& r, const DlaEmuOp& op, size_t number) {
  const std::string place = fmt::format("{}: operation {}", r.place(), number);
  DlaCoreReference reference;
  std::memcpy(&reference, &op.u, sizeof reference);
  const uint64_t end = uint64_t{reference.offset} + reference.bytes;
  const auto window = r.window("core block", reference.address, end);
  if (!window) return std::nullopt;
  const uint8_t* at = window->bytes.data() + reference.offset;
  CoreBlock out;
  if (reference.bytes < sizeof out.header) {
    r.errors.add("loadable.core_block", place,
                 fmt::format("block of {} bytes, its header has {}", uint32_t{reference.bytes},
                             sizeof out.header));
    return std::nullopt;
  }
  std::memcpy(&out.header, at, sizeof out.header);
  const uint64_t tensors = uint64_t{out.header.num_inputs} + out.header.num_outputs;
  const uint64_t wanted = sizeof out.header + tensors * sizeof(DlaCoreTensor);
  if (out.header.magic != CORE_MAGIC || reference.bytes < wanted) {
    r.errors.add("loadable.core_block", place,
                 fmt::format("magic {:#x} and {} bytes, expected {:#x} and at least {}",
                             uint32_t{out.header.magic}, uint32_t{reference.bytes},
                             uint32_t{CORE_MAGIC}, wanted));
    return std::nullopt;
  }
  for (uint64_t i = 0; i < tensors; ++i) {
    DlaCoreTensor t;
    std::memcpy(&t, at + sizeof out.header + i * sizeof t, sizeof t);
    (i < out.header.num_inputs ? out.inputs : out.outputs).push_back(t);
    if (r.address(t.address) == nullptr)
      r.errors.add("loadable.emu_address", place,
                   fmt::format("tensor {}: address {} of an address list of {}", i, int{t.address},
                               r.address_count()));
  }
  return out;
}

}  // namespace

const char* core_kernel_name(unsigned kernel) {
  static constexpr std::array<const char*, CORE_KERNELS> kNames = {
      "custom", "table",     "binary",  "map",      "resize", "reorder",
      "reduce", "normalise", "softmax", "argument", "lrn",    "pool"};
  return kernel < kNames.size() ? kNames[kernel] : "unknown";
}

std::string CoreBlock::kernel_name() const {
  if (header.kernel != CORE_CUSTOM) return core_kernel_name(header.kernel);
  return {header.name, strnlen(header.name, sizeof header.name)};
}

const char* engine_name(unsigned op_type) {
  static constexpr std::array<const char*, DLA_ENGINE_COUNT> kNames = {"BDMA", "CONV", "SDP",
                                                                       "PDP",  "CDP",  "RUBIK"};
  return op_type < kNames.size() ? kNames[op_type] : "?";
}

std::vector<NamedCube> cubes_of(const DlaEntry& e) {
  std::vector<NamedCube> out;
  const DlaSurface& s = e.surface;
  switch (e.dependency.op_type) {
    case DLA_ENGINE_CONV:
      out = {{"src_data", &s.conv.src_data, false},
             {"weight_data", &s.conv.weight_data, false},
             {"dst_data", &s.conv.dst_data, true}};
      if (e.operation.conv.weight_format == DLA_WEIGHTS_COMPRESSED) {
        out.push_back({"wmb_data", &s.conv.wmb_data, false});
        out.push_back({"wgs_data", &s.conv.wgs_data, false});
      }
      break;
    case DLA_ENGINE_SDP: {
      out = {{"src_data", &s.sdp.src_data, false}, {"dst_data", &s.sdp.dst_data, true}};
      const auto add = [&out](const char* name, const DlaSdpStage& stage, const DlaCube& cube) {
        if (stage.enable != 0 && stage.type != DLA_SDP_NONE && stage.mode != DLA_PER_LAYER)
          out.push_back({name, &cube, false});
      };
      add("x1_data", e.operation.sdp.x1_op, s.sdp.x1_data);
      add("x2_data", e.operation.sdp.x2_op, s.sdp.x2_data);
      add("y_data", e.operation.sdp.y_op, s.sdp.y_data);
      break;
    }
    case DLA_ENGINE_PDP:
    case DLA_ENGINE_CDP:
    case DLA_ENGINE_RUBIK:
      out = {{"src_data", &s.pair.src_data, false}, {"dst_data", &s.pair.dst_data, true}};
      break;
    default:
      break;
  }
  return out;
}

Result<DlaTask> read_dla_task(const Loadable& loadable, const Task& task) {
  Reader r(loadable, task);
  DlaTask out;
  out.id = task.id;
  if (const auto network = r.window("network descriptor", 0, sizeof(DlaNetwork))) {
    out.network = load<DlaNetwork>(network->bytes, 0);
    out.version = network->version;
    if (out.version.major != 0 || out.version.minor < 10 || out.version.minor > 12)
      r.errors.add(
          "loadable.interface_version", r.place(),
          fmt::format("descriptors of version {}, known 0.10 to 0.12", out.version.text()));
    if (out.network.num_operations == 0)
      r.errors.add("loadable.operations", r.place(), "no operation in the task");
  }
  if (r.errors.empty()) {
    read_luts(r, out);
    read_operations(r, out);
  }
  if (r.errors.empty())
    for (size_t i = 0; i < out.operations.size(); ++i)
      check_entry(r, out.operations[i], i, out.operations.size(), out.luts.size());
  if (!r.errors.empty()) return r.errors;
  return out;
}

Result<EmuTask> read_emu_task(const Loadable& loadable, const Task& task) {
  Reader r(loadable, task);
  EmuTask out;
  out.id = task.id;
  const auto network = r.window("network descriptor", 0, sizeof(DlaEmuNetwork));
  if (!network) return r.errors;
  out.network = load<DlaEmuNetwork>(network->bytes, 0);
  const size_t count = out.network.num_operations;
  constexpr size_t kOldStride = 16;
  if (count == 0) r.errors.add("loadable.operations", r.place(), "no operation in the task");
  const auto operations =
      r.window("operation list", out.network.operation_desc_index, count * kOldStride);
  const auto buffers = r.window("buffer list", out.network.operation_buffer_desc_index,
                                count * sizeof(DlaEmuBuffers));
  if (!r.errors.empty()) return r.errors;
  // The version numbers of the two layouts are the same; the length of the list tells them apart.
  const bool old_layout = operations->bytes.size() < count * sizeof(DlaEmuOp);
  for (size_t i = 0; i < count; ++i) {
    const size_t at = i * sizeof(DlaEmuBuffers);
    out.operations.push_back(
        old_layout
            ? widen_emu(operations->bytes.data() + i * kOldStride, buffers->bytes.data() + at)
            : EmuEntry{load<DlaEmuOp>(operations->bytes, i * sizeof(DlaEmuOp)),
                       load<DlaEmuBuffers>(buffers->bytes, at), std::nullopt});
    EmuEntry& entry = out.operations.back();
    check_emu(r, entry, i);
    if (entry.operation.op_type == DLA_EMU_CORE)
      entry.core = read_core_block(r, entry.operation, i);
  }
  if (!r.errors.empty()) return r.errors;
  return out;
}

}  // namespace dlavp::loadable
