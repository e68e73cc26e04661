// The fuzz target for register programs on seeded random inputs, with any compiler. Seed and number
// of inputs: DLAVP_FUZZ_SEED, DLAVP_FUZZ_RUNS.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "fuzz/csb_target.hpp"

namespace {

uint64_t setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

std::vector<uint8_t> random_input(uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::vector<uint8_t> input(16 + engine() % 180);
  for (uint8_t& b : input) b = static_cast<uint8_t>(engine());
  return input;
}

/// One legal operation on nv_small, its path and seed given.
std::vector<uint8_t> legal_input(uint8_t path, uint8_t seed) { return {0, 0, path, seed, 0, 0}; }

}  // namespace

TEST_CASE("fuzz: random register programs keep every promise") {
  const uint64_t first = setting("DLAVP_FUZZ_SEED", 1), runs = setting("DLAVP_FUZZ_RUNS", 300);
  size_t completed = 0, refused = 0;
  for (uint64_t seed = first; seed < first + runs; ++seed) {
    INFO("seed " << seed);
    const auto begin = std::chrono::steady_clock::now();
    const dlavp::fuzz::CsbRun run = dlavp::fuzz::run_csb(random_input(seed));
    REQUIRE(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
    completed += run.completed;
    refused += run.refused;
  }
  WARN(runs << " programs from seed " << first << ": " << completed << " operations completed, "
            << refused << " refused");
  CHECK(completed > 0);
  CHECK(refused > 0);
}

TEST_CASE("fuzz: the legal programs to start from run to their end") {
  for (uint8_t path = 0; path < 4; ++path)
    for (uint8_t seed = 0; seed < 20; ++seed) {
      INFO("path " << int{path} << " seed " << int{seed});
      const dlavp::fuzz::CsbRun run = dlavp::fuzz::run_csb(legal_input(path, seed));
      CHECK(run.errors.text() == "");
      CHECK(run.completed == (path == 3 ? 2 : 1));
    }
}

TEST_CASE("fuzz: programs that once broke a promise keep it") {
  // 48: PDP from memory behind PDP on the fly; 19361: SDP sends PDP more atoms than it takes.
  for (const uint64_t seed : {48, 19361}) CHECK_NOTHROW(dlavp::fuzz::run_csb(random_input(seed)));
}
