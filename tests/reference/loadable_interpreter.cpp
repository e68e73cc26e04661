// Walks a loadable: memories, tasks in submit order, operations in the order of their dependencies.
#include "tests/reference/loadable_interpreter.hpp"

#include <algorithm>
#include <array>

#include "tests/reference/loadable_core.hpp"
#include "tests/reference/loadable_ops.hpp"

namespace dlavp::reference {
namespace {

using loadable::DlaEntry;
using loadable::DlaTask;

/// Operation numbers so that each comes after those it waits for: completions and the operation
/// whose output streams in. Other events order the hardware's registers, not the data.
Result<std::vector<size_t>> execution_order(const DlaTask& task) {
  const size_t count = task.operations.size();
  std::vector<std::vector<size_t>> after(count);
  std::vector<size_t> waits(count, 0), order;
  const auto edge = [&](size_t from, size_t to) {
    after[from].push_back(to);
    ++waits[to];
  };
  for (size_t i = 0; i < count; ++i) {
    const DlaDependency& d = task.operations[i].dependency;
    for (unsigned e = 0; e < DLA_ENGINE_COUNT; ++e)
      if (d.consumers[e].index >= 0 && d.consumers[e].event == DLA_EVENT_COMPLETED)
        edge(i, static_cast<size_t>(d.consumers[e].index));
    if (d.fused_parent.index >= 0) edge(static_cast<size_t>(d.fused_parent.index), i);
  }
  std::vector<bool> done(count, false);
  while (order.size() < count) {
    size_t next = 0;
    while (next < count && (done[next] || waits[next] != 0)) ++next;
    if (next == count)
      return Error{
          "reference.order", fmt::format("task {}", task.id),
          fmt::format("{} of {} operations wait for each other", count - order.size(), count)};
    done[next] = true;
    order.push_back(next);
    for (const size_t to : after[next]) --waits[to];
  }
  return order;
}

/// Runs one task's operations; keeps what streams from one to the next.
class TaskRun {
 public:
  TaskRun(const Machine& machine, const DlaTask& task, const AddressSpace& space,
          const LoadableInterpreter::Watch& watch)
      : machine_(machine), task_(task), space_(space), watch_(watch) {}

  Diagnostics step(size_t number) {
    const DlaEntry& e = task_.operations[number];
    const std::string place = fmt::format("task {}: operation {}", task_.id, number);
    Diagnostics errors = unsupported(e, place);
    if (!errors.empty()) return errors;
    const DlaCube src = source(e), dst = destination(e);
    Region from = space_.region(src), to = space_.region(dst);
    Grid out;
    if (e.dependency.op_type == DLA_ENGINE_CONV) {
      Region weights = space_.region(e.surface.conv.weight_data);
      out = run_conv(machine_, e, from, weights);
      note(weights, "weights", place, errors);
    } else {
      Grid in;
      if (src.type == DLA_CUBE_STREAM) {
        const auto parent = streams_.find(e.dependency.fused_parent.index);
        if (parent == streams_.end())
          return Diagnostics(
              Error{"reference.stream", place, "no operation streams into this one"});
        in = parent->second;
      } else {
        in = read_feature(machine_, src, from, e.dependency.op_type == DLA_ENGINE_PDP);
      }
      if (in.width != src.width || in.height != src.height)
        return Diagnostics(Error{"reference.stream_size", place,
                                 fmt::format("{}x{} arrive, expected {}x{}", in.width, in.height,
                                             src.width, src.height)});
      out = run_point(e, in, place, errors);
    }
    if (dst.type == DLA_CUBE_STREAM) {
      streams_[static_cast<int>(number)] = out;
    } else {
      write_feature(machine_, dst, out, to);
      note(to, "output", place, errors);
      report(number, dst, out);
    }
    note(from, "input", place, errors);
    return errors;
  }

 private:
  static DlaCube source(const DlaEntry& e) {
    if (e.dependency.op_type == DLA_ENGINE_CONV) return e.surface.conv.src_data;
    return e.dependency.op_type == DLA_ENGINE_SDP ? e.surface.sdp.src_data
                                                  : e.surface.pair.src_data;
  }
  static DlaCube destination(const DlaEntry& e) {
    if (e.dependency.op_type == DLA_ENGINE_CONV) return e.surface.conv.dst_data;
    return e.dependency.op_type == DLA_ENGINE_SDP ? e.surface.sdp.dst_data
                                                  : e.surface.pair.dst_data;
  }
  static void note(const Region& r, const char* what, const std::string& place,
                   Diagnostics& errors) {
    if (r.outside())
      errors.add("reference.outside", place, fmt::format("{}: outside its memory", what));
  }

  Grid run_point(const DlaEntry& e, const Grid& in, const std::string& place, Diagnostics& errors) {
    if (e.dependency.op_type == DLA_ENGINE_PDP) return run_pdp(e, in);
    if (e.dependency.op_type == DLA_ENGINE_CDP) return run_cdp(e, in, task_.luts);
    const DlaSdpSurface& s = e.surface.sdp;
    std::array<Region, 3> operands = {space_.region(s.x1_data), space_.region(s.x2_data),
                                      space_.region(s.y_data)};
    Grid out = run_sdp(machine_, e, in, operands, task_.luts);
    for (const Region& r : operands) note(r, "operand", place, errors);
    return out;
  }

  void report(size_t number, const DlaCube& dst, const Grid& out) {
    if (!watch_) return;
    const uint64_t surfaces = out.lanes / machine_.atom;
    const uint64_t bytes = (surfaces - 1) * dst.surf_stride +
                           uint64_t{dst.height - 1U} * dst.line_stride +
                           uint64_t{dst.width} * machine_.atom;
    Region from = space_.region(dst);
    std::vector<uint8_t> data(bytes);
    for (uint64_t i = 0; i < bytes; ++i) data[i] = static_cast<uint8_t>(from.get(i));
    watch_(task_.id, number, data);
  }

  const Machine& machine_;
  const DlaTask& task_;
  const AddressSpace& space_;
  const LoadableInterpreter::Watch& watch_;
  std::map<int, Grid> streams_;
};

}  // namespace

Result<Machine> machine_named(const std::string& name) {
  static const std::map<std::string, Machine> kMachines = {{"nv_small", {8, 8, 8}},
                                                           {"nv_small_256", {32, 8, 8}},
                                                           {"nv_small_256_full", {32, 8, 8}},
                                                           {"nv_medium_512", {32, 16, 16}},
                                                           {"nv_medium_1024_full", {32, 32, 32}},
                                                           {"nv_large", {64, 32, 32}}};
  const auto it = kMachines.find(name);
  if (it == kMachines.end())
    return Error{"reference.config", name, "not one of the six published int8 configurations"};
  return it->second;
}

LoadableInterpreter::LoadableInterpreter(const loadable::Loadable& loadable, Machine machine)
    : loadable_(loadable), machine_(machine) {
  for (const loadable::Memory& m : loadable.memories)
    memories_[m.id] = loadable::initial_contents(loadable, m);
}

const loadable::Tensor* LoadableInterpreter::tensor(uint16_t bind_id, uint16_t flag) const {
  for (const loadable::Memory& m : loadable_.memories)
    if ((m.flags & flag) != 0 && m.bind_id == bind_id)
      for (const loadable::Tensor& t : loadable_.tensors)
        if (t.mem_id == m.id) return &t;
  return nullptr;
}

Diagnostics LoadableInterpreter::bind_input(uint16_t bind_id, std::span<const uint8_t> bytes) {
  const loadable::Tensor* t = tensor(bind_id, DLA_MEMORY_INPUT);
  if (t == nullptr)
    return Diagnostics(Error{"reference.input", "", fmt::format("no input {}", bind_id)});
  if (bytes.size() != t->size)
    return Diagnostics(Error{"reference.input", t->name,
                             fmt::format("{} bytes, expected {}", bytes.size(), t->size)});
  std::copy(bytes.begin(), bytes.end(),
            memories_.at(t->mem_id).begin() + static_cast<ptrdiff_t>(t->offset));
  return {};
}

Diagnostics LoadableInterpreter::run() {
  std::vector<loadable::Submit> submits = loadable_.submits;
  std::sort(submits.begin(), submits.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  for (const loadable::Submit& s : submits)
    for (const uint16_t id : s.task_ids) {
      const loadable::Task& task = *loadable_.task(id);
      Diagnostics errors = task.interface == DLA_INTERFACE_EMU ? run_emu(task) : run_dla(task);
      if (!errors.empty()) return errors;
    }
  return {};
}

Diagnostics LoadableInterpreter::run_dla(const loadable::Task& task) {
  const Result<DlaTask> view = loadable::read_dla_task(loadable_, task);
  if (!view) return view.errors();
  const Result<std::vector<size_t>> order = execution_order(*view);
  if (!order) return order.errors();
  const AddressSpace space(loadable_, task, memories_);
  TaskRun run(machine_, *view, space, watch_);
  for (const size_t number : *order) {
    Diagnostics errors = run.step(number);
    if (!errors.empty()) return errors;
  }
  return {};
}

Diagnostics LoadableInterpreter::run_emu(const loadable::Task& task) {
  const Result<loadable::EmuTask> view = loadable::read_emu_task(loadable_, task);
  if (!view) return view.errors();
  const AddressSpace space(loadable_, task, memories_);
  for (size_t i = 0; i < view->operations.size(); ++i) {
    const loadable::EmuEntry& e = view->operations[i];
    const std::string place = fmt::format("task {}: operation {}", task.id, i);
    if (e.operation.op_type == DLA_EMU_CORE) {
      Diagnostics wrong = run_core(loadable_, task, e.operation, place, memories_);
      if (!wrong.empty()) return wrong;
      continue;
    }
    const DlaEmuBuffer &src = e.buffers.src_data, &dst = e.buffers.dst_data;
    if (src.format > DLA_EMU_INT8_ATOM8 || src.format != dst.format || src.channel == 0)
      return Diagnostics(Error{"reference.unsupported_emu", place, "not an int8 cube"});
    Region from = space.region(src.address, src.offset), to = space.region(dst.address, dst.offset);
    reference::run_emu(e, from, to);
    if (from.outside() || to.outside())
      return Diagnostics(Error{"reference.outside", place, "a buffer ends outside its memory"});
  }
  return {};
}

Result<std::vector<uint8_t>> LoadableInterpreter::output(uint16_t bind_id) const {
  const loadable::Tensor* t = tensor(bind_id, DLA_MEMORY_OUTPUT);
  if (t == nullptr) return Error{"reference.output", "", fmt::format("no output {}", bind_id)};
  const auto start = memories_.at(t->mem_id).begin() + static_cast<ptrdiff_t>(t->offset);
  return std::vector<uint8_t>(start, start + static_cast<ptrdiff_t>(t->size));
}

}  // namespace dlavp::reference
