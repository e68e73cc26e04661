// The SystemC shell: register access over TLM, the interrupt line's exact time, independence of the
// initiator's quantum, memory ports.
#include "models/nvdla/nvdla.hpp"

#include <catch2/catch.hpp>
#include <cstring>

#include "registers.hpp"

using namespace dlavp;
using sc_core::sc_time;

namespace {

constexpr uint32_t kGlbBase = 0x1000;

/// A memory that answers after 20 ns and knows nothing of TimingOnly.
struct PlainMemory : sc_core::sc_module {
  tlm_utils::simple_target_socket<PlainMemory> socket;
  SparseMemory bytes;
  explicit PlainMemory(const sc_core::sc_module_name& name) : sc_module(name), socket("socket") {
    socket.register_b_transport(this, &PlainMemory::b_transport);
    socket.register_transport_dbg(this, &PlainMemory::transport_dbg);
  }
  void b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
    delay += sc_time(20, sc_core::SC_NS);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) {
    if (payload.get_address() >= 0x1000) return 0;
    const unsigned n = payload.get_data_length();
    if (payload.is_write()) (void)bytes.write(payload.get_address(), {payload.get_data_ptr(), n});
    if (payload.is_read()) (void)bytes.read(payload.get_address(), {payload.get_data_ptr(), n});
    return n;
  }
};

/// Sets, observes and clears an interrupt, with register accesses `ahead` of SystemC's time.
struct Driver : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<Driver> socket;
  sc_core::sc_in<bool> interrupt;
  sc_time ahead;
  std::vector<sc_time> rises, falls;
  uint32_t version = 0, status = 0;
  std::vector<tlm::tlm_response_status> refusals;

  Driver(const sc_core::sc_module_name& name, sc_time local)
      : sc_module(name), socket("socket"), ahead(local) {
    SC_HAS_PROCESS(Driver);
    SC_THREAD(run);
    SC_METHOD(watch);
    sensitive << interrupt;
    dont_initialize();
  }
  void watch() { (interrupt.read() ? rises : falls).push_back(sc_core::sc_time_stamp()); }
  tlm::tlm_response_status access(bool write, uint64_t address, uint32_t& value, sc_time& delay,
                                  unsigned bytes = 4) {
    tlm::tlm_generic_payload payload;
    payload.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    payload.set_address(address);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    payload.set_byte_enable_ptr(nullptr);
    socket->b_transport(payload, delay);
    return payload.get_response_status();
  }
  void run() {
    sc_time delay = ahead;  // as a decoupled core, ahead of SystemC
    if (ahead == sc_core::SC_ZERO_TIME) wait(100, sc_core::SC_NS);
    access(false, kGlbBase, version, delay);
    wait(sc_time(200, sc_core::SC_NS) - sc_core::sc_time_stamp());
    uint32_t bit = 1;
    delay = sc_core::SC_ZERO_TIME;
    access(true, kGlbBase + regs::glb::S_INTR_SET, bit, delay);
    wait(49, sc_core::SC_NS);  // and the write's own cycle
    access(false, kGlbBase + regs::glb::S_INTR_STATUS, status, delay);
    delay = sc_core::SC_ZERO_TIME;
    access(true, kGlbBase + regs::glb::S_INTR_STATUS, bit, delay);
    uint32_t word[2] = {};
    for (const auto& [address, bytes] :
         {std::pair(0x1002u, 4u), std::pair(0x1000u, 2u), std::pair(0x1000u, 8u)})
      refusals.push_back(access(false, address, word[0], delay, bytes));
  }
};

void play(sc_time ahead) {
  const HwConfig hw = *load_hw_config("nv_small");
  nvdla::Nvdla dut("nvdla", hw, *TimingParams::load(hw), sc_time(1, sc_core::SC_NS));
  PlainMemory memory("memory");
  Driver driver("driver", ahead);
  sc_core::sc_signal<bool> line;
  driver.socket.bind(dut.csb);
  driver.interrupt(line);
  dut.interrupt(line);
  dut.dbb.bind(memory.socket);
  sc_core::sc_start();
  CHECK(driver.version == 0x303031);
  CHECK(driver.status == 1);
  const auto ns = [](int n) { return sc_time(n, sc_core::SC_NS); };
  CHECK(driver.rises == std::vector<sc_time>{ns(204)});
  CHECK(driver.falls == std::vector<sc_time>{ns(250 + 4)});
  CHECK(driver.refusals == std::vector<tlm::tlm_response_status>{tlm::TLM_ADDRESS_ERROR_RESPONSE,
                                                                 tlm::TLM_BURST_ERROR_RESPONSE,
                                                                 tlm::TLM_BURST_ERROR_RESPONSE});
}

}  // namespace

TEST_CASE("nvdla: registers over TLM, and the interrupt line at its exact time") {
  play(sc_core::SC_ZERO_TIME);
}

TEST_CASE("nvdla: an initiator that runs ahead of SystemC gets the same times") {
  play(sc_time(100, sc_core::SC_NS));
}

TEST_CASE("nvdla: a memory port gives bytes by debug transport and time by the annotated delay") {
  PlainMemory memory("memory");
  struct Probe : sc_core::sc_module {
    tlm_utils::simple_initiator_socket<Probe> socket{"socket"};
    explicit Probe(const sc_core::sc_module_name& name) : sc_module(name) {}
  } probe("probe");
  probe.socket.bind(memory.socket);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  nvdla::TlmMemory bytes(probe.socket.operator->());
  const uint8_t out[3] = {1, 2, 3};
  uint8_t in[3] = {};
  CHECK(bytes.write(0x100, out));
  CHECK(bytes.read(0x100, in));
  CHECK(std::memcmp(in, out, 3) == 0);
  CHECK_FALSE(bytes.read(0x2000, in));
  nvdla::TlmTiming timing(nvdla::Clock{sc_time(2, sc_core::SC_NS)});
  timing.bind(probe.socket.operator->());
  const auto beats = timing.read(5, 0, 4, 8);  // 10 ns + 20 ns: the last beat in cycle 15
  CHECK(beats.last == 15);
  CHECK(beats.first == 12);
  CHECK(timing.write(5, 0, 1, 8) == 15);
}
