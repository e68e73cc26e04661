// The accelerator's view of a memory behind a TLM-2.0 initiator socket: bytes by DMI or debug
// transport, time by b_transport with a timing-only extension and the annotated delay.
#pragma once

#include <systemc>
#include <tlm>

#include <map>

#include "models/common/memory.hpp"
#include "models/mcif/dma_port.hpp"

namespace dlavp::nvdla {

/// Marks a transaction that asks only for time: no data are moved, the data pointer is null. The
/// target adds its delay up to the last beat; one that knows the first beat's sets `first_beat`
/// (measured like the delay), otherwise beats are taken to come one a cycle. A target whose cycles
/// are `period` long may give its timing itself, as DMI gives bytes: from then on it is asked
/// without a transaction.
struct TimingOnly : tlm::tlm_extension<TimingOnly> {
  sc_core::sc_time first_beat;
  bool has_first_beat = false;
  uint32_t beats = 1;
  sc_core::sc_time period;               ///< of the initiator's cycles
  mcif::MemoryTiming* direct = nullptr;  ///< the target's timing
  uint64_t target_address = 0;           ///< the transaction's address at the target
  uint64_t target_bytes = 0;             ///< size of the target, from address 0 on
  uint64_t direct_offset = 0;            ///< from the target's addresses to the timing's

  tlm::tlm_extension_base* clone() const override { return new TimingOnly(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override {
    *this = static_cast<const TimingOnly&>(other);
  }
};

/// Cycles and SystemC times of one clock.
struct Clock {
  sc_core::sc_time period;
  [[nodiscard]] sc_core::sc_time time(sim::Cycle cycle) const {
    return sc_core::sc_time::from_value(period.value() * cycle);
  }
  /// The first cycle not before `t`, and the last not after it.
  [[nodiscard]] sim::Cycle ceil(const sc_core::sc_time& t) const {
    return (t.value() + period.value() - 1) / period.value();
  }
  [[nodiscard]] sim::Cycle floor(const sc_core::sc_time& t) const {
    return t.value() / period.value();
  }
};

/// Functional access without time.
class TlmMemory final : public Memory {
 public:
  explicit TlmMemory(tlm::tlm_fw_transport_if<>* target = nullptr) : target_(target) {}
  void bind(tlm::tlm_fw_transport_if<>* target) { target_ = target; }
  bool read(uint64_t address, std::span<uint8_t> out) override {
    return access(address, out.data(), out.size(), false);
  }
  bool write(uint64_t address, std::span<const uint8_t> in) override {
    return access(address, const_cast<uint8_t*>(in.data()), in.size(), true);
  }
  /// The target takes back pointers that overlap the range.
  void invalidate(uint64_t first, uint64_t last);

 private:
  struct Region {
    uint64_t last = 0;
    uint8_t* data = nullptr;
    bool readable = false, writable = false;
  };
  bool access(uint64_t address, uint8_t* data, size_t bytes, bool write);
  [[nodiscard]] bool mapped(uint64_t address, size_t bytes);
  Region* region(uint64_t address, bool write, uint64_t& first);

  tlm::tlm_fw_transport_if<>* target_;
  std::map<uint64_t, Region> regions_;  ///< by first address
};

/// Time of the transactions of one memory port.
class TlmTiming final : public mcif::MemoryTiming {
 public:
  explicit TlmTiming(Clock clock) : clock_(clock) {}
  ~TlmTiming() override;
  void bind(tlm::tlm_fw_transport_if<>* target) { target_ = target; }
  Beats read(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes) override;
  sim::Cycle write(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes) override;

 private:
  sim::Cycle send(tlm::tlm_command command, sim::Cycle at, uint64_t address, uint32_t beats,
                  uint32_t beat_bytes);

  struct Direct {
    mcif::MemoryTiming* timing = nullptr;
    uint64_t first = 0, last = 0;  ///< addresses for which it answers
    uint64_t offset = 0;           ///< to its own
    [[nodiscard]] bool covers(uint64_t address) const {
      return timing != nullptr && address >= first && address <= last;
    }
  };

  Clock clock_;
  Direct direct_;
  tlm::tlm_fw_transport_if<>* target_ = nullptr;
  tlm::tlm_generic_payload payload_;
  TimingOnly timing_;
};

}  // namespace dlavp::nvdla
