// Memories, addresses and tasks of the loadable. Memory 0 holds constants, 1 activations, then each
// input and output has its own, then each task's descriptors.
#include "compiler/emit/emit.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>

#include "compiler/emit/core_block.hpp"
#include "compiler/loadable/core_block.h"

namespace dlavp::compiler {
namespace {

constexpr uint32_t kPage = 4096;
constexpr loadable::Version kDescriptorVersion{0, 12, 3};
constexpr loadable::Version kEmuVersion{0, 0, 1};

template <typename T>
std::vector<uint8_t> bytes_of(const std::vector<T>& items) {
  std::vector<uint8_t> out(items.size() * sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), items.data(), out.size());
  return out;
}

const Lut* lut_of(const HwOperation& op) {
  if (const auto* c = std::get_if<HwCdp>(&op.work)) return &c->lrn.lut;
  const auto* s = std::get_if<HwSdp>(&op.work);
  return s != nullptr && s->lut ? &*s->lut : nullptr;
}

/// A task's tables, each once: the firmware loads a table only when its number changes.
class LutList {
 public:
  int16_t add(const Lut& lut) {
    const auto known = std::find(luts_.begin(), luts_.end(), lut);
    if (known != luts_.end()) return static_cast<int16_t>(known - luts_.begin());
    luts_.push_back(lut);
    return static_cast<int16_t>(luts_.size() - 1);
  }
  [[nodiscard]] size_t size() const { return luts_.size(); }
  /// At least one entry, as readers of the format expect.
  [[nodiscard]] std::vector<uint8_t> bytes() const {
    std::vector<DlaLut> out(std::max<size_t>(1, luts_.size()), DlaLut{});
    std::transform(luts_.begin(), luts_.end(), out.begin(), describe_lut);
    return bytes_of(out);
  }

 private:
  std::vector<Lut> luts_;
};

class Emitter {
 public:
  Emitter(const HwConfig& hw, const LayerProgram& layers, const HwProgram& program)
      : hw_(hw), layers_(layers), program_(program) {}
  Result<loadable::Loadable> run(const EmitOptions& options);

 private:
  uint16_t add_memory(uint64_t size, uint16_t flags);
  void add_buffers();
  void add_tensor(const LayerTensor& t, const View& v, uint16_t memory, const LayerInput* input);
  uint16_t add_blob(const std::string& name, uint32_t interface, uint32_t sub,
                    loadable::Version version, std::vector<uint8_t> data);
  void add_task(size_t index);
  void add_accelerator_task(loadable::Task& task, const HwTask& work, const std::string& prefix);
  void add_cpu_task(loadable::Task& task, const HwTask& work, const std::string& prefix);
  [[nodiscard]] Locate locate() const;
  [[nodiscard]] Diagnostics check() const;

  const HwConfig& hw_;
  const LayerProgram& layers_;
  const HwProgram& program_;
  loadable::Loadable out_;
  std::vector<uint16_t> shared_;        ///< addresses that every task gets, after the first
  std::map<BufferId, uint16_t> bound_;  ///< position in the address list of inputs and outputs
};

/// Adds a memory and the address that covers it; both have the same id.
uint16_t Emitter::add_memory(uint64_t size, uint16_t flags) {
  loadable::Memory m;
  m.id = static_cast<uint16_t>(out_.memories.size());
  m.domain = DLA_DOMAIN_SYSTEM;
  m.flags = flags;
  m.size = size;
  m.alignment = kPage;
  out_.memories.push_back(m);
  out_.addresses.push_back({m.id, m.id, 0, size});
  return m.id;
}

uint16_t Emitter::add_blob(const std::string& name, uint32_t interface, uint32_t sub,
                           loadable::Version version, std::vector<uint8_t> data) {
  const uint16_t id = add_memory(data.size(), DLA_MEMORY_ALLOC | DLA_MEMORY_SET);
  out_.memories.back().contents = {name};
  out_.memories.back().offsets = {0};
  out_.blobs.push_back({name, interface, sub, version, std::move(data)});
  return id;
}

void Emitter::add_tensor(const LayerTensor& t, const View& v, uint16_t memory,
                         const LayerInput* input) {
  loadable::Tensor d;
  d.name = t.name;
  d.id = static_cast<uint16_t>(out_.tensors.size());
  d.mem_id = memory;
  d.size = out_.memories[memory].size;
  const bool image = input != nullptr && input->image;
  d.data_format = image ? DLA_TENSOR_NHWC : DLA_TENSOR_NCXHWX;
  d.data_type = DLA_TENSOR_INT8;
  if (t.type == StoredType::kInt32) d.data_type = CORE_TENSOR_INT32;
  d.data_category = image ? DLA_TENSOR_IMAGE : DLA_TENSOR_FEATURE;
  const uint8_t pixels = v.channels == 1 ? DLA_FORMAT_R8 : DLA_FORMAT_A8B8G8R8;
  d.pixel_format = image ? pixels : uint8_t{DLA_FORMAT_FEATURE};
  d.n = 1;
  d.c = static_cast<int32_t>(v.channels);
  d.h = static_cast<int32_t>(v.height);
  d.w = static_cast<int32_t>(v.width);
  d.stride = {1, v.line_stride, v.surface_stride, 0, 0, 0, 0, 0};
  out_.memories[memory].tensor_desc_id = d.id;
  out_.tensors.push_back(std::move(d));
}

void Emitter::add_buffers() {
  std::vector<uint8_t> contents = program_.constants;
  if (contents.empty()) contents.resize(hw_.memory_atomic_size);  // runtimes refuse an empty memory
  const auto constants = add_blob("tb-0", DLA_INTERFACE_NONE, 0, {}, std::move(contents));
  const uint16_t activations =
      add_memory(std::max<uint64_t>(program_.activation_bytes, kPage), DLA_MEMORY_ALLOC);
  if (program_.activations_in_sram) out_.memories.back().domain = DLA_DOMAIN_SRAM;
  shared_ = {constants, activations};
  const auto bind = [&](TensorId id, uint16_t flag, uint16_t bind_id, const LayerInput* input) {
    const BufferId buffer = program_.tensor_buffers[id];
    const uint16_t memory =
        add_memory(program_.buffers[buffer].size, static_cast<uint16_t>(DLA_MEMORY_ALLOC | flag));
    out_.memories[memory].bind_id = bind_id;
    bound_[buffer] = static_cast<uint16_t>(shared_.size() + 1);
    shared_.push_back(memory);
    const uint32_t element = layers_.tensors[id].type == StoredType::kInt32 ? 4 : 1;
    View v = feature_view(buffer, layers_.tensors[id].shape, hw_.memory_atomic_size / element);
    v.line_stride *= element;
    v.surface_stride *= element;
    if (input != nullptr && input->image) {
      v.channels = input->channels;
      v.line_stride = static_cast<uint32_t>(program_.buffers[buffer].size / v.height);
      v.surface_stride = 0;
    }
    add_tensor(layers_.tensors[id], v, memory, input);
  };
  for (size_t i = 0; i < layers_.inputs.size(); ++i) {
    bind(layers_.inputs[i].tensor, DLA_MEMORY_INPUT, static_cast<uint16_t>(i), &layers_.inputs[i]);
  }
  for (size_t i = 0; i < layers_.outputs.size(); ++i) {
    if (!bound_.contains(program_.tensor_buffers[layers_.outputs[i]])) {
      bind(layers_.outputs[i], DLA_MEMORY_OUTPUT, static_cast<uint16_t>(i), nullptr);
    }
  }
}

Locate Emitter::locate() const {
  return [this](BufferId id) -> Location {
    DLAVP_CHECK(id < program_.buffers.size(), "buffer {} of {}", id, program_.buffers.size());
    const Buffer& b = program_.buffers[id];
    // Position 0 of an address list is the task's network descriptor.
    if (b.region == Region::kConstants) return {1, b.offset, false};
    if (b.region == Region::kActivations) return {2, b.offset, program_.activations_in_sram};
    return {static_cast<int16_t>(bound_.at(id)), 0, false};
  };
}

void Emitter::add_accelerator_task(loadable::Task& task, const HwTask& work,
                                   const std::string& prefix) {
  std::vector<DlaDependency> dependencies;
  std::vector<DlaOperation> operations;
  std::vector<DlaSurface> surfaces;
  LutList luts;
  DlaNetwork network{};
  for (size_t e = 0; e < kEngines; ++e) network.op_head[e] = DLA_NO_INDEX;
  for (size_t i = 0; i < work.operations.size(); ++i) {
    const Lut* lut = lut_of(work.operations[i]);
    const DescribedOperation d = describe(
        work.operations[i], i, lut == nullptr ? int16_t{DLA_NO_INDEX} : luts.add(*lut), locate());
    const auto e = static_cast<size_t>(work.operations[i].engine());
    if (network.op_head[e] == DLA_NO_INDEX) network.op_head[e] = static_cast<int16_t>(i);
    dependencies.push_back(d.dependency);
    operations.push_back(d.operation);
    surfaces.push_back(d.surface);
  }
  const auto first = static_cast<int16_t>(shared_.size() + 1);
  network.dependency_graph_index = first;
  network.operation_desc_index = static_cast<int16_t>(first + 1);
  network.surface_desc_index = static_cast<int16_t>(first + 2);
  network.lut_data_index = static_cast<int16_t>(first + 3);
  network.roi_array_index = network.surface_index = network.stat_list_index = DLA_NO_INDEX;
  network.num_rois = 1;
  network.num_operations = static_cast<uint16_t>(work.operations.size());
  network.num_luts = static_cast<uint16_t>(luts.size());
  network.num_addresses = static_cast<uint16_t>(shared_.size() + 5);
  task.interface = DLA_INTERFACE_DLA;
  task.address_list = {add_blob(prefix + "addr0", DLA_INTERFACE_DLA, DLA_BLOB_NETWORK,
                                kDescriptorVersion, bytes_of(std::vector{network}))};
  task.address_list.insert(task.address_list.end(), shared_.begin(), shared_.end());
  const auto list = [&](const char* name, uint32_t sub, std::vector<uint8_t> data) {
    task.address_list.push_back(
        add_blob(prefix + name, DLA_INTERFACE_DLA, sub, kDescriptorVersion, std::move(data)));
  };
  list("dep_graph", DLA_BLOB_DEPENDENCIES, bytes_of(dependencies));
  list("op_list", DLA_BLOB_OPERATIONS, bytes_of(operations));
  list("surf_list", DLA_BLOB_SURFACES, bytes_of(surfaces));
  list("lut_list", DLA_BLOB_LUTS, luts.bytes());
}

void Emitter::add_cpu_task(loadable::Task& task, const HwTask& work, const std::string& prefix) {
  const auto first = static_cast<int16_t>(shared_.size() + 1);
  const DescribedCore core =
      describe_core(hw_, layers_, work.cpu, static_cast<int16_t>(first + 2), locate());
  DlaEmuNetwork network{};
  network.operation_desc_index = first;
  network.operation_buffer_desc_index = static_cast<int16_t>(first + 1);
  network.num_operations = static_cast<uint16_t>(work.cpu.size());
  task.interface = DLA_INTERFACE_EMU;
  task.address_list = {add_blob(prefix + "addr0", DLA_INTERFACE_EMU, DLA_EMU_BLOB_NETWORK,
                                kEmuVersion, bytes_of(std::vector{network}))};
  task.address_list.insert(task.address_list.end(), shared_.begin(), shared_.end());
  const auto list = [&](const char* name, uint32_t sub, std::vector<uint8_t> data) {
    task.address_list.push_back(
        add_blob(prefix + name, DLA_INTERFACE_EMU, sub, kEmuVersion, std::move(data)));
  };
  list("op_list", DLA_EMU_BLOB_OPERATIONS, bytes_of(core.operations));
  list("op_buf_list", DLA_EMU_BLOB_BUFFERS, bytes_of(core.buffers));
  if (!core.blocks.empty()) list("core_blocks", DLA_INTERFACE_NONE, core.blocks);
}

void Emitter::add_task(size_t index) {
  loadable::Task task;
  task.id = static_cast<uint16_t>(index);
  const std::string prefix = fmt::format("task-{}-", index);
  const HwTask& work = program_.tasks[index];
  if (work.cpu.empty()) {
    add_accelerator_task(task, work, prefix);
  } else {
    add_cpu_task(task, work, prefix);
  }
  // Event pairs as NVIDIA's runtime expects: a task waits for the one before it, signals the next.
  const auto event = [&](size_t target, uint32_t value, uint8_t op) {
    const auto id = static_cast<uint16_t>(out_.events.size());
    out_.events.push_back({id, 0, static_cast<uint16_t>(target), value, op});
    return id;
  };
  if (index > 0)
    task.pre_actions.push_back(event(0, static_cast<uint32_t>(index), DLA_EVENT_ACTION_WAIT));
  task.post_actions.push_back(event(0, static_cast<uint32_t>(index + 1), DLA_EVENT_ACTION_SIGNAL));
  out_.tasks.push_back(std::move(task));
  out_.submits.push_back({static_cast<uint16_t>(index), {static_cast<uint16_t>(index)}});
}

Diagnostics Emitter::check() const {
  Diagnostics out;
  constexpr size_t kMost = std::numeric_limits<int16_t>::max();
  constexpr uint64_t kLargest = std::numeric_limits<uint32_t>::max();
  for (size_t i = 0; i < program_.tasks.size(); ++i) {
    const size_t count = program_.tasks[i].operations.size();
    if (count > kMost)
      out.add("emit.too_many", fmt::format("task {}", i),
              fmt::format("{} operations, at most {}", count, kMost));
  }
  if (program_.constants.size() > kLargest || program_.activation_bytes > kLargest) {
    out.add("emit.too_large", layers_.name,
            fmt::format("{} bytes of constants, {} of activations; offsets have 32 bits",
                        program_.constants.size(), program_.activation_bytes));
  }
  return out;
}

Result<loadable::Loadable> Emitter::run(const EmitOptions& options) {
  if (Diagnostics wrong = check(); !wrong.empty()) return wrong;
  add_buffers();
  for (size_t i = 0; i < program_.tasks.size(); ++i) add_task(i);
  const std::string info = info_json(hw_, layers_, program_, options);
  out_.blobs.push_back({kInfoBlob, DLA_INTERFACE_NONE, 0, {}, {info.begin(), info.end()}});
  // In the order of their names: so readers find one by halving.
  std::sort(out_.blobs.begin(), out_.blobs.end(),
            [](const loadable::Blob& a, const loadable::Blob& b) { return a.name < b.name; });
  const Diagnostics wrong = loadable::validate(out_);
  DLAVP_CHECK(wrong.empty(), "the emitted loadable: {}", wrong.text());
  return std::move(out_);
}

}  // namespace

Result<loadable::Loadable> emit_loadable(const HwConfig& hw, const LayerProgram& layers,
                                         const HwProgram& program, const EmitOptions& options) {
  return Emitter(hw, layers, program).run(options);
}

}  // namespace dlavp::compiler
