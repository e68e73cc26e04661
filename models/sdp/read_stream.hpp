// One client of SDP's read DMA in time: the input cube, or the operands of one stage. It asks for
// one line (or one packed row of operands) a request, collects what arrives into groups of four
// atoms, spreads a group over four two-entry FIFOs, and hands one data atom's worth at a time to
// the datapath. Counts and cycles only. Hardware manual: "SDP RDMA".
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
  [[nodiscard]] uint64_t atoms() const { return uint64_t{line_atoms} * lines * surfaces; }
};

class ReadStream {
 public:
  /// `requests`: how many requests may wait for their data; `fifo_latency`: through the latency
  /// FIFO. `changed` is called when head_ready()
  /// may have become known, `finished` after the last use.
  ReadStream(sim::EventQueue& events, mcif::ReadPort& mc, mcif::ReadPort* cv, uint32_t requests,
             sim::Cycle fifo_latency, std::function<void()> changed,
             std::function<void()> finished);

  /// Begins with the first request at `at`; the stream must be idle.
  void start(const StreamPlan& plan, sim::Cycle at);
  [[nodiscard]] bool active() const { return uses_left_ != 0; }

  /// The cycle from which the next item can enter the datapath's input register; kNever: not known.
  [[nodiscard]] sim::Cycle head_ready() const;
  /// The datapath uses the head item for one data atom, now.
  void use();

  /// Cycles in which a request waited for the memory interface, in this operation.
  [[nodiscard]] uint64_t stall_cycles() const { return stall_cycles_; }

 private:
  static constexpr unsigned kGroup = 4;   // atoms collected before they move on
  static constexpr unsigned kRing = 32;   // more than all items between memory and datapath
  static constexpr unsigned kOutput = 2;  // entries of the register behind the FIFOs
  static constexpr unsigned kLane = 2;    // entries of one FIFO

  void issue();
  void arrived();
  void collect();
  void resolve();
  [[nodiscard]] bool register_takes(sim::Cycle& at) const;
  void close_group(sim::Cycle last_pop);

  sim::EventQueue& events_;
  std::array<mcif::ReadPort*, 2> ports_;  ///< by RamType
  mcif::ReadPort* port_ = nullptr;        ///< of the operation
  uint32_t max_requests_;
  sim::Cycle fifo_latency_;
  std::function<void()> changed_, finished_;
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
  // Items: into the output register, then into the datapath.
  uint64_t items_ = 0, out_ = 0, used_ = 0;
  std::array<sim::Cycle, kRing> out_at_{}, used_at_{};
  uint64_t uses_left_ = 0, head_uses_ = 0;
};

}  // namespace dlavp::sdp
