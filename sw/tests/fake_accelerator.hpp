// A stand-in for the accelerator under the firmware's core: it knows register groups, enables and
// completion interrupts, computes nothing, and watches the rules of the ping-pong groups.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "fw_abi.h"
#include "run.h"

namespace dlavp::fw_test {

struct FakeAccelerator {
  /// Broken rules: a write to an enabled group, an enable of an enabled group.
  std::vector<std::string> violations;
  /// Values written, by register address; D_* registers of group 1 have bit 31 set.
  std::map<uint32_t, uint32_t> registers;
  unsigned writes = 0, completions = 0;
  unsigned most_enabled = 0;  ///< of one engine at a time
  bool hang = false;          ///< operations never complete
  bool flush_done = true;

  void write(uint32_t offset, uint32_t value);
  uint32_t read(uint32_t offset) const;
  uint32_t complete_one();

 private:
  struct Unit {
    unsigned producer = 0, consumer = 0;
    bool enabled[2] = {false, false};
  };
  [[nodiscard]] bool finish(uint32_t base);
  std::map<uint32_t, Unit> units_;  ///< by base address
};

/// The one that the C functions of csb.h and run.h reach.
FakeAccelerator& fake();
/// A fresh one.
FakeAccelerator& reset_fake();

/// A machine that runs a loadable on the fake: memory for the heap, inputs of zeros.
class Machine {
 public:
  explicit Machine(std::vector<uint8_t> loadable, uint32_t atom_bytes = 8,
                   uint32_t features = kSmall, size_t heap_bytes = size_t{1} << 21);
  /// Runs; the error's code is FW_OK if everything completed.
  FwError run();
  [[nodiscard]] const FwResult& result() const;
  [[nodiscard]] const FwOperationInfo* operations() const;
  FwBoot boot{};

  static constexpr uint32_t kSmall = FW_HAS_CDP | FW_HAS_PDP;
  static constexpr uint32_t kLarge = kSmall | FW_HAS_SDP_EW | FW_HAS_SDP_LUT | FW_HAS_CVIF;

 private:
  // The loadable has its exact size, so that a sanitizer sees any step outside of it.
  std::vector<uint8_t> loadable_, heap_, result_;
  std::vector<std::vector<uint8_t>> inputs_;
};

/// Bytes of a file under the NVDLA data folder; empty if it is not there.
std::vector<uint8_t> data_file(const std::string& name);

}  // namespace dlavp::fw_test
