// The write side of a memory interface: per client one channel that carries commands and data
// words in turn, a burst splitter, an arbiter that lets a burst in when all of its beats are
// there, the outstanding limit, and acknowledges. Hardware manual: "MCIF". Sizes and cycles only.
#pragma once

#include <array>
#include <memory>

#include "models/mcif/arbiter.hpp"
#include "models/mcif/dma_port.hpp"
#include "models/mcif/mcif_timing.hpp"
#include "models/mcif/ring.hpp"
#include "models/sim/activity.hpp"

namespace dlavp::mcif {

class WritePath;

class WriteChannel final : public WritePort {
 public:
  WriteChannel(WritePath& path, sim::EventQueue& events, const McifTiming& timing,
               const BusShape& bus);

  [[nodiscard]] bool can_request() const override;
  void request(uint64_t address, uint32_t atoms, bool ack) override;
  [[nodiscard]] uint32_t data_space() const override;
  void data(uint32_t atoms) override;
  void set_handlers(std::function<void()> on_ready, std::function<void()> on_space,
                    std::function<void()> on_ack) override;
  sim::Cycle write_whole(sim::Cycle from, sim::Cycle until, uint64_t address,
                         uint64_t beats) override;
  [[nodiscard]] uint64_t beats_of(uint64_t address, uint64_t atoms) const override {
    return bus_.all_beats(address, atoms);
  }
  [[nodiscard]] uint64_t beats() const override { return beats_; }

  [[nodiscard]] bool idle() const { return commands_.empty() && acks_.empty() && !responding_; }

 private:
  friend class WritePath;
  struct Command {
    uint64_t address = 0;
    uint32_t atoms = 0;
    bool ack = false;
    sim::Cycle at_splitter = 0;
  };
  /// Consecutive words: the first is at the splitter in cycle `first`.
  struct Words {
    sim::Cycle first = 0;
    uint32_t count = 0;
  };
  [[nodiscard]] uint32_t free_words() const;
  [[nodiscard]] sim::Cycle command_taken() const;
  void release(sim::Cycle at, uint32_t words);
  void prepare();
  void granted(sim::Cycle passed);
  void respond(sim::Cycle response, bool ack);

  WritePath& path_;
  sim::EventQueue& events_;
  const McifTiming& timing_;
  const BusShape& bus_;
  const uint32_t
      slots_;  ///< words between client and splitter; a whole burst's where beats are wide
  uint64_t beats_ = 0;
  Ring<Command> commands_;
  Ring<Words> words_;
  uint32_t words_waiting_ = 0;  ///< words handed over and not known to be taken by the splitter
  uint32_t announced_ = 0;      ///< atoms of announced writes whose data have not come
  mutable Ring<Words> released_;
  mutable uint32_t releasing_ = 0;
  sim::Cycle next_word_ = 0;
  sim::Cycle visible_ = sim::kNever;
  uint32_t next_atoms_ = 0, next_beats_ = 0;
  sim::Cycle last_data_ = 0;  ///< the splitter took the last word of the transaction before
  sim::Cycle popped_ = 0;     ///< the arbiter's command register is free again
  Ring<sim::Cycle> acks_;
  sim::Cycle responding_until_ = 0;
  sim::Cycle last_response_ = 0;  ///< of a whole transfer
  unsigned client_ = 0;           ///< as a number
  unsigned input_ = 0;            ///< of the arbiter
  bool responding_ = false;
  mutable bool refused_request_ = false, refused_data_ = false;
  std::function<void()> on_ready_, on_space_, on_ack_;
  mutable sim::Event space_event_;
  sim::Event ack_event_, idle_event_;
};

class WritePath {
 public:
  WritePath(sim::EventQueue& events, const McifTiming& timing, const BusShape& bus,
            MemoryTiming& memory);

  WriteChannel& channel(WriteClient client) { return *channels_[static_cast<unsigned>(client)]; }
  [[nodiscard]] const WriteChannel& channel(WriteClient client) const {
    return *channels_[static_cast<unsigned>(client)];
  }
  void set_weight(WriteClient client, uint8_t weight);
  void set_outstanding(uint32_t beats) { limit_ = beats; }
  [[nodiscard]] bool idle() const;
  void watch(sim::Activity* activity) { activity_ = activity; }
  /// Whole transfers take no time.
  void set_untimed() { timed_ = false; }

 private:
  friend class WriteChannel;
  struct Response {
    sim::Cycle at = 0;
    uint32_t beats = 0;
  };
  void wake(sim::Cycle visible) { events_.schedule(grant_event_, std::max(visible, next_grant_)); }
  void grant();
  [[nodiscard]] sim::Cycle pass(sim::Cycle granted, uint32_t beats);

  sim::EventQueue& events_;
  const McifTiming& timing_;
  const BusShape& bus_;
  MemoryTiming& memory_;
  std::array<std::unique_ptr<WriteChannel>, kWriteClients> channels_;
  std::array<WriteChannel*, kWriteClients> ordered_{};  ///< as the arbiter's inputs are
  uint32_t visible_clients_ = 0;                        ///< a bit for each whose visible_ is known
  WeightedRoundRobin<kWriteClients> arbiter_;
  sim::Activity* activity_ = nullptr;  ///< hears of every beat
  sim::Event grant_event_;
  sim::Cycle next_grant_ = 0;
  uint32_t limit_ = 0, outstanding_ = 0;
  bool timed_ = true;
  Ring<Response> responses_;
};

}  // namespace dlavp::mcif
