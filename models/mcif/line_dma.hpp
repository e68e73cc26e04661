// The read and write DMA engines that PDP and CDP share: a cube's lines are requested one after
// the other, arriving atoms pass the client's latency FIFO into a small FIFO in front of the core;
// results leave as one write command a line and its data. Hardware manual: RDMA and WDMA of the
// post-processing units. Sizes and cycles only.
#pragma once

#include <array>
#include <functional>

#include "models/mcif/dma_port.hpp"
#include "models/mcif/ring.hpp"
#include "models/sim/event_queue.hpp"

namespace dlavp::mcif {

/// Consecutive atoms of one request.
struct Line {
  uint64_t address = 0;
  uint32_t atoms = 0;
  bool last = false;  ///< of the operation
};

/// Yields the next line of an operation; false after the last.
using LineSource = std::function<bool(Line&)>;

class LineReader {
 public:
  struct Config {
    sim::Cycle fifo_latency;  ///< from the DMA response through the latency FIFO to its output
    uint32_t fifo_atoms;      ///< depth of the FIFO in front of the core
    uint32_t max_lines;       ///< requests that may be in flight
  };
  LineReader(sim::EventQueue& events, const Config& config);

  /// Connects a port; `which` is 0 or 1.
  void connect(unsigned which, ReadPort& port);
  /// Called when an atom reached the core's FIFO (take() may succeed at ready_at()).
  void on_atom(std::function<void()> callback) { on_atom_ = std::move(callback); }

  /// Begins an operation: the first request leaves at `at` at the earliest.
  void start(unsigned which, sim::Cycle at, LineSource source);
  /// An operation timed as a whole: when its lines are at the core.
  Transfer read_whole(unsigned which, sim::Cycle at, const LineSource& source);
  /// Everything of the operation was taken by the core.
  [[nodiscard]] bool idle() const { return !active_; }

  [[nodiscard]] bool has_atom() const { return !ready_.empty(); }
  /// Cycle from which the next atom can be used.
  [[nodiscard]] sim::Cycle ready_at() const { return ready_.front(); }
  /// Takes the next atom; its place is free again at `free_at`.
  void take(sim::Cycle free_at);

  [[nodiscard]] uint64_t stall_cycles() const { return stall_cycles_; }
  [[nodiscard]] uint64_t beats() const { return port_ ? port_->beats() - beats_before_ : 0; }

 private:
  void issue();
  void arrived();
  void move();

  sim::EventQueue& events_;
  Config config_;
  std::array<ReadPort*, 2> ports_{};
  ReadPort* port_ = nullptr;
  LineSource source_;
  Line line_;
  bool has_line_ = false, active_ = false;
  Ring<uint32_t> in_flight_;  ///< atoms of each requested line not yet taken
  Ring<sim::Cycle> arrivals_, ready_, freed_;
  uint32_t known_ = 0;  ///< atoms of available() already in arrivals_
  sim::Cycle moved_ = sim::kNever;
  sim::Cycle blocked_since_ = sim::kNever;
  sim::Cycle start_ = 0;
  uint64_t stall_cycles_ = 0, beats_before_ = 0;
  std::function<void()> on_atom_;
  sim::Event issue_event_, move_event_;
};

class LineWriter {
 public:
  /// When a line's command leaves: as soon as the line before is complete, or with its first
  /// result.
  enum class Command : uint8_t { kEarly, kWithResult };
  explicit LineWriter(sim::EventQueue& events, Command command = Command::kEarly);
  void connect(unsigned which, WritePort& port);
  /// `on_space`: results left; `on_done`: the last word of the operation left; `on_ack`: an
  /// operation's writes are acknowledged.
  void set_handlers(std::function<void()> on_space, std::function<void()> on_done,
                    std::function<void()> on_ack);

  /// Begins an operation: its first command leaves at `at` at the earliest.
  void start(unsigned which, sim::Cycle at, LineSource source);
  /// An operation timed as a whole: its results leave from `from` to `until`; `on_ack` follows.
  void write_whole(unsigned which, sim::Cycle from, sim::Cycle until, const LineSource& source);
  /// A result that may leave from `ready` on, in order.
  void push(sim::Cycle ready);
  [[nodiscard]] size_t pending() const { return results_.size(); }
  [[nodiscard]] bool idle() const { return !active_; }

  [[nodiscard]] uint64_t stall_cycles() const { return stall_cycles_; }
  [[nodiscard]] uint64_t beats() const { return port_ ? port_->beats() - beats_before_ : 0; }

 private:
  void run();

  sim::EventQueue& events_;
  Command command_;
  std::array<WritePort*, 2> ports_{};
  WritePort* port_ = nullptr;
  LineSource source_;
  Line line_;
  bool has_line_ = false, active_ = false, announced_ = false;
  uint32_t left_ = 0;
  sim::Cycle next_word_ = 0;
  sim::Cycle blocked_since_ = sim::kNever;
  Ring<sim::Cycle> results_;
  uint64_t stall_cycles_ = 0, beats_before_ = 0;
  std::function<void()> on_space_, on_done_, on_ack_;
  sim::Event run_event_;
};

}  // namespace dlavp::mcif
