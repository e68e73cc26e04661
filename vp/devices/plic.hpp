// Plic: the platform-level interrupt controller in the register layout of SiFive's and QEMU's virt
// machine, one context (machine mode of hart 0). RISC-V PLIC specification 1.0. Sources are level
// triggered: a high line makes its source pending unless a claim of it is in service; pending ends
// with the claim, not with the line, and starts anew if the line is still high at completion.
#pragma once

#include <cstdint>
#include <vector>

#include "vp/devices/register_target.hpp"

namespace dlavp::devices {

class Plic : public RegisterTarget {
 public:
  static constexpr uint64_t kSizeBytes = 0x600000;
  static constexpr uint64_t kPriority = 0x0, kPending = 0x1000, kEnable = 0x2000;
  static constexpr uint64_t kThreshold = 0x200000, kClaim = 0x200004;
  static constexpr uint32_t kMaxPriority = 7;

  using Source =
      sc_core::sc_port<sc_core::sc_signal_in_if<bool>, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;
  /// Lines 0 to `sources`; 0 does not exist, others may stay unbound (low).
  sc_core::sc_vector<Source> lines;
  sc_core::sc_out<bool> irq{"irq"};

  /// 1 <= sources <= 1023.
  Plic(const sc_core::sc_module_name& name, unsigned sources = 127,
       const sc_core::sc_time& access_time = sc_core::SC_ZERO_TIME);

 private:
  struct State {
    uint32_t priority = 0;
    bool enabled = false, pending = false, in_service = false;
  };

  void end_of_elaboration() override;
  bool read(uint64_t offset, unsigned bytes, uint64_t& value) override;
  bool write(uint64_t offset, unsigned bytes, uint64_t value) override;
  bool peek(uint64_t offset, unsigned bytes, uint64_t& value) override;
  void sample_lines();
  void drive();
  [[nodiscard]] bool level(unsigned source) const;
  /// The source a claim would return, 0 for none.
  [[nodiscard]] unsigned best() const;
  template <typename Get>
  uint64_t word_of_bits(unsigned first_source, Get get) const;
  void complete(unsigned source);

  std::vector<State> sources_;
  uint32_t threshold_ = 0;
  sc_core::sc_event drive_event_;
};

}  // namespace dlavp::devices
