// The rules of a scheduled program, checked without the code that made it.
#include <algorithm>
#include <map>

#include "compiler/memory/liveness.hpp"
#include "compiler/schedule/dependencies.hpp"
#include "compiler/schedule/schedule.hpp"

namespace dlavp::compiler {
namespace {

constexpr uint64_t kAlignment = 64;

/// Every byte of every produced tensor is written exactly once (in whole memory atoms).
void verify_coverage(const HwConfig& hw, const LayerProgram& layers, const HwProgram& p,
                     Diagnostics& out) {
  const uint32_t atom = hw.memory_atomic_size;
  std::map<BufferId, std::vector<uint8_t>> written;
  const auto mark = [&](const View& v) {
    std::vector<uint8_t>& counts =
        written.try_emplace(v.buffer, p.buffers[v.buffer].size / atom).first->second;
    const uint32_t lanes = atom / v.element;
    for (uint32_t s = 0; s < (v.channels + lanes - 1) / lanes; ++s) {
      for (uint32_t y = 0; y < v.height; ++y) {
        const uint64_t first =
            (v.offset + uint64_t{s} * v.surface_stride + uint64_t{y} * v.line_stride) / atom;
        for (uint64_t i = first; i < first + v.width; ++i) {
          if (i < counts.size()) {
            ++counts[i];
          } else {
            out.add("schedule.view", p.buffers[v.buffer].name,
                    fmt::format("atom {} of {}", i, counts.size()));
            return;
          }
        }
      }
    }
  };
  for (const HwTask& task : p.tasks) {
    for (const HwOperation& op : task.operations) {
      if (const auto v = op.written_view()) mark(*v);
    }
    for (const CoreOperation& op : task.cpu) mark(op.output.view);
  }
  for (const Layer& layer : layers.layers) {
    const BufferId b = p.tensor_buffers[layers.place(layer.output).base];
    if (p.buffers[b].size == 0 && !written.contains(b)) continue;  // taken on the fly
    const std::vector<uint8_t>& counts = written[b];
    const auto wrong =
        std::count_if(counts.begin(), counts.end(), [](uint8_t n) { return n != 1; });
    if (counts.empty() || wrong != 0) {
      out.add("schedule.coverage", fmt::format("layer '{}'", layer.name),
              fmt::format("{} of {} atoms are not written exactly once", wrong, counts.size()));
    }
  }
}

/// Every read of a tensor comes after all writes of it.
void verify_order(const HwProgram& p, Diagnostics& out) {
  for (size_t t = 0; t < p.tasks.size(); ++t) {
    const HwTask& task = p.tasks[t];
    const CompletedBefore before = completed_before(task);
    std::map<BufferId, std::vector<std::pair<size_t, View>>> writers;
    for (size_t i = 0; i < task.operations.size(); ++i) {
      if (const auto v = task.operations[i].written_view()) writers[v->buffer].emplace_back(i, *v);
    }
    for (size_t reader = 0; reader < task.operations.size(); ++reader) {
      for (const View& read : task.operations[reader].read_views()) {
        for (const auto& [writer, written] : writers[read.buffer]) {
          if (!overlap(read, written) || before(writer, reader)) continue;
          out.add("schedule.order", fmt::format("task {}", t),
                  fmt::format("operation '{}' may start before '{}' has written '{}'",
                              task.operations[reader].name, task.operations[writer].name,
                              p.buffers[read.buffer].name));
        }
      }
    }
  }
}

void verify_waits(const HwProgram& p, Diagnostics& out) {
  for (size_t t = 0; t < p.tasks.size(); ++t) {
    const auto& operations = p.tasks[t].operations;
    std::vector<uint32_t> waits(operations.size());
    for (const HwOperation& op : operations) {
      for (size_t e = 0; e < kEngines; ++e) {
        const int32_t to = op.consumers[e].index;
        if (to < 0) continue;
        const bool exists = static_cast<size_t>(to) < operations.size();
        if (!exists || static_cast<size_t>(operations[static_cast<size_t>(to)].engine()) != e) {
          out.add("schedule.consumer", op.name, fmt::format("signals {} as engine {}", to, e));
        } else {
          ++waits[static_cast<size_t>(to)];
        }
      }
      if (op.fused_parent.index >= 0) ++waits[static_cast<size_t>(op.fused_parent.index)];
    }
    for (size_t i = 0; i < operations.size(); ++i) {
      if (waits[i] != operations[i].dependencies) {
        out.add("schedule.dependencies", operations[i].name,
                fmt::format("waits for {} events, {} are signalled", operations[i].dependencies,
                            waits[i]));
      }
    }
  }
}

/// Weights are in the buffer when a convolution counts on those of the one before, and every
/// operation's input and one group of kernels have room in their banks.
void verify_buffer(const HwConfig& hw, const HwProgram& p, Diagnostics& out) {
  for (const HwTask& task : p.tasks) {
    const HwConv* last = nullptr;
    for (const HwOperation& op : task.operations) {
      const auto* c = std::get_if<HwConv>(&op.work);
      if (c == nullptr) continue;
      const uint64_t lines = uint64_t{c->src.height} * c->entries_per_slice;
      const uint64_t room = uint64_t{c->data_banks} * hw.cbuf_bank_depth;
      if (lines > room || c->data_banks + c->weight_banks > hw.cbuf_bank_number)
        out.add("schedule.banks", op.name,
                fmt::format("{} entries, room for {}; {}+{} banks of {}", lines, room,
                            c->data_banks, c->weight_banks, hw.cbuf_bank_number));
      const uint64_t weights = c->weight_banks * hw.bank_bytes();
      if (c->keep_weights && c->weight_bytes > weights)
        out.add("schedule.kept_weights", op.name,
                fmt::format("keeps {} bytes of weights, room for {}", c->weight_bytes, weights));
      const bool left = last != nullptr && last->keep_weights;
      const bool same = left && last->weight_offset == c->weight_offset &&
                        last->weight_bytes == c->weight_bytes &&
                        last->data_banks == c->data_banks &&
                        last->weight_banks == c->weight_banks && last->image == c->image;
      if (c->reuse_weights != left || (left && !same))
        out.add("schedule.reused_weights", op.name,
                fmt::format("reuses weights: {}, the convolution before left them: {}",
                            c->reuse_weights, left && same));
      last = c;
    }
    if (last != nullptr && last->keep_weights)
      out.add("schedule.kept_weights", "the last convolution", "keeps its weights for none");
  }
}

/// SDP packs the surfaces of a cube of one pixel, whatever their stride.
void verify_pixels(const HwConfig& hw, const HwProgram& p, Diagnostics& out) {
  for (const HwTask& task : p.tasks) {
    for (const HwOperation& op : task.operations) {
      if (op.engine() != Engine::kSdp) continue;
      const auto v = op.written_view();
      if (!v || v->width != 1 || v->height != 1 || v->channels <= hw.memory_atomic_size ||
          v->surface_stride == hw.memory_atomic_size)
        continue;
      out.add(
          "schedule.single_pixel", op.name,
          fmt::format("writes one pixel of {} channels with surfaces {} bytes apart, expected {}",
                      v->channels, v->surface_stride, hw.memory_atomic_size));
    }
  }
}

void verify_memory(const HwProgram& p, Diagnostics& out) {
  std::vector<CompletedBefore> before;
  for (const HwTask& task : p.tasks) before.push_back(completed_before(task));
  const Liveness live = analyse_liveness(p, before);
  MemoryPlan plan;
  plan.bytes = p.activation_bytes;
  for (BufferId id : live.ids) plan.offsets.push_back(p.buffers[id].offset);
  out.append(verify_plan(live.requests, plan, kAlignment));
}

}  // namespace

Diagnostics verify(const HwConfig& hw, const LayerProgram& layers, const HwProgram& program) {
  Diagnostics out;
  verify_coverage(hw, layers, program, out);
  verify_waits(program, out);
  verify_order(program, out);
  verify_buffer(hw, program, out);
  verify_pixels(hw, program, out);
  verify_memory(program, out);
  return out;
}

}  // namespace dlavp::compiler
