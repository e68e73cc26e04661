// Two buffers may share memory if every operation on one is complete before any on the other
// starts.
#include "compiler/memory/liveness.hpp"

#include <map>

namespace dlavp::compiler {
namespace {

struct Access {
  size_t task;
  size_t done;   ///< the operation whose completion ends it
  size_t start;  ///< the operation whose enabling begins it
};

std::map<BufferId, std::vector<Access>> accesses(const HwProgram& program) {
  std::map<BufferId, std::vector<Access>> out;
  for (size_t t = 0; t < program.tasks.size(); ++t) {
    const HwTask& task = program.tasks[t];
    for (size_t i = 0; i < task.operations.size(); ++i) {
      for (BufferId b : task.operations[i].reads()) out[b].push_back({t, i, i});
      // A fused operation writes only what the first of them sends, but may from its enabling on.
      if (const auto b = task.operations[i].writes()) out[*b].push_back({t, i, i});
    }
    for (size_t i = 0; i < task.cpu.size(); ++i) {
      for (const CoreOperand& in : task.cpu[i].inputs) out[in.view.buffer].push_back({t, i, i});
      out[task.cpu[i].output.view.buffer].push_back({t, i, i});
    }
  }
  return out;
}

bool ordered(const Access& first, const Access& second,
             const std::vector<CompletedBefore>& before) {
  if (first.task != second.task) return first.task < second.task;
  const CompletedBefore& relation = before[first.task];
  return relation.empty() ? first.done < second.start : relation(first.done, second.start);
}

bool all_before(const std::vector<Access>& first, const std::vector<Access>& second,
                const std::vector<CompletedBefore>& before) {
  for (const Access& a : first) {
    for (const Access& b : second) {
      if (!ordered(a, b, before)) return false;
    }
  }
  return true;
}

}  // namespace

Liveness analyse_liveness(const HwProgram& program, const std::vector<CompletedBefore>& before) {
  const auto used = accesses(program);
  Liveness out;
  for (BufferId id = 0; id < program.buffers.size(); ++id) {
    if (program.buffers[id].region != Region::kActivations) continue;
    out.ids.push_back(id);
    out.requests.push_back({program.buffers[id].size, {}});
  }
  static const std::vector<Access> kNone;
  const auto of = [&](size_t i) -> const std::vector<Access>& {
    auto it = used.find(out.ids[i]);
    return it == used.end() ? kNone : it->second;
  };
  for (size_t i = 0; i < out.ids.size(); ++i) {
    for (size_t j = i + 1; j < out.ids.size(); ++j) {
      if (all_before(of(i), of(j), before) || all_before(of(j), of(i), before)) continue;
      out.requests[i].conflicts.push_back(j);
      out.requests[j].conflicts.push_back(i);
    }
  }
  return out;
}

}  // namespace dlavp::compiler
