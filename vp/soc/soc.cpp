#include "vp/soc/soc.hpp"

namespace dlavp::vp {

namespace {

constexpr uint32_t kCoreBeatBytes = 8;  ///< width of an RV64 core's port

sc_core::sc_time period(double hz) { return sc_core::sc_time(1e12 / hz, sc_core::SC_PS); }

iss::CoreParams core_params(const PlatformConfig& platform) {
  iss::CoreParams params;
  params.clock_period = period(platform.core_clock_hz);
  params.cpu.reset_pc = platform.dram_window.base;
  return params;
}

}  // namespace

std::vector<Window> Soc::windows(const PlatformConfig& p, bool sram) {
  std::vector<Window> all{kExitWindow,   p.clint_window, p.plic_window,
                          p.uart_window, p.nvdla_window, p.dram_window};
  if (sram) all.push_back(p.sram_window);
  for (const NvdlaInstance& more : p.more_nvdla) all.push_back(more.window);
  return all;
}

Soc::Soc(const sc_core::sc_module_name& name, const HwConfig& hw, const TimingParams& timing,
         const PlatformConfig& platform, const iss::CostTable& costs, std::ostream& uart)
    : sc_module(name),
      platform_(platform),
      router_("router", kInputs + 2 * static_cast<unsigned>(platform.more_nvdla.size()),
              windows(platform, hw.secondary_memif.has_value())),
      core_("core", core_params(platform), costs),
      clint_("clint"),
      plic_("plic"),
      uart_("uart", uart),
      exit_("exit",
            [this](int code) {
              exit_code_ = code;
              pause(End::kExit);
            }),
      nvdla_("nvdla", hw, timing, period(platform.nvdla_clock_hz), platform.mode),
      dram_("dram", platform.dram_window.size, platform.dram, nvdla_.clock()) {
  if (platform.core.traffic == CoreTraffic::kFree) {
    core_.bus.bind(router_.inputs[kCore]);
  } else {
    core_memory_ = std::make_unique<CoreMemory>("core_memory", platform.dram_window, platform.core,
                                                kCoreBeatBytes);
    core_.bus.bind(core_memory_->in);
    core_memory_->out.bind(router_.inputs[kCore]);
  }
  host_.bind(router_.inputs[kHost]);
  nvdla_.dbb.bind(router_.inputs[kDbb]);
  router_.outputs[kExit].bind(exit_.socket);
  router_.outputs[kClint].bind(clint_.socket);
  router_.outputs[kPlic].bind(plic_.socket);
  router_.outputs[kUart].bind(uart_.socket);
  router_.outputs[kNvdla].bind(nvdla_.csb);
  router_.outputs[kDram].bind(dram_.socket);
  nvdla_.cvsram.bind(router_.inputs[kCvsram]);
  if (hw.secondary_memif) {
    sram_ = std::make_unique<Ram>("sram", platform.sram_window.size, platform.sram, nvdla_.clock());
    router_.outputs[kSram].bind(sram_->socket);
  }
  core_.irq_software(irq_software_);
  clint_.irq_software(irq_software_);
  core_.irq_timer(irq_timer_);
  clint_.irq_timer(irq_timer_);
  core_.irq_external(irq_external_);
  plic_.irq(irq_external_);
  uart_.irq(irq_uart_);
  nvdla_.interrupt(irq_nvdla_);
  plic_.lines[platform.nvdla_irq].bind(irq_nvdla_);
  add_nvdla(hw, timing);
  nvdla_.accelerator().on_program_error([this](const Diagnostics&) { pause(End::kProgramError); });
  SC_HAS_PROCESS(Soc);
  SC_THREAD(host_thread);
}

// Every accelerator has its own ports into the interconnect, behind which they wait for one
// another.
void Soc::add_nvdla(const HwConfig& hw, const TimingParams& timing) {
  unsigned input = kInputs, output = kSram + (hw.secondary_memif ? 1 : 0);
  for (const NvdlaInstance& more : platform_.more_nvdla) {
    const std::string name = fmt::format("nvdla_{}", more_nvdla_.size() + 2);
    auto& added = *more_nvdla_.emplace_back(std::make_unique<nvdla::Nvdla>(
        name.c_str(), hw, timing, period(platform_.nvdla_clock_hz), platform_.mode));
    auto& line = *more_irqs_.emplace_back(std::make_unique<sc_core::sc_signal<bool>>());
    added.dbb.bind(router_.inputs[input++]);
    added.cvsram.bind(router_.inputs[input++]);
    router_.outputs[output++].bind(added.csb);
    added.interrupt(line);
    added.accelerator().on_program_error([this](const Diagnostics&) { pause(End::kProgramError); });
    plic_.lines[more.irq].bind(line);
  }
}

void Soc::pause(End end) {
  // The first cause counts: a unit that refused its program keeps the firmware waiting.
  if (!ended_) end_ = end;
  ended_ = true;
  sc_core::sc_pause();
}

void Soc::host_write(const BusWrite& write) {
  uint32_t value = write.value;
  tlm::tlm_generic_payload payload;
  payload.set_command(tlm::TLM_WRITE_COMMAND);
  payload.set_address(write.address);
  payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
  payload.set_data_length(sizeof value);
  payload.set_streaming_width(sizeof value);
  sc_core::sc_time delay;
  host_->b_transport(payload, delay);
  DLAVP_CHECK(payload.is_response_ok(), "a write to {:#x} is refused", write.address);
  wait(delay);
}

void Soc::host_thread() {
  for (bool first = true;; first = false) {
    if (!first) wait(restart_);
    for (const BusWrite& write : std::exchange(host_writes_, {})) host_write(write);
    if (!first) host_write({platform_.clint_window.base + devices::Clint::kMsip, 1});
  }
}

Soc::End Soc::run() {
  ended_ = false;
  end_ = End::kStarved;
  exit_code_ = 0;
  if (started_) restart_.notify(sc_core::SC_ZERO_TIME);
  started_ = true;
  sc_core::sc_start();
  return end_;
}

void Soc::recover() {
  nvdla_.accelerator().reset();
  // A firmware in the middle of a program may enable what is left of it: refused again.
  while (end_ == End::kProgramError) {
    ended_ = false;
    end_ = End::kStarved;
    sc_core::sc_start();
    DLAVP_CHECK(end_ != End::kStarved, "the firmware of a refused program never ends");
    nvdla_.accelerator().reset();
  }
}

bool Soc::write(uint64_t address, std::span<const uint8_t> bytes) {
  const uint64_t offset = address - platform_.dram_window.base;
  if (!dram_.storage().contains(offset, bytes.size())) return false;
  dram_.storage().write(offset, bytes);
  return true;
}

bool Soc::read(uint64_t address, std::span<uint8_t> bytes) {
  const uint64_t offset = address - platform_.dram_window.base;
  if (!dram_.storage().contains(offset, bytes.size())) return false;
  dram_.storage().read(offset, bytes);
  return true;
}

}  // namespace dlavp::vp
