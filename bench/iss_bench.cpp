// Speed of the ISS in instructions a second on loops of different kinds. Google Benchmark; the
// figure that matters is items_per_second.
#include <benchmark/benchmark.h>

#include <vector>

#include "vp/iss/cpu.hpp"
#include "vp/iss/flat_bus.hpp"
#include "vp/iss/tests/assembler.hpp"

namespace {

using namespace dlavp::iss;
using namespace dlavp::iss::test;

constexpr uint64_t kBase = 0x80000000;

/// Runs `code` (an endless loop) for a fixed number of cycles an iteration.
void run_loop(benchmark::State& state, const std::vector<uint32_t>& code) {
  FlatBus bus(kBase, 1 << 20);
  bus.write(kBase, {reinterpret_cast<const uint8_t*>(code.data()), code.size() * 4});
  Cpu cpu(bus, CostTable::unit_costs());
  uint64_t instructions = 0;
  for (auto _ : state) {
    const uint64_t before = cpu.instructions();
    cpu.run(cpu.cycles() + 10'000'000);
    instructions += cpu.instructions() - before;
  }
  state.SetItemsProcessed(static_cast<int64_t>(instructions));
}

/// Sums an array of words: load, add, compare, branch.
void array_sum(benchmark::State& state) {
  run_loop(state, {auipc(5, 16), addi(6, 5, 2044), add(7, 0, 0), lw(8, 5, 0), addi(5, 5, 4),
                   add(7, 7, 8), b_type(1, 5, 6, -12), jal(0, -28)});
}
BENCHMARK(array_sum)->Unit(benchmark::kMillisecond);

/// Straight arithmetic, twenty instructions a block.
void arithmetic(benchmark::State& state) {
  std::vector<uint32_t> code;
  for (uint32_t i = 0; i < 20; ++i) code.push_back(add(5 + i % 8, 6 + i % 7, 7 + i % 6));
  code.push_back(jal(0, -80));
  run_loop(state, code);
}
BENCHMARK(arithmetic)->Unit(benchmark::kMillisecond);

/// Copies memory eight bytes at a time.
void memory_copy(benchmark::State& state) {
  run_loop(state, {auipc(5, 16), auipc(6, 32), addi(6, 6, 60), addi(7, 5, 2040), ld(8, 5, 0),
                   sd(8, 6, 0), addi(5, 5, 8), addi(6, 6, 8), b_type(1, 5, 7, -16), jal(0, -36)});
}
BENCHMARK(memory_copy)->Unit(benchmark::kMillisecond);

/// Calls a function and returns: short blocks, indirect jumps from two places.
void calls(benchmark::State& state) {
  run_loop(state, {jal(1, 16), addi(5, 5, 1), jal(1, 8), jal(0, -12), addi(6, 6, 1), addi(7, 7, 1),
                   i_type(0x67, 0, 0, 1, 0)});
}
BENCHMARK(calls)->Unit(benchmark::kMillisecond);

/// A multiply-accumulate loop in double precision.
void float_fma(benchmark::State& state) {
  const uint32_t fmadd =
      0x43 | (1 << 7) | (7 << 12) | (2 << 15) | (3 << 20) | (1 << 25) | (1u << 27);
  run_loop(state, {lui(5, 6), csrrs(0, 0x300, 5), addi(6, 0, 5), r_type(0x53, 7, 0x69, 2, 6, 0),
                   r_type(0x53, 7, 0x69, 3, 5, 0), r_type(0x53, 7, 0x0D, 2, 2, 3), fmadd,
                   addi(7, 7, 1), fmadd, fmadd, jal(0, -16)});
}
BENCHMARK(float_fma)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
