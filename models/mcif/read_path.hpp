// The read side of a memory interface: per client a request pipeline and a burst splitter with
// latency FIFO credits, one arbiter, the outstanding limit, and the way back to the clients.
// Hardware manual: "MCIF". Sizes and cycles only; data are moved by the units' cores.
#pragma once

#include <array>
#include <memory>

#include "models/mcif/arbiter.hpp"
#include "models/mcif/dma_port.hpp"
#include "models/mcif/mcif_timing.hpp"
#include "models/mcif/ring.hpp"
#include "models/mcif/skid_chain.hpp"
#include "models/sim/activity.hpp"

namespace dlavp::mcif {

class ReadPath;

/// One client's side. A request made in cycle t is at the burst splitter in t + 3 at the earliest.
class ReadChannel final : public ReadPort {
 public:
  ReadChannel(ReadPath& path, sim::EventQueue& events, const McifTiming& timing,
              const BusShape& bus, uint32_t depth);

  [[nodiscard]] bool can_request() const override;
  void request(uint64_t address, uint32_t atoms) override;
  [[nodiscard]] uint32_t available() const override { return available_; }
  void pop(uint32_t atoms) override;
  void set_handlers(std::function<void()> on_ready, std::function<void()> on_data) override;
  void set_beat_handler(std::function<void(const BeatRun& run)> on_beats) override;
  Transfer read_whole(sim::Cycle at, uint64_t address, uint64_t beats, sim::Cycle hold) override;
  [[nodiscard]] sim::Cycle least_cycles(uint64_t beats, sim::Cycle hold) const override;
  [[nodiscard]] uint32_t depth() const override { return depth_; }
  [[nodiscard]] uint64_t beats_of(uint64_t address, uint64_t atoms) const override {
    return bus_.all_beats(address, atoms);
  }
  [[nodiscard]] uint64_t beats() const override { return beats_; }

  [[nodiscard]] bool idle() const {
    return requests_.empty() && arriving_.empty() && told_until_ <= events_.now();
  }

 private:
  friend class ReadPath;
  struct Request {
    uint64_t address = 0;
    uint32_t atoms = 0;
  };
  struct Arrival {
    sim::Cycle next = 0, last = 0;
    uint64_t address = 0;
    uint32_t atoms = 0;
  };
  struct Credit {
    sim::Cycle at = 0;
    uint32_t beats = 0;
  };
  void prepare();
  void leave_stages();
  void granted(sim::Cycle now);
  void arrive(const MemoryTiming::Beats& beats, sim::Cycle response_delay);
  void tell(const Arrival& arrival);
  /// The next beat to be told, in cycle `at` at the earliest.
  void tell(sim::Cycle at, uint32_t atoms) {
    told_until_ = std::max(at, told_until_ + 1);
    if (telling_.beats != 0 && telling_.atoms == atoms &&
        telling_.at + telling_.beats == told_until_) {
      ++telling_.beats;
      return;
    }
    tell_now();
    telling_ = {told_until_, 1, atoms};
  }
  /// Hands over what was collected.
  void tell_now() {
    if (telling_.beats != 0) on_beats_(telling_);
    telling_.beats = 0;
  }
  /// Atoms of the beat at the front of `arrival`.
  [[nodiscard]] uint32_t beat_atoms(const Arrival& arrival) const;
  void next_beat(Arrival& arrival, uint32_t atoms) const;
  void deliver();
  uint32_t emptied(uint32_t atoms);

  ReadPath& path_;
  sim::EventQueue& events_;
  const McifTiming& timing_;
  const BusShape& bus_;
  uint32_t depth_, used_ = 0, available_ = 0;
  uint64_t beats_ = 0;
  Ring<Request> requests_;
  Ring<Arrival> arriving_;
  Ring<Credit> credits_;
  Ring<uint32_t> held_;  ///< atoms left of each beat in the latency FIFO; where beats are wider
  SkidChain stages_;     ///< the request registers in front of the splitter
  sim::Cycle request_cycle_ = sim::kNever;
  unsigned input_ = 0;                ///< of the arbiter
  unsigned client_ = 0;               ///< as a number
  sim::Cycle visible_ = sim::kNever;  ///< the next transaction is at the arbiter; never: none
  uint32_t next_atoms_ = 0, next_beats_ = 0;
  sim::Cycle split_ = 0;                  ///< when it left the splitter
  sim::Cycle grant_1_ = 0, grant_2_ = 0;  ///< the last grant and the one before
  mutable bool refused_ = false;
  sim::Cycle told_until_ = 0;  ///< the last beat told ahead
  BeatRun telling_;            ///< beats of the grants at hand, told when these are over
  std::function<void()> on_ready_, on_data_;
  std::function<void(const BeatRun&)> on_beats_;
  mutable sim::Event ready_event_;
  sim::Event data_event_;
};

class ReadPath {
 public:
  ReadPath(sim::EventQueue& events, const McifTiming& timing, const BusShape& bus,
           MemoryTiming& memory, const std::array<uint32_t, kReadClients>& depths);

  ReadChannel& channel(ReadClient client) { return *channels_[static_cast<unsigned>(client)]; }
  [[nodiscard]] const ReadChannel& channel(ReadClient client) const {
    return *channels_[static_cast<unsigned>(client)];
  }
  void set_weight(ReadClient client, uint8_t weight);
  /// Beats that may be outstanding.
  void set_outstanding(uint32_t beats) { limit_ = beats; }
  [[nodiscard]] bool idle() const;
  void watch(sim::Activity* activity) { activity_ = activity; }
  /// Whole transfers take no time.
  void set_untimed() { timed_ = false; }

 private:
  friend class ReadChannel;
  /// Some client's next transaction reaches the arbiter at `visible`.
  void wake(sim::Cycle visible) {
    if (!granting_) events_.schedule(grant_event_, std::max(visible, next_grant_));
  }
  void grant();
  [[nodiscard]] sim::Cycle grant_at(sim::Cycle now, sim::Cycle end);
  [[nodiscard]] bool grant_to(ReadChannel& client, sim::Cycle now);
  [[nodiscard]] sim::Cycle pass(sim::Cycle granted, uint32_t beats);

  sim::EventQueue& events_;
  const McifTiming& timing_;
  const BusShape& bus_;
  MemoryTiming& memory_;
  std::array<std::unique_ptr<ReadChannel>, kReadClients> channels_;
  std::array<ReadChannel*, kReadClients> ordered_{};  ///< as the arbiter's inputs are
  uint32_t visible_clients_ = 0;                      ///< a bit for each whose visible_ is known
  WeightedRoundRobin<kReadClients> arbiter_;
  sim::Activity* activity_ = nullptr;  ///< hears of every beat
  sim::Event grant_event_;
  sim::Cycle next_grant_ = 0;
  sim::Cycle horizon_;         ///< cycles behind the present that nothing to come can change
  bool granting_ = false;      ///< inside grant(), which looks at all clients again by itself
  uint32_t told_clients_ = 0;  ///< a bit for each that was granted what is told ahead
  sim::Cycle passed_1_ = 0;    ///< when the last granted transaction passed the outstanding check
  uint32_t limit_ = 0, outstanding_ = 0;
  sim::Cycle least_flight_ = sim::kNever;  ///< of whole transfers, from request to first beat
  bool timed_ = true;
  Ring<MemoryTiming::Beats> returning_;
};

}  // namespace dlavp::mcif
