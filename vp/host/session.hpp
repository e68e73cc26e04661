// Session: runs loadables on a Soc. Lays out DRAM (firmware, result block, loadable, inputs, heap),
// fills the boot block, starts the firmware, and collects what it and the accelerator report. One
// session a process (SystemC elaborates once); each run starts the firmware anew.
#pragma once

#include <span>
#include <sstream>

#include "sw/core/fw_abi.h"
#include "vp/host/network.hpp"
#include "vp/soc/soc.hpp"

namespace dlavp::vp {

/// One operation: what the firmware recorded, and the accelerator's record of it where there is
/// one.
struct RanOperation {
  FwOperationInfo firmware;
  std::optional<OpRecord> record;
};

struct RunResult {
  FwResult firmware{};
  std::vector<FwTaskInfo> tasks;
  std::vector<RanOperation> operations;
  /// Memory of each of the network's outputs; none where the function is off.
  std::vector<std::vector<uint8_t>> outputs;
  std::vector<OpRecord> records;  ///< of the accelerator, in order of completion
  uint64_t read_beats = 0, write_beats = 0;
  uint64_t instructions = 0;  ///< of the core, from reset
  std::string uart;
};

/// Why a run gave no result.
struct RunFailure {
  Diagnostics errors;
  bool never_finished = false;  ///< an operation that does not end, rather than bad input
};

class Session {
 public:
  /// `firmware`: an ELF image; empty: the program's own. Errors: "run.firmware",
  /// "run.generation" (hw 1 has other register addresses), "iss.*", "elf.*".
  static Result<std::unique_ptr<Session>> create(const HwConfig& hw, const TimingParams& timing,
                                                 const PlatformConfig& platform,
                                                 std::span<const uint8_t> firmware = {});

  /// Puts a loadable in DRAM. Errors: "run.memory" if it does not fit.
  [[nodiscard]] Diagnostics load(std::span<const uint8_t> loadable, const Network& network);
  /// Runs it on one set of inputs: bytes for each of the network's inputs. After a failure the
  /// accelerator starts anew, so that another run sees nothing of it.
  std::variant<RunResult, RunFailure> run(const std::vector<std::vector<uint8_t>>& inputs);

  [[nodiscard]] Soc& soc() { return *soc_; }

 private:
  Session(const HwConfig& hw, const TimingParams& timing, const PlatformConfig& platform,
          const iss::CostTable& costs);
  [[nodiscard]] Diagnostics load_firmware(std::span<const uint8_t> image);
  [[nodiscard]] uint64_t place(uint64_t bytes);
  [[nodiscard]] FwBoot boot_block() const;
  template <typename T>
  [[nodiscard]] T fetch(uint64_t address);
  RunFailure failure(Soc::End end);
  RunResult collect(size_t first_record);
  void match_records(RunResult& result) const;

  const HwConfig hw_;
  const PlatformConfig platform_;
  std::ostringstream uart_;
  std::unique_ptr<Soc> soc_;
  Network network_;
  bool failed_ = false;  ///< the run before
  uint64_t next_ = 0;    ///< free DRAM
  uint64_t result_address_ = 0, result_bytes_ = 0, loadable_address_ = 0, loadable_bytes_ = 0;
  std::vector<FwBinding> inputs_;
};

}  // namespace dlavp::vp
