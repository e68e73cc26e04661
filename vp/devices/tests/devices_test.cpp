// The register maps of CLINT, PLIC, UART and exit device, driven over TLM without a core.
#include <tlm_utils/simple_initiator_socket.h>
#include <catch2/catch.hpp>
#include <cstring>
#include <sstream>

#include "vp/devices/clint.hpp"
#include "vp/devices/plic.hpp"
#include "vp/devices/test_finisher.hpp"
#include "vp/devices/uart.hpp"

using namespace dlavp::devices;
using sc_core::sc_start;
using sc_core::sc_time;

namespace {

/// One device with a driver that makes single accesses.
class Driver : public sc_core::sc_module {
 public:
  tlm_utils::simple_initiator_socket<Driver> socket{"socket"};
  explicit Driver(const sc_core::sc_module_name& name = "driver") : sc_module(name) {}

  tlm::tlm_response_status access(tlm::tlm_command command, uint64_t offset, unsigned bytes,
                                  uint64_t& value) {
    tlm::tlm_generic_payload p;
    sc_time delay = sc_core::SC_ZERO_TIME;
    p.set_command(command);
    p.set_address(offset);
    p.set_data_ptr(reinterpret_cast<uint8_t*>(&value));
    p.set_data_length(bytes);
    p.set_streaming_width(bytes);
    socket->b_transport(p, delay);
    sc_start(sc_core::SC_ZERO_TIME);
    sc_start(sc_core::SC_ZERO_TIME);
    sc_start(sc_core::SC_ZERO_TIME);
    return p.get_response_status();
  }
  void write(uint64_t offset, unsigned bytes, uint64_t value) {
    REQUIRE(access(tlm::TLM_WRITE_COMMAND, offset, bytes, value) == tlm::TLM_OK_RESPONSE);
  }
  uint64_t read(uint64_t offset, unsigned bytes) {
    uint64_t value = 0;
    REQUIRE(access(tlm::TLM_READ_COMMAND, offset, bytes, value) == tlm::TLM_OK_RESPONSE);
    return value;
  }
  uint64_t debug_read(uint64_t offset, unsigned bytes) {
    tlm::tlm_generic_payload p;
    uint64_t value = 0;
    p.set_read();
    p.set_address(offset);
    p.set_data_ptr(reinterpret_cast<uint8_t*>(&value));
    p.set_data_length(bytes);
    p.set_streaming_width(bytes);
    REQUIRE(socket->transport_dbg(p) == bytes);
    return value;
  }
};

using Wire = sc_core::sc_signal<bool>;

}  // namespace

TEST_CASE("clint: mtime follows simulated time and the timer rises at its tick") {
  Driver d;
  Clint clint("clint");
  Wire software("software");
  Wire timer("timer");
  d.socket.bind(clint.socket);
  clint.irq_software.bind(software);
  clint.irq_timer.bind(timer);
  sc_start(sc_time(1, sc_core::SC_US));
  CHECK(timer.read());  // mtimecmp is 0 at reset
  CHECK(d.read(Clint::kMtime, 8) == 10);
  d.write(Clint::kMtimecmp, 8, 25);
  CHECK_FALSE(timer.read());
  sc_start(sc_time(1499, sc_core::SC_NS));
  CHECK_FALSE(timer.read());
  sc_start(sc_time(1, sc_core::SC_NS));
  sc_start(sc_core::SC_ZERO_TIME);
  CHECK(timer.read());
  d.write(Clint::kMtimecmp + 4, 4, 1);
  CHECK_FALSE(timer.read());
  CHECK(d.read(Clint::kMtimecmp, 8) == (uint64_t{1} << 32) + 25);
  d.write(Clint::kMtime, 8, uint64_t{2} << 32);
  CHECK(timer.read());
  CHECK(d.read(Clint::kMtime + 4, 4) == 2);
  d.write(Clint::kMsip, 4, 0xFF);
  CHECK(software.read());
  CHECK(d.read(Clint::kMsip, 4) == 1);
  d.write(Clint::kMsip, 4, 0);
  CHECK_FALSE(software.read());
}

TEST_CASE("plic: priority, enable, threshold, claim and complete") {
  Driver d;
  Plic plic("plic", 40);
  Wire irq("irq");
  Wire low("low");
  Wire high("high");
  d.socket.bind(plic.socket);
  plic.irq.bind(irq);
  plic.lines[3].bind(low);
  plic.lines[35].bind(high);
  sc_start(sc_core::SC_ZERO_TIME);
  d.write(Plic::kPriority + 4 * 3, 4, 2);
  d.write(Plic::kPriority + 4 * 35, 4, 5);
  low.write(true);
  high.write(true);
  for (int i = 0; i < 4; ++i) sc_start(sc_core::SC_ZERO_TIME);
  CHECK(d.read(Plic::kPending, 4) == 1 << 3);
  CHECK(d.read(Plic::kPending + 4, 4) == 1 << 3);
  CHECK_FALSE(irq.read());  // nothing enabled
  d.write(Plic::kEnable, 4, ~uint64_t{0});
  CHECK(d.read(Plic::kEnable, 4) == 0xFFFFFFFE);  // source 0 does not exist
  d.write(Plic::kEnable + 4, 4, 1 << 3);
  CHECK(irq.read());
  CHECK(d.debug_read(Plic::kClaim, 4) == 35);  // looking does not claim
  CHECK(d.read(Plic::kClaim, 4) == 35);        // the higher priority first
  CHECK(d.read(Plic::kClaim, 4) == 3);
  CHECK(d.read(Plic::kClaim, 4) == 0);
  CHECK_FALSE(irq.read());
  low.write(false);
  sc_start(sc_core::SC_ZERO_TIME);
  d.write(Plic::kClaim, 4, 35);
  d.write(Plic::kClaim, 4, 3);
  CHECK(irq.read());  // 35 is still high
  d.write(Plic::kThreshold, 4, 5);
  CHECK_FALSE(irq.read());
  d.write(Plic::kThreshold, 4, 4);
  CHECK(irq.read());
  CHECK(d.read(Plic::kPending, 4) == 0);
  high.write(false);
  for (int i = 0; i < 4; ++i) sc_start(sc_core::SC_ZERO_TIME);
  CHECK(irq.read());  // a request that was made is not taken back
  CHECK(d.read(Plic::kClaim, 4) == 35);
  d.write(Plic::kClaim, 4, 35);
  CHECK_FALSE(irq.read());
}

TEST_CASE("uart: characters leave at once and the divisor latch hides them") {
  std::ostringstream out;
  Driver d;
  Uart uart("uart", out);
  Wire irq("irq");
  d.socket.bind(uart.socket);
  uart.irq.bind(irq);
  sc_start(sc_core::SC_ZERO_TIME);
  d.write(Uart::kLcr, 1, 0x83);
  d.write(Uart::kThr, 1, 'x');
  d.write(Uart::kLcr, 1, 0x03);
  d.write(Uart::kThr, 1, 'a');
  d.write(Uart::kThr, 1, 'b');
  CHECK(out.str() == "ab");
  CHECK((d.read(Uart::kLsr, 1) & 0x60) == 0x60);
  CHECK_FALSE(irq.read());
  d.write(Uart::kIer, 1, 2);
  CHECK(irq.read());
  CHECK(d.read(Uart::kIir, 1) == 2);  // acknowledged by being read
  CHECK_FALSE(irq.read());
  CHECK(d.read(Uart::kIir, 1) == 1);
  d.write(Uart::kThr, 1, 'c');
  CHECK(irq.read());
}

TEST_CASE("devices: wrong sizes and addresses get an error response") {
  std::ostringstream out;
  Driver d;
  Uart uart("uart", out);
  Wire irq("irq");
  d.socket.bind(uart.socket);
  uart.irq.bind(irq);
  uint64_t value = 0;
  CHECK(d.access(tlm::TLM_READ_COMMAND, 0, 4, value) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
  CHECK(d.access(tlm::TLM_READ_COMMAND, Uart::kSizeBytes, 1, value) ==
        tlm::TLM_ADDRESS_ERROR_RESPONSE);
  CHECK(d.access(tlm::TLM_WRITE_COMMAND, 0, 3, value) == tlm::TLM_BURST_ERROR_RESPONSE);
  CHECK(d.access(tlm::TLM_WRITE_COMMAND, 1, 2, value) == tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST_CASE("test finisher: the written word decides the exit code") {
  std::vector<int> codes;
  Driver d;
  TestFinisher finisher("finisher", [&](int code) { codes.push_back(code); });
  d.socket.bind(finisher.socket);
  d.write(0, 4, 0x5555);
  d.write(0, 4, 0x00073333);
  d.write(0, 4, 0x7777);
  d.write(0, 4, 0x1234);
  d.write(4, 4, 0x5555);
  CHECK(codes == std::vector<int>{0, 7, 1});
}
