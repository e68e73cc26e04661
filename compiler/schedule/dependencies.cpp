// Events between operations. One operation can signal one operation of each engine. That is enough:
// a later operation of the same engine is enabled after the one that waits.
#include "compiler/schedule/dependencies.hpp"

#include <map>

namespace dlavp::compiler {
namespace {

size_t slot(Engine e) { return static_cast<size_t>(e); }

bool fused(const HwTask& task, size_t i) {
  const auto* sdp = std::get_if<HwSdp>(&task.operations[i].work);
  return sdp != nullptr && sdp->src.stream;
}

void signal(HwTask& task, size_t from, size_t to, Event event) {
  HwOperation& producer = task.operations[from];
  Wait& wait = producer.consumers[slot(task.operations[to].engine())];
  DLAVP_CHECK(wait.index < 0 || static_cast<size_t>(wait.index) == to,
              "operation {} already signals {}, not {}", from, wait.index, to);
  wait = {static_cast<int32_t>(to), event};
}

/// Chains the operations of each engine, and each convolution with its SDP.
void chain(HwTask& task) {
  std::map<Engine, size_t> last;
  for (size_t i = 0; i < task.operations.size(); ++i) {
    const Engine e = task.operations[i].engine();
    if (auto it = last.find(e); it != last.end()) signal(task, it->second, i, Event::kEnabled);
    last[e] = i;
    if (!fused(task, i)) continue;
    DLAVP_CHECK(i > 0 && task.operations[i - 1].engine() == Engine::kConv,
                "operation {} has no convolution before it", i);
    signal(task, i - 1, i, Event::kProgrammed);
    task.operations[i].fused_parent = {static_cast<int32_t>(i - 1), Event::kEnabled};
  }
}

/// Makes `reader` wait for the last writer of each buffer that it reads.
void wait_for_inputs(HwTask& task, size_t reader,
                     const std::map<BufferId, std::map<Engine, size_t>>& writers) {
  const Engine e = task.operations[reader].engine();
  for (BufferId buffer : task.operations[reader].reads()) {
    const auto it = writers.find(buffer);
    if (it == writers.end()) continue;
    for (const auto& [engine, writer] : it->second) {
      Wait& wait = task.operations[writer].consumers[slot(e)];
      const bool next_in_chain = wait.index == static_cast<int32_t>(reader);
      const bool free = wait.index < 0;
      // Taken by an earlier operation of this engine: that one waits, and this one comes after it.
      if (next_in_chain || free) {
        wait = {static_cast<int32_t>(reader), Event::kCompleted};
      } else if (engine != e) {
        wait.event = Event::kCompleted;
      }
    }
  }
}

void count_dependencies(HwTask& task) {
  for (HwOperation& op : task.operations) op.dependencies = 0;
  for (const HwOperation& op : task.operations) {
    for (const Wait& w : op.consumers) {
      if (w.index >= 0) ++task.operations[static_cast<size_t>(w.index)].dependencies;
    }
    if (op.fused_parent.index >= 0)
      ++task.operations[static_cast<size_t>(op.fused_parent.index)].dependencies;
  }
}

}  // namespace

CompletedBefore completed_before(const HwTask& task) {
  const size_t n = task.operations.size();
  CompletedBefore before(n, std::vector<bool>(n));
  std::map<Engine, std::vector<size_t>> order;
  const auto merge = [&](size_t to, size_t from) {
    for (size_t i = 0; i < n; ++i) before[to][i] = before[to][i] || before[from][i];
  };
  /// `done` has completed, so has all of its engine before it, and the convolution that fed it.
  const auto complete = [&](size_t to, size_t done) {
    for (size_t i = 0; i <= done; ++i) {
      if (task.operations[i].engine() != task.operations[done].engine()) continue;
      before[to][i] = true;
      if (fused(task, i)) before[to][i - 1] = true;
    }
    merge(to, done);
    if (fused(task, done)) merge(to, done - 1);
  };
  const auto settle = [&](size_t j) {
    const auto& earlier = order[task.operations[j].engine()];
    if (!earlier.empty()) merge(j, earlier.back());
    if (earlier.size() > 1) complete(j, earlier[earlier.size() - 2]);
    for (size_t i = 0; i < j; ++i) {
      for (const Wait& w : task.operations[i].consumers) {
        if (w.index == static_cast<int32_t>(j) && w.event == Event::kCompleted) complete(j, i);
      }
    }
  };
  for (size_t j = 0; j < n; ++j) {
    const bool pair = j + 1 < n && fused(task, j + 1);
    if (pair) {  // the SDP is enabled first, then its convolution
      settle(j + 1);
      settle(j);
      merge(j, j + 1);
      order[task.operations[j].engine()].push_back(j);
      order[task.operations[j + 1].engine()].push_back(j + 1);
      ++j;
    } else {
      settle(j);
      order[task.operations[j].engine()].push_back(j);
    }
  }
  return before;
}

CompletedBefore link_operations(HwTask& task) {
  for (HwOperation& op : task.operations) {
    op.consumers = {};
    op.fused_parent = {};
  }
  chain(task);
  std::map<BufferId, std::map<Engine, size_t>> writers;
  for (size_t i = 0; i < task.operations.size(); ++i) {
    wait_for_inputs(task, i, writers);
    if (const auto buffer = task.operations[i].writes())
      writers[*buffer][task.operations[i].engine()] = i;
  }
  count_dependencies(task);
  return completed_before(task);
}

}  // namespace dlavp::compiler
