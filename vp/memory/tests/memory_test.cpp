// Memories: bytes, DMI, the two timing models.
#include <tlm_utils/simple_initiator_socket.h>
#include <catch2/catch.hpp>

#include "vp/memory/core_memory.hpp"
#include "vp/memory/ram.hpp"

using namespace dlavp;

TEST_CASE("storage: flat and paged memories keep bytes across chunk borders") {
  for (const uint64_t size : {uint64_t{4} << 20, uint64_t{1} << 40}) {
    vp::Storage s(size);
    const std::vector<uint8_t> out = {1, 2, 3, 4};
    std::vector<uint8_t> in(4);
    s.write((1 << 20) - 2, out);
    s.read((1 << 20) - 2, in);
    CHECK(in == out);
    s.fill((1 << 20) - 1, 2, 0xaa);
    s.read((1 << 20) - 2, in);
    CHECK(in == std::vector<uint8_t>{1, 0xaa, 0xaa, 4});
    s.fill(0, 3 << 20, 0);
    s.read((1 << 20) - 2, in);
    CHECK(in == std::vector<uint8_t>{0, 0, 0, 0});
    CHECK(s.contains(size - 1, 1));
    CHECK_FALSE(s.contains(size - 1, 2));
    CHECK_FALSE(s.contains(~uint64_t{0}, 2));
  }
}

TEST_CASE(
    "ram: timing-only transactions give the fixed latency, in request order, and move no data") {
  const nvdla::Clock clock{sc_core::sc_time(1, sc_core::SC_NS)};
  MemoryConfig config;
  config.latency_cycles = 32;
  vp::Ram ram("ram", 1 << 16, config, clock);
  struct Probe : sc_core::sc_module {
    tlm_utils::simple_initiator_socket<Probe> socket{"socket"};
    explicit Probe(const sc_core::sc_module_name& name) : sc_module(name) {}
  } probe("probe");
  probe.socket.bind(ram.socket);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  nvdla::TlmTiming timing(clock);
  timing.bind(probe.socket.operator->());
  const auto first = timing.read(10, 0, 2, 8), second = timing.read(10, 64, 1, 8);
  CHECK(first.first == 42);
  CHECK(first.last == 43);
  CHECK(second.first == 44);
  CHECK(timing.write(10, 0, 1, 8) == 42);

  nvdla::TlmMemory bytes(probe.socket.operator->());
  const uint8_t out[2] = {7, 8};
  CHECK(bytes.write(0xfffe, out));
  CHECK_FALSE(bytes.write(0xffff, out));
  uint8_t in[2] = {};
  ram.storage().read(0xfffe, in);
  CHECK(in[0] == 7);
  CHECK(in[1] == 8);  // the refused write moved nothing
}

TEST_CASE("ram: loads and stores pay the latency and are refused outside") {
  const nvdla::Clock clock{sc_core::sc_time(1, sc_core::SC_NS)};
  vp::Ram ram("ram", 4096, MemoryConfig{}, clock);
  struct Probe : sc_core::sc_module {
    tlm_utils::simple_initiator_socket<Probe> socket{"socket"};
    explicit Probe(const sc_core::sc_module_name& name) : sc_module(name) {}
  } probe("probe");
  probe.socket.bind(ram.socket);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  uint8_t data[4] = {1, 2, 3, 4}, enable[2] = {0xff, 0};
  tlm::tlm_generic_payload payload;
  payload.set_command(tlm::TLM_WRITE_COMMAND);
  payload.set_address(8);
  payload.set_data_ptr(data);
  payload.set_data_length(4);
  payload.set_streaming_width(4);
  payload.set_byte_enable_ptr(enable);
  payload.set_byte_enable_length(2);
  sc_core::sc_time delay;
  probe.socket->b_transport(payload, delay);
  CHECK(payload.is_response_ok());
  CHECK(delay == sc_core::sc_time(32, sc_core::SC_NS));
  uint8_t in[4] = {};
  ram.storage().read(8, in);
  CHECK(std::vector<uint8_t>(in, in + 4) == std::vector<uint8_t>{1, 0, 3, 0});
  payload.set_address(4094);
  probe.socket->b_transport(payload, delay);
  CHECK(payload.get_response_status() == tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST_CASE("core memory: without a cache each load asks the memory, stores are posted") {
  const nvdla::Clock clock{sc_core::sc_time(1, sc_core::SC_NS)};
  vp::Ram ram("ram", 4096, MemoryConfig{}, clock);
  vp::CoreMemory memory("memory", Window{0, 4096}, {.traffic = CoreTraffic::kUncached}, 8);
  struct Probe : sc_core::sc_module {
    tlm_utils::simple_initiator_socket<Probe> socket{"socket"};
    explicit Probe(const sc_core::sc_module_name& name) : sc_module(name) {}
  } probe("probe");
  probe.socket.bind(memory.in);
  memory.out.bind(ram.socket);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  uint64_t word = 0x0102030405060708;
  tlm::tlm_generic_payload payload;
  payload.set_command(tlm::TLM_WRITE_COMMAND);
  payload.set_address(16);
  payload.set_data_ptr(reinterpret_cast<unsigned char*>(&word));
  payload.set_data_length(8);
  payload.set_streaming_width(8);
  sc_core::sc_time delay;
  probe.socket->b_transport(payload, delay);
  CHECK(payload.is_response_ok());
  CHECK(delay == sc_core::SC_ZERO_TIME);
  word = 0;
  payload.set_command(tlm::TLM_READ_COMMAND);
  probe.socket->b_transport(payload, delay);
  CHECK(word == 0x0102030405060708);
  CHECK(delay == sc_core::sc_time(32, sc_core::SC_NS));
  tlm::tlm_dmi dmi;
  CHECK_FALSE(probe.socket->get_direct_mem_ptr(payload, dmi));
  CHECK(dmi.get_end_address() == 4095);
  CHECK(memory.statistics().accesses == 2);
  CHECK(memory.statistics().read_bytes == 8);
  CHECK(memory.statistics().written_bytes == 8);
}

TEST_CASE("core memory: what the core reads takes bandwidth from the accelerator") {
  const nvdla::Clock clock{sc_core::sc_time(1, sc_core::SC_NS)};
  MemoryConfig config;
  config.kind = MemoryKind::kBandwidth;
  config.bytes_per_cycle = 8;
  vp::Ram ram("ram", 4096, config, clock);
  vp::CoreMemory memory(
      "memory", Window{0, 4096},
      {.traffic = CoreTraffic::kCached, .bytes = 1024, .line_bytes = 64, .ways = 2}, 8);
  struct Probe : sc_core::sc_module {
    tlm_utils::simple_initiator_socket<Probe> socket{"socket"};
    explicit Probe(const sc_core::sc_module_name& name) : sc_module(name) {}
  } core("core");
  core.socket.bind(memory.in);
  memory.out.bind(ram.socket);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  nvdla::TlmTiming dbb(clock);
  dbb.bind(memory.out.operator->());
  uint64_t word = 0;
  tlm::tlm_generic_payload payload;
  payload.set_command(tlm::TLM_READ_COMMAND);
  payload.set_data_ptr(reinterpret_cast<unsigned char*>(&word));
  payload.set_data_length(8);
  payload.set_streaming_width(8);
  const auto load = [&](uint64_t address) {
    payload.set_address(address);
    sc_core::sc_time delay;
    core.socket->b_transport(payload, delay);
    return clock.ceil(delay);
  };
  CHECK(load(0) == 32 + 7);                // a line of eight beats
  CHECK(load(56) == 0);                    // a hit
  CHECK(dbb.read(0, 0, 1, 8).first == 40);  // behind the line
  CHECK(load(64) == 48);                    // and the other way round: beats 41 to 48
  CHECK(memory.cache()->misses() == 2);
  CHECK(memory.statistics().read_bytes == 128);
}
