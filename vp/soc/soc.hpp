// Soc: the runnable system - RISC-V core, NVDLA, interconnect, DRAM, SRAM where the accelerator has
// a second port, CLINT, PLIC, UART, exit register - from a PlatformConfig and an HwConfig. The
// accelerator sees the memories at the core's addresses.
#pragma once

#include <memory>
#include <ostream>

#include "models/nvdla/nvdla.hpp"
#include "vp/devices/clint.hpp"
#include "vp/devices/plic.hpp"
#include "vp/devices/test_finisher.hpp"
#include "vp/devices/uart.hpp"
#include "vp/iss/core.hpp"
#include "vp/memory/core_memory.hpp"
#include "vp/memory/ram.hpp"
#include "vp/platform_config.hpp"
#include "vp/soc/router.hpp"

namespace dlavp::vp {

class Soc final : public sc_core::sc_module {
 public:
  /// Where the exit register lies (that of QEMU's virt machine).
  static constexpr Window kExitWindow{0x100000, devices::TestFinisher::kSizeBytes};

  Soc(const sc_core::sc_module_name& name, const HwConfig& hw, const TimingParams& timing,
      const PlatformConfig& platform, const iss::CostTable& costs, std::ostream& uart);

  /// Why the simulation stopped.
  enum class End {
    kExit,          ///< the firmware wrote the exit register
    kProgramError,  ///< a unit refused its registers; accelerator().program_errors() says why
    kStarved        ///< nothing will ever happen again
  };
  /// First call: lets the core leave reset. Later calls: tells the firmware, by a software
  /// interrupt, to start again. Runs until one of the ends.
  End run();
  /// 32-bit words that a master beside the core writes, one after another, when the next run begins:
  /// registers of accelerators that the firmware does not drive.
  struct BusWrite {
    uint64_t address = 0;
    uint32_t value = 0;
  };
  void write_at_start(std::vector<BusWrite> writes) { host_writes_ = std::move(writes); }
  /// After a run that failed: the accelerator starts anew. A firmware that waits for it runs into
  /// its watchdog, so that the next run() finds it waiting for one.
  void recover();
  [[nodiscard]] int exit_code() const { return exit_code_; }

  /// Bytes of DRAM at an address of the core's map; false: not in DRAM.
  [[nodiscard]] bool write(uint64_t address, std::span<const uint8_t> bytes);
  [[nodiscard]] bool read(uint64_t address, std::span<uint8_t> bytes);

  /// The first one, which the firmware drives, or one of the platform's others.
  [[nodiscard]] nvdla::Accelerator& accelerator(size_t number = 0) {
    return number == 0 ? nvdla_.accelerator() : more_nvdla_[number - 1]->accelerator();
  }
  [[nodiscard]] size_t accelerators() const { return 1 + more_nvdla_.size(); }
  [[nodiscard]] const iss::Core& core() const { return core_; }
  [[nodiscard]] bool has_sram() const { return sram_ != nullptr; }
  /// Where the core's traffic competes for DRAM; null where it is free.
  [[nodiscard]] const CoreMemory* core_memory() const { return core_memory_.get(); }

 private:
  enum Input : unsigned { kCore, kHost, kDbb, kCvsram, kInputs };
  enum Output : unsigned { kExit, kClint, kPlic, kUart, kNvdla, kDram, kSram };
  static std::vector<Window> windows(const PlatformConfig& platform, bool sram);
  void add_nvdla(const HwConfig& hw, const TimingParams& timing);
  void host_thread();
  void host_write(const BusWrite& write);
  void pause(End end);

  const PlatformConfig platform_;
  Router router_;
  iss::Core core_;
  devices::Clint clint_;
  devices::Plic plic_;
  devices::Uart uart_;
  devices::TestFinisher exit_;
  nvdla::Nvdla nvdla_;
  std::vector<std::unique_ptr<nvdla::Nvdla>> more_nvdla_;
  Ram dram_;
  std::unique_ptr<Ram> sram_;
  std::unique_ptr<CoreMemory> core_memory_;
  tlm_utils::simple_initiator_socket<Soc> host_{"host"};
  sc_core::sc_signal<bool> irq_software_, irq_timer_, irq_external_, irq_nvdla_, irq_uart_;
  std::vector<std::unique_ptr<sc_core::sc_signal<bool>>> more_irqs_;
  sc_core::sc_event restart_;
  std::vector<BusWrite> host_writes_;
  bool started_ = false, ended_ = false;
  End end_ = End::kStarved;
  int exit_code_ = 0;
};

}  // namespace dlavp::vp
