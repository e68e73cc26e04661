// Two accelerators and the core behind one DRAM: the firmware's network on the first, registers
// written by the test on the second.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "registers.hpp"
#include "tests/platform/platform_fixture.hpp"

namespace dlavp::platform_test {

namespace {

constexpr uint64_t kSecondWindow = 0x30040000;  // of the platform file
constexpr uint64_t kSource = 0xb0000000, kTarget = 0xb8000000;
constexpr uint32_t kWidth = 1024, kHeight = 1024, kAtom = 8;
constexpr uint64_t kBytes = uint64_t{kWidth} * kHeight * kAtom;

/// Registers with which SDP copies a cube, enable last; it takes longer than the firmware's start
/// and the network together.
std::vector<vp::Soc::BusWrite> copy_program(uint64_t window, uint32_t generation) {
  namespace r = regs::sdp;
  namespace rd = regs::sdp_rdma;
  std::vector<vp::Soc::BusWrite> writes;
  const auto set = [&](const regs::UnitTable& unit, uint32_t offset, uint64_t value) {
    writes.push_back({window + static_cast<uint64_t>(unit.base(generation)) + offset,
                      static_cast<uint32_t>(value)});
  };
  for (const auto& [offset, value] :
       std::vector<std::pair<uint32_t, uint64_t>>{{rd::D_DATA_CUBE_WIDTH, kWidth - 1},
                                                  {rd::D_DATA_CUBE_HEIGHT, kHeight - 1},
                                                  {rd::D_DATA_CUBE_CHANNEL, kAtom - 1},
                                                  {rd::D_SRC_BASE_ADDR_LOW, kSource},
                                                  {rd::D_SRC_LINE_STRIDE, kWidth * kAtom},
                                                  {rd::D_SRC_SURFACE_STRIDE, kBytes},
                                                  {rd::D_SRC_DMA_CFG, 1},
                                                  {rd::D_FEATURE_MODE_CFG, 0},
                                                  {rd::D_BRDMA_CFG, 1},
                                                  {rd::D_NRDMA_CFG, 1},
                                                  {rd::D_ERDMA_CFG, 1},
                                                  {rd::D_OP_ENABLE, 1}})
    set(regs::kSdpRdma, offset, value);
  for (const auto& [offset, value] :
       std::vector<std::pair<uint32_t, uint64_t>>{{r::D_DATA_CUBE_WIDTH, kWidth - 1},
                                                  {r::D_DATA_CUBE_HEIGHT, kHeight - 1},
                                                  {r::D_DATA_CUBE_CHANNEL, kAtom - 1},
                                                  {r::D_DST_BASE_ADDR_LOW, kTarget},
                                                  {r::D_DST_LINE_STRIDE, kWidth * kAtom},
                                                  {r::D_DST_SURFACE_STRIDE, kBytes},
                                                  {r::D_DST_DMA_CFG, 1},
                                                  {r::D_DP_BS_CFG, 1},
                                                  {r::D_DP_BN_CFG, 1},
                                                  {r::D_DP_EW_CFG, 1},
                                                  {r::D_CVT_SCALE, 1},
                                                  {r::D_OP_ENABLE, 1}})
    set(regs::kSdp, offset, value);
  return writes;
}

struct Seen {
  std::vector<std::vector<uint8_t>> outputs;
  uint64_t cycles = 0;
};

/// LeNet twice on the first of so many accelerators; on the second, if `busy`, a copy beside the
/// last.
std::vector<Seen> play(size_t accelerators, bool busy) {
  PlatformConfig config = platform_config("two_nvdla");
  config.more_nvdla.resize(accelerators - 1);
  Platform platform("nv_small", config);
  vp::Soc& soc = platform.session->soc();
  REQUIRE(soc.accelerators() == accelerators);
  const auto loadable = data_file("peer_loadables/lenet_nv_small_int8.nvdla");
  const auto network = vp::read_network(loadable, "lenet");
  REQUIRE(network);
  std::vector<uint8_t> source(kBytes);
  for (size_t i = 0; i < source.size(); ++i) source[i] = static_cast<uint8_t>(i * 7 + i / 251);
  REQUIRE(soc.write(kSource, source));
  std::vector<Seen> seen;
  for (int round = 0; round < 2; ++round) {
    if (busy && round == 1)
      soc.write_at_start(copy_program(kSecondWindow, soc.accelerator(1).hw().hw));
    const auto outcome = platform.run(loadable, random_inputs(*network, 3));
    if (const auto* failure = std::get_if<vp::RunFailure>(&outcome)) FAIL(failure->errors.text());
    const auto& result = std::get<vp::RunResult>(outcome);
    seen.push_back({result.outputs, result.records.back().done - result.records.front().enabled});
  }
  if (!busy) return seen;
  const auto& copies = soc.accelerator(1).operations();
  for (int more = 0; more < 20 && copies.empty(); ++more)
    REQUIRE(
        std::holds_alternative<vp::RunResult>(platform.run(loadable, random_inputs(*network, 3))));
  REQUIRE(copies.size() == 1);
  std::vector<uint8_t> copied(kBytes);
  REQUIRE(soc.read(kTarget, copied));
  CHECK(copied == source);
  return seen;
}

/// The cycles of both rounds, in a process of its own: SystemC elaborates once a process.
std::vector<uint64_t> idle_cycles(size_t accelerators) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  std::vector<uint64_t> cycles(2);
  const auto bytes = static_cast<ssize_t>(cycles.size() * sizeof(uint64_t));
  if (child == 0) {
    const std::vector<Seen> seen = play(accelerators, false);
    for (size_t i = 0; i < cycles.size(); ++i) cycles[i] = seen[i].cycles;
    _exit(write(ends[1], cycles.data(), static_cast<size_t>(bytes)) == bytes ? 0 : 1);
  }
  close(ends[1]);
  CHECK(read(ends[0], cycles.data(), static_cast<size_t>(bytes)) == bytes);
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  return cycles;
}

}  // namespace

TEST_CASE(
    "two accelerators: the second one's traffic delays the first, whose bytes stay the same") {
  if (no_data()) return;
  const std::vector<uint64_t> idle =
      idle_cycles(2);  // the rounds differ: the cache, the DRAM's rows
  const std::vector<Seen> seen = play(2, true);
  CHECK(seen[0].outputs == seen[1].outputs);
  CHECK(seen[0].cycles == idle[0]);
  CHECK(seen[1].cycles > idle[1]);
}

TEST_CASE("two accelerators: one that does nothing delays nobody") {
  if (no_data()) return;
  const std::vector<uint64_t> two = idle_cycles(2);
  CHECK(two[0] > 100'000);
  CHECK(two == idle_cycles(1));
}

}  // namespace dlavp::platform_test
