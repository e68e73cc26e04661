// A small SystemC platform for module tests, with the address map of QEMU's virt machine: memory
// with DMI, CLINT, PLIC, UART, exit device, and one interrupt line that the test drives.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <cstring>
#include <sstream>
#include <vector>

#include "vp/devices/clint.hpp"
#include "vp/devices/plic.hpp"
#include "vp/devices/test_finisher.hpp"
#include "vp/devices/uart.hpp"
#include "vp/iss/core.hpp"

namespace dlavp::iss::test {

class TestPlatform : public sc_core::sc_module {
 public:
  static constexpr uint64_t kRamBase = 0x80000000, kRamBytes = 1 << 20;
  static constexpr uint64_t kClint = 0x2000000, kPlic = 0xC000000, kUart = 0x10000000;
  static constexpr uint64_t kExit = 0x100000;
  static constexpr unsigned kTestSource = 5, kUartSource = 10;

  /// The name is a parameter because SystemC takes its lifetime for that of the construction.
  explicit TestPlatform(const CoreParams& params = {}, bool grant_dmi = true,
                        const sc_core::sc_module_name& name = "platform")
      : sc_module(name),
        core("core", params, CostTable::unit_costs()),
        uart("uart", uart_text),
        finisher("finisher", [this](int code) { core.stop(code); }),
        ram(kRamBytes),
        grant_dmi_(grant_dmi) {
    core.bus.bind(target_);
    target_.register_b_transport(this, &TestPlatform::b_transport);
    target_.register_get_direct_mem_ptr(this, &TestPlatform::get_direct_mem_ptr);
    to_clint_.bind(clint.socket);
    to_plic_.bind(plic.socket);
    to_uart_.bind(uart.socket);
    to_exit_.bind(finisher.socket);
    core.irq_software.bind(software_);
    core.irq_timer.bind(timer_);
    core.irq_external.bind(external_);
    clint.irq_software.bind(software_);
    clint.irq_timer.bind(timer_);
    plic.irq.bind(external_);
    plic.lines[kTestSource].bind(test_line);
    plic.lines[kUartSource].bind(uart_line_);
    uart.irq.bind(uart_line_);
  }

  void load(uint64_t address, const std::vector<uint32_t>& code) {
    std::memcpy(ram.data() + (address - kRamBase), code.data(), code.size() * 4);
  }
  [[nodiscard]] uint64_t read64(uint64_t address) const {
    uint64_t value = 0;
    std::memcpy(&value, ram.data() + (address - kRamBase), sizeof value);
    return value;
  }
  void revoke_dmi() { target_->invalidate_direct_mem_ptr(kRamBase, kRamBase + kRamBytes - 1); }

  std::ostringstream uart_text;
  Core core;
  devices::Clint clint{"clint"};
  devices::Plic plic{"plic", 31};
  devices::Uart uart;
  devices::TestFinisher finisher;
  sc_core::sc_signal<bool> test_line{"test_line"};
  std::vector<uint8_t> ram;
  sc_core::sc_time ram_latency = sc_core::SC_ZERO_TIME;
  unsigned ram_transports = 0;

 private:
  using Initiator = tlm_utils::simple_initiator_socket<TestPlatform>;

  struct Route {
    uint64_t base, size;
    Initiator* socket;
  };

  void b_transport(tlm::tlm_generic_payload& p, sc_core::sc_time& delay) {
    const uint64_t a = p.get_address();
    if (a >= kRamBase && a - kRamBase + p.get_data_length() <= kRamBytes) {
      uint8_t* host = ram.data() + (a - kRamBase);
      if (p.is_read()) std::memcpy(p.get_data_ptr(), host, p.get_data_length());
      if (p.is_write()) std::memcpy(host, p.get_data_ptr(), p.get_data_length());
      delay += ram_latency;
      ++ram_transports;
      return p.set_response_status(tlm::TLM_OK_RESPONSE);
    }
    const Route routes[] = {{kClint, devices::Clint::kSizeBytes, &to_clint_},
                            {kPlic, devices::Plic::kSizeBytes, &to_plic_},
                            {kUart, devices::Uart::kSizeBytes, &to_uart_},
                            {kExit, devices::TestFinisher::kSizeBytes, &to_exit_}};
    for (const Route& r : routes) {
      if (a < r.base || a - r.base >= r.size) continue;
      p.set_address(a - r.base);
      (*r.socket)->b_transport(p, delay);
      return p.set_address(a);
    }
    p.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  }

  bool get_direct_mem_ptr(tlm::tlm_generic_payload& p, tlm::tlm_dmi& dmi) {
    const uint64_t a = p.get_address();
    if (!grant_dmi_ || a < kRamBase || a - kRamBase >= kRamBytes) return false;
    dmi.set_dmi_ptr(ram.data());
    dmi.set_start_address(kRamBase);
    dmi.set_end_address(kRamBase + kRamBytes - 1);
    dmi.allow_read_write();
    return true;
  }

  bool grant_dmi_;
  tlm_utils::simple_target_socket<TestPlatform> target_{"target"};
  Initiator to_clint_{"to_clint"}, to_plic_{"to_plic"}, to_uart_{"to_uart"}, to_exit_{"to_exit"};
  sc_core::sc_signal<bool> software_{"software"}, timer_{"timer"}, external_{"external"};
  sc_core::sc_signal<bool> uart_line_{"uart_line"};
};

}  // namespace dlavp::iss::test
