// One client of SDP's read DMA in time: the input cube, or the operands of one stage. It asks for
// one line (or one packed row of operands) a request, collects what arrives into groups of four
// atoms, spreads a group over four two-entry registers, and hands one data atom's worth at a time
// to the datapath, through one more such register for each half of a stage that it feeds. Counts
// and cycles only. Hardware manual: "SDP RDMA".
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>

#include "models/common/cube.hpp"
#include "models/common/hw_config.hpp"
#include "models/mcif/dma_port.hpp"
#include "models/sim/event_queue.hpp"

namespace dlavp::sdp {

/// Data beats of the bus that `atoms` memory atoms from `address` touch.
[[nodiscard]] inline uint64_t bus_beats(const HwConfig& hw, RamType ram, uint64_t address,
                                        uint64_t atoms) {
  const bool cv = ram == RamType::kCv && hw.secondary_memif;
  const uint64_t bytes = cv ? hw.secondary_memif->width_bytes() : hw.primary_memif.width_bytes();
  const uint64_t end = address + atoms * hw.memory_atomic_size - 1;
  return end / bytes - address / bytes + 1;
}

/// What one stream fetches for one operation.
struct StreamPlan {
  CubeRef src;
  uint32_t line_atoms = 0;      ///< memory atoms of one request
  uint32_t lines = 0;           ///< requests of one surface
  uint32_t surfaces = 0;        ///< lines * surfaces requests in all
  uint32_t atoms_per_item = 1;  ///< memory atoms for one item of the datapath
  uint64_t uses_per_item = 1;   ///< data atoms that share one item
  /// Halves of the stage that take their share of an item (ALU, multiplier or both), each into a
  /// register of its own; 0: the input cube, which the datapath takes itself.
  unsigned halves = 0;
  [[nodiscard]] uint64_t atoms() const { return uint64_t{line_atoms} * lines * surfaces; }
};

class ReadStream {
 public:
  /// `requests`: how many requests may wait for their data; `fifo_latency`: through the latency
  /// FIFO. `changed` is called when head_ready()
  /// may have become known, `finished` when it is known in which cycle the last item leaves.
  ReadStream(sim::EventQueue& events, mcif::ReadPort& mc, mcif::ReadPort* cv, uint32_t requests,
             sim::Cycle fifo_latency, std::function<void()> changed,
             std::function<void(sim::Cycle)> finished);

  /// Begins with the first request at `at`; the stream must be idle.
  void start(const StreamPlan& plan, sim::Cycle at);
  [[nodiscard]] bool active() const { return uses_left_ != 0; }

  /// When the stage's halves use an item: its first piece so many cycles after the data atom's
  /// entry (at least; the last `pieces` - 1 later). Before the first use.
  void set_use(const std::array<int64_t, 2>& slack, sim::Cycle pieces);

  /// The cycle from which a data atom can enter so that its item comes in time; kNever: not known.
  [[nodiscard]] sim::Cycle head_ready() const;
  /// The head item is for the data atom that enters (or would, were it not late itself) at `at`.
  /// Does not call `changed`: the caller looks again by itself.
  void use(sim::Cycle at);

  /// Cycles in which a request waited for the memory interface, in this operation.
  [[nodiscard]] uint64_t stall_cycles() const { return stall_cycles_; }

 private:
  static constexpr unsigned kGroup = 4;  // atoms collected before they move on
  static constexpr unsigned kRing = 32;  // more than all items between memory and datapath

  /// What a half of the stage takes from the registers. Uses count data atoms.
  struct Half {
    int64_t slack = 0;
    uint64_t item = 0, left = 0;               ///< the next one to pass; its uses to come
    uint64_t out = 0;                          ///< uses passed to the last register
    uint64_t valid = 0, taken = 0;             ///< uses whose `valid_at`, `taken_at` is known
    sim::Cycle out_at = 0;                     ///< of use `out` - 1
    std::array<sim::Cycle, kRing> valid_at{};  ///< at that register's output, by use
    std::array<sim::Cycle, kRing> taken_at{};  ///< in front of the stage, by use
    std::array<sim::Cycle, kRing> seen_at{}, pop_at{};  ///< at the lane's output, by item
  };

  void issue();
  void arrived();
  void collect();
  bool resolve();
  [[nodiscard]] bool step();
  [[nodiscard]] uint64_t known() const;
  [[nodiscard]] bool move_group();
  [[nodiscard]] bool accepts(uint64_t item, sim::Cycle& at) const;
  void show(Half& half, uint64_t item);
  [[nodiscard]] bool pass(Half& half);
  [[nodiscard]] bool take(Half& half);
  void close_group(sim::Cycle last_pop);

  sim::EventQueue& events_;
  std::array<mcif::ReadPort*, 2> ports_;  ///< by RamType
  mcif::ReadPort* port_ = nullptr;        ///< of the operation
  uint32_t max_requests_;
  sim::Cycle fifo_latency_;
  std::function<void()> changed_;
  std::function<void(sim::Cycle)> finished_;
  sim::Event issue_event_, collect_event_;

  StreamPlan plan_;
  // Requests.
  uint32_t line_ = 0, surface_ = 0;
  uint64_t requests_left_ = 0, requests_open_ = 0;
  bool waiting_ = false;
  sim::Cycle waiting_since_ = 0;
  uint64_t stall_cycles_ = 0;
  // Latency FIFO: atoms that the port has, in parcels by when they are at its output.
  struct Parcel {
    sim::Cycle at;
    uint32_t atoms;
  };
  std::deque<Parcel> passing_;
  uint32_t in_port_ = 0, visible_ = 0;
  // Collection.
  uint64_t atoms_left_ = 0;  ///< not collected yet
  uint32_t line_left_ = 0;   ///< of the request at hand
  uint32_t fill_ = 0;        ///< atoms in the open group
  uint64_t groups_ = 0;      ///< closed
  uint64_t moved_ = 0;       ///< groups with a known move
  std::array<sim::Cycle, kRing> group_full_{}, group_move_{};
  std::array<uint64_t, kRing> group_end_{};  ///< first item behind the group
  // Items: into the registers, one a lane, then to the stage.
  uint64_t items_ = 0;                        ///< in closed groups
  uint64_t in_lanes_ = 0;                     ///< in groups with a known move
  std::array<uint64_t, kGroup> lane_last_{};  ///< last item of the lane, plus one; 0: none
  std::array<uint64_t, kRing> before_{};      ///< item's predecessor in its lane, likewise
  std::array<sim::Cycle, kRing> moved_at_{};  ///< by item
  std::array<Half, 2> halves_;
  unsigned half_count_ = 1;
  sim::Cycle pieces_ = 1;
  uint64_t used_ = 0;
  sim::Cycle used_at_ = 0;
  uint64_t uses_left_ = 0;
};

}  // namespace dlavp::sdp
