// Memories: bytes, DMI, the two timing models.
#include <tlm_utils/simple_initiator_socket.h>
#include <catch2/catch.hpp>

#include "vp/memory/dram_timing.hpp"
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

TEST_CASE("dram: the first access of a row misses, the next hits, the bus limits a stream") {
  vp::DramTiming dram({.banks = 2,
                       .row_bytes = 1024,
                       .row_hit_cycles = 10,
                       .row_miss_cycles = 30,
                       .bytes_per_cycle = 8,
                       .write_ack_cycles = 5});
  CHECK(dram.read(0, 0, 4, 8).first == 30);
  const auto second = dram.read(1, 32, 4, 8);
  CHECK(second.first == 34);  // behind the first one's four beats, though it hits
  CHECK(second.last == 37);
  CHECK(dram.row_hits() == 1);
  CHECK(dram.row_misses() == 1);
  CHECK(dram.read(100, 2048, 1, 8).first == 130);  // the same bank, another row
  CHECK(dram.write(200, 2048, 1, 8) == 215);
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
