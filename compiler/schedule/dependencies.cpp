// Events between operations. One operation can signal one operation of each engine. That is enough:
// a later operation of the same engine is enabled after the one that waits.
#include "compiler/schedule/dependencies.hpp"

#include <algorithm>
#include <map>

namespace dlavp::compiler {
namespace {

size_t slot(Engine e) { return static_cast<size_t>(e); }

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
    if (!task.operations[i].fused()) continue;
    DLAVP_CHECK(i > 0 && slot(task.operations[i - 1].engine()) + 1 == slot(e),
                "operation {} has nothing before it that feeds it", i);
    signal(task, i - 1, i, Event::kProgrammed);
    task.operations[i].fused_parent = {static_cast<int32_t>(i - 1), Event::kEnabled};
  }
}

/// Makes every operation wait until what was joined before it is complete: its last one says so.
void serialise(HwTask& task) {
  const size_t count = task.operations.size();
  for (size_t first = 0, next = 0; first < count; first = next) {
    for (next = first + 1; next < count && task.operations[next].fused();) ++next;
    for (size_t i = next; i < count && (i == next || task.operations[i].fused()); ++i) {
      Wait& wait = task.operations[next - 1].consumers[slot(task.operations[i].engine())];
      wait = {static_cast<int32_t>(i), Event::kCompleted};
    }
  }
}

/// Operations that write to a buffer, in order.
using Writers = std::map<BufferId, std::vector<size_t>>;

/// Makes `reader` wait for the last operation of each engine that writes what it reads.
void wait_for_inputs(HwTask& task, size_t reader, const Writers& writers) {
  const Engine e = task.operations[reader].engine();
  for (const View& view : task.operations[reader].read_views()) {
    const auto it = writers.find(view.buffer);
    if (it == writers.end()) continue;
    std::array<bool, kEngines> found{};
    for (auto at = it->second.rbegin(); at != it->second.rend(); ++at) {
      const size_t writer = *at;
      const Engine engine = task.operations[writer].engine();
      if (found[slot(engine)] || !overlap(view, *task.operations[writer].written_view())) continue;
      found[slot(engine)] = true;
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

/// Derives the order of a task's operations, each from those before it.
class Order {
 public:
  explicit Order(const HwTask& task) : task_(task), waits_(task.operations.size()) {
    const size_t n = task.operations.size();
    out_.counts.assign(n, {});
    std::array<uint32_t, kEngines> seen{};
    std::array<std::optional<size_t>, kEngines> last_fed;
    for (size_t i = 0; i < n; ++i) {
      const size_t e = slot(task.operations[i].engine());
      out_.engines.push_back(task.operations[i].engine());
      out_.places.push_back(seen[e]++);
      if (task.operations[i].fused()) last_fed[e] = i;
      last_fed_.push_back(last_fed[e]);
      for (const Wait& w : task.operations[i].consumers) {
        const auto to = static_cast<size_t>(w.index);
        if (w.event == Event::kCompleted && w.index >= 0 && to < n && to > i)
          waits_[to].push_back(i);
      }
    }
  }

  CompletedBefore derive() {
    const size_t n = task_.operations.size();
    for (size_t j = 0; j < n;) {
      size_t last = j;
      while (last + 1 < n && task_.operations[last + 1].fused()) ++last;
      // The one at the end is enabled first, the convolution last.
      for (size_t i = last + 1; i-- > j;) {
        settle(i);
        if (i < last) merge(i, i + 1);
        enabled_[slot(out_.engines[i])].push_back(i);
      }
      j = last + 1;
    }
    return std::move(out_);
  }

 private:
  /// What is complete before `from` is enabled is complete before `to` is.
  void merge(size_t to, size_t from) {
    for (size_t e = 0; e < kEngines; ++e)
      out_.counts[to][e] = std::max(out_.counts[to][e], out_.counts[from][e]);
  }
  /// `done` has completed before `to` is enabled, so have all of its engine before it and those
  /// that fed them.
  void complete(size_t to, size_t done) {
    uint32_t& count = out_.counts[to][slot(out_.engines[done])];
    count = std::max(count, out_.places[done] + 1);
    merge(to, done);
    if (last_fed_[done]) complete(to, *last_fed_[done] - 1);
  }
  void settle(size_t j) {
    const std::vector<size_t>& earlier = enabled_[slot(out_.engines[j])];
    if (!earlier.empty()) merge(j, earlier.back());
    if (earlier.size() > 1) complete(j, earlier[earlier.size() - 2]);
    for (size_t i : waits_[j]) complete(j, i);
  }

  const HwTask& task_;
  CompletedBefore out_;
  std::vector<std::vector<size_t>> waits_;  ///< by operation: those whose completion it awaits
  std::vector<std::optional<size_t>>
      last_fed_;  ///< the last of its engine up to it that another engine fed
  std::array<std::vector<size_t>, kEngines> enabled_;  ///< by engine, in order
};

}  // namespace

CompletedBefore completed_before(const HwTask& task) { return Order(task).derive(); }

CompletedBefore link_operations(HwTask& task, bool pipeline) {
  for (HwOperation& op : task.operations) {
    op.consumers = {};
    op.fused_parent = {};
  }
  chain(task);
  if (!pipeline) serialise(task);
  Writers writers;
  for (size_t i = 0; i < task.operations.size(); ++i) {
    wait_for_inputs(task, i, writers);
    if (const auto view = task.operations[i].written_view()) writers[view->buffer].push_back(i);
  }
  count_dependencies(task);
  return completed_before(task);
}

}  // namespace dlavp::compiler
