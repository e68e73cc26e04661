// The accelerator that the register fuzzer plays on, with its memory and the promises that are
// checked. Unit description: "Programming".
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "fuzz/csb_target.hpp"
#include "models/mcif/memory_timing.hpp"
#include "models/nvdla/accelerator.hpp"

namespace dlavp::fuzz {

/// The same bytes at the start of every run: where legal programs have their cubes. Between the
/// windows nothing answers. What a run wrote is put back by restore().
class Windows final : public Memory {
 public:
  Windows();
  bool read(uint64_t address, std::span<uint8_t> out) override;
  bool write(uint64_t address, std::span<const uint8_t> in) override;
  void restore();

 private:
  static constexpr uint64_t kBytes = 0x8000, kPageBytes = 0x400;
  struct Window {
    uint64_t base = 0;
    std::vector<uint8_t> bytes, first;
    uint32_t written = 0;  ///< a bit a page
  };
  [[nodiscard]] Window* find(uint64_t address, uint64_t bytes);
  std::array<Window, 6> windows_;
};

inline constexpr uint32_t kPointerOffset = 4;  ///< S_POINTER of every unit that has groups

struct Setup {
  HwConfig hw;
  TimingParams timing;
};

/// One of the units that programs may address.
struct FuzzUnit {
  const regs::UnitTable* table = nullptr;
  uint32_t enable = 0;  ///< D_OP_ENABLE; 0: it has none
  int completes = -1;   ///< index in kCompleting of the unit whose completions its enables bound
  /// Every writable field that does not start anything.
  struct Place {
    uint32_t offset = 0;
    uint8_t lsb = 0, width = 0;
  };
  std::vector<Place> fields;
};
[[nodiscard]] const std::vector<FuzzUnit>& fuzz_units();
[[nodiscard]] const FuzzUnit& fuzz_unit(const regs::UnitTable& table);

class Machine {
 public:
  Machine(const Setup& setup, Windows& memory, sim::Cycle latency);

  void write(const FuzzUnit& unit, uint32_t offset, uint32_t value);
  /// 0 where this generation has no such unit.
  [[nodiscard]] uint32_t read(const FuzzUnit& unit, uint32_t offset) const;
  /// Runs at most `cycles` cycles and what is left of the event budget.
  void run(sim::Cycle cycles);
  CsbRun finish();

 private:
  struct Refusal {
    int unit = -1;  ///< in kCompleting; -1: a register access that belongs to no operation
    int group = -1;
    sim::Cycle at = 0;
  };
  void refused(const Diagnostics& errors);
  void check() const;

  const HwConfig& hw_;
  mcif::FixedLatencyMemory primary_, secondary_;
  nvdla::Accelerator chip_;
  using ByGroup = std::array<size_t, 2>;
  std::array<ByGroup, kCompleting.size()> enabled_{};
  std::vector<Refusal> refusals_;
};

}  // namespace dlavp::fuzz
