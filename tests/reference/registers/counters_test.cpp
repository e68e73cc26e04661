// Performance counters of small programs against what the Verilated RTL of nv_small showed for the
// same registers (memory latency 32, enables three cycles apart; the counts depend on no data).
#include <catch2/catch.hpp>
#include <initializer_list>

#include "models/mcif/memory_timing.hpp"
#include "models/nvdla/accelerator.hpp"
#include "tests/reference/registers/counter_programs.hpp"

using namespace dlavp;
using namespace dlavp::reference;

namespace {

constexpr sim::Cycle kLatency = 32, kBetweenWrites = 3, kPatience = 100'000;

class Bench {
 public:
  /// A register access every third cycle; the enables come last, in the order given.
  void run(std::initializer_list<const Registers*> units, unsigned group) {
    for (const Registers* unit : units) {
      write(*unit, 4, group);
      for (const auto& [offset, value] : unit->values()) write(*unit, offset, value);
    }
    for (const Registers* unit : units) write(*unit, op_enable_offset(*unit), 1);
  }
  void finish(size_t operations) {
    while (chip_.events().now() < kPatience && chip_.events().run_next()) {
    }
    REQUIRE(chip_.program_errors().text().empty());
    REQUIRE(chip_.operations().size() == operations);
  }
  uint32_t read(const regs::UnitTable& table, uint32_t offset, unsigned group) {
    const auto base = static_cast<uint32_t>(table.base(hw_.hw));
    chip_.csb_write(base + 4, group);
    return chip_.csb_read(base + offset);
  }
  nvdla::Accelerator& chip() { return chip_; }

 private:
  void write(const Registers& unit, uint32_t offset, uint32_t value) {
    chip_.events().run_until(chip_.events().now() + kBetweenWrites);
    chip_.csb_write(static_cast<uint32_t>(unit.table().base(hw_.hw)) + offset, value);
  }

  const HwConfig hw_ = load_hw_config("nv_small").value();
  const TimingParams timing_ = TimingParams::load(hw_).value();
  SparseMemory memory_;
  mcif::FixedLatencyMemory memory_timing_{kLatency};
  nvdla::Accelerator chip_{hw_, timing_, {&memory_, nullptr, &memory_timing_, nullptr}};
};

}  // namespace

TEST_CASE("counters: the stalls of PDP add up over operations") {
  Bench bench;
  for (const unsigned group : {0u, 1u}) {
    const Program p = counted_pooling(group == 0 ? 5 : 3);
    bench.run({&p.pdp_rdma, &p.pdp}, group);
  }
  bench.finish(2);
  CHECK(bench.read(regs::kPdpRdma, regs::pdp_rdma::D_PERF_READ_STALL, 0) == 239);
  CHECK(bench.read(regs::kPdpRdma, regs::pdp_rdma::D_PERF_READ_STALL, 1) == 239);
  CHECK(bench.read(regs::kPdp, regs::pdp::D_PERF_WRITE_STALL, 0) == 0);
  CHECK(bench.read(regs::kPdp, regs::pdp::D_PERF_WRITE_STALL, 1) == 0);
}

TEST_CASE("counters: the stalls of CDP add up over operations") {
  Bench bench;
  for (const unsigned group : {0u, 1u}) {
    const Program p = counted_copy_by_cdp(group == 0 ? 5 : 3);
    bench.run({&p.cdp_rdma, &p.cdp}, group);
  }
  bench.finish(2);
  CHECK(bench.read(regs::kCdpRdma, regs::cdp_rdma::D_PERF_READ_STALL, 0) == 610);
  CHECK(bench.read(regs::kCdpRdma, regs::cdp_rdma::D_PERF_READ_STALL, 1) == 842);
  CHECK(bench.read(regs::kCdp, regs::cdp::D_PERF_WRITE_STALL, 0) == 0);
  CHECK(bench.read(regs::kCdp, regs::cdp::D_PERF_WRITE_STALL, 1) == 0);
}

TEST_CASE("counters: SDP's read and write stalls") {
  Bench bench;
  const Program p = counted_sum_by_sdp();
  bench.run({&p.sdp_rdma, &p.sdp}, 0);
  bench.finish(1);
  CHECK(bench.read(regs::kSdpRdma, regs::sdp_rdma::D_PERF_MRDMA_READ_STALL, 0) == 1499);
  CHECK(bench.read(regs::kSdpRdma, regs::sdp_rdma::D_PERF_BRDMA_READ_STALL, 0) == 1438);
  CHECK(bench.read(regs::kSdp, regs::sdp::D_PERF_WDMA_WRITE_STALL, 0) == 0);
}

TEST_CASE("counters: SDP runs ahead of PDP on the fly as far as the RTL's registers let it") {
  Bench bench;
  const Program p = convolution_into_pooling();
  bench.run({&p.pdp, &p.sdp, &p.cacc, &p.cmac_a, &p.cmac_b, &p.csc, &p.cdma}, 0);
  const sim::Cycle enabled = bench.chip().events().now();
  bench.finish(3);
  constexpr sim::Cycle kToStatus =
      2;  // from a unit's pulse to its bit in GLB, where the RTL was read
  for (const OpRecord& op : bench.chip().operations()) {
    CAPTURE(op.unit);
    if (op.unit == "SDP") CHECK(op.done + kToStatus - enabled == 489);
    if (op.unit == "PDP") CHECK(op.done + kToStatus - enabled == 554);
  }
}

TEST_CASE("counters: stalls of CDMA's weights; nothing stays enabled") {
  Bench bench;
  const Program p = counted_convolution();
  bench.run({&p.sdp, &p.cacc, &p.cmac_a, &p.cmac_b, &p.csc, &p.cdma}, 0);
  bench.finish(2);
  CHECK(bench.read(regs::kCdma, regs::cdma::D_PERF_WT_READ_STALL, 0) == 552);
  CHECK(bench.read(regs::kCdma, regs::cdma::D_PERF_WT_READ_LATENCY, 0) == 0);
  CHECK(bench.chip().busy_blocks().empty());
  CHECK(bench.read(regs::kCdma, regs::cdma::S_STATUS, 0) == 0);
  CHECK(bench.read(regs::kCsc, regs::csc::S_STATUS, 0) == 0);
}
