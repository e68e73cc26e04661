// The fuzz target for register programs on its seeds, seeded random inputs and mutations of legal
// ones, with any compiler. Seed and number of inputs: DLAVP_FUZZ_SEED, DLAVP_FUZZ_RUNS.
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/csb_target.hpp"

using namespace dlavp::fuzz;

namespace {

using Bytes = std::vector<uint8_t>;

enum Unit : uint8_t { kConv, kSdp, kPdp, kCdp };
enum Path : uint8_t { kPathSdp, kPathPdp, kPathCdp, kPathConv, kPathConvToPdp, kPathCount };

uint64_t setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

Bytes random_input(uint64_t seed) {
  std::mt19937_64 engine(seed);
  Bytes input(kRecordBytes * (2 + engine() % 16));
  for (uint8_t& b : input) b = static_cast<uint8_t>(engine());
  return input;
}

Bytes input_of(const std::vector<CsbRecord>& records) {
  Bytes input;
  for (const CsbRecord& record : records) input.insert(input.end(), record.begin(), record.end());
  return input;
}

CsbRecord head(uint8_t config) { return {config, 15}; }
CsbRecord operation(uint8_t path, uint8_t seed, uint8_t group = 0) {
  return {0, path, seed, 0, group};
}

/// Operations that a legal program on the path ends in.
std::vector<Unit> units_of(uint8_t path) {
  switch (path) {
    case kPathConv:
      return {kConv, kSdp};
    case kPathConvToPdp:
      return {kConv, kSdp, kPdp};
    default:
      return {path == kPathSdp ? kSdp : path == kPathPdp ? kPdp : kCdp};
  }
}

void check_complete(const CsbRun& run, const std::vector<Unit>& units) {
  CHECK(run.errors.text() == "");
  CHECK(run.completed == units.size());
  for (const Unit unit : units) CHECK(run.units[unit].completed == 1);
}

}  // namespace

TEST_CASE("fuzz: random register programs keep every promise") {
  const uint64_t first = setting("DLAVP_FUZZ_SEED", 1), runs = setting("DLAVP_FUZZ_RUNS", 1500);
  std::array<UnitCount, kCompleting.size()> all;
  Bytes grown;
  for (uint64_t seed = first; seed < first + runs; ++seed) {
    INFO("seed " << seed);
    // Every other input comes from a legal one by a few changes.
    if (seed % 8 == 0)
      grown = input_of({head(seed / 8 % 5), operation(seed / 40 % kPathCount, seed % 251)});
    grown = mutate_csb(grown, 4096, static_cast<uint32_t>(seed));
    const auto begin = std::chrono::steady_clock::now();
    const CsbRun run = run_csb(seed % 2 == 0 ? grown : random_input(seed));
    REQUIRE(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
    for (size_t unit = 0; unit < all.size(); ++unit) {
      all[unit].enabled += run.units[unit].enabled;
      all[unit].refused += run.units[unit].refused;
      all[unit].completed += run.units[unit].completed;
    }
  }
  for (size_t unit = 0; unit < all.size(); ++unit) {
    WARN(runs << " programs from seed " << first << ", " << kCompleting[unit] << ": "
              << all[unit].enabled << " operations enabled, " << all[unit].refused << " refused, "
              << all[unit].completed << " completed");
    CHECK(all[unit].completed > 0);
    CHECK(all[unit].refused > 0);
  }
}

TEST_CASE("fuzz: the legal programs to start from run to their end") {
  for (uint8_t config = 0; config < 5; ++config)
    for (uint8_t path = 0; path < kPathCount; ++path)
      for (uint8_t seed = 0; seed < 20; ++seed) {
        INFO("configuration " << int{config} << " path " << int{path} << " seed " << int{seed});
        check_complete(run_csb(input_of({head(config), operation(path, seed)})), units_of(path));
      }
}

TEST_CASE("fuzz: operations of both groups and of all paths run to their end") {
  const CsbRun run = run_csb(input_of({head(0), operation(kPathConv, 1), operation(kPathConv, 2, 1),
                                       operation(kPathPdp, 3), operation(kPathPdp, 4, 1),
                                       operation(kPathCdp, 5), operation(kPathCdp, 6, 1)}));
  CHECK(run.errors.text() == "");
  for (const UnitCount& unit : run.units) {
    CHECK(unit.enabled == 2);
    CHECK(unit.completed == 2);
  }
}

TEST_CASE("fuzz: every seed of the corpus completes what it enables, and the same each time") {
  size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(DLAVP_SOURCE_DIR "/fuzz/corpus/csb")) {
    INFO(entry.path().string());
    std::ifstream in(entry.path(), std::ios::binary);
    const Bytes bytes{std::istreambuf_iterator<char>(in), {}};
    const CsbRun run = run_csb(bytes), again = run_csb(bytes);
    CHECK(run.errors.text() == "");
    CHECK(run.completed > 0);
    CHECK(run.completed == run.enabled);
    CHECK(run.cycles == again.cycles);
    ++files;
  }
  CHECK(files == 30);
}

TEST_CASE("fuzz: changes keep head and records, and size") {
  Bytes input = input_of({head(1), operation(kPathSdp, 1)});
  size_t changed = 0;
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    Bytes next = mutate_csb(input, 10 * kRecordBytes + 3, seed);
    REQUIRE(next.size() % kRecordBytes == 0);
    REQUIRE(next.size() >= kRecordBytes);
    REQUIRE(next.size() <= 10 * kRecordBytes);
    changed += next != input;
    input = std::move(next);
  }
  CHECK(changed > 1000);
  CHECK(mutate_csb({}, 64, 1).size() >= kRecordBytes);
}

TEST_CASE("fuzz: programs that once broke a promise keep it") {
  // PDP from memory queued behind PDP on the fly.
  CHECK_NOTHROW(run_csb(input_of(
      {head(0), operation(kPathConvToPdp, 1), operation(kPathPdp, 2, 1), operation(kPathPdp, 3)})));
  // SDP sends PDP more atoms than it takes, or fewer: every write of the program changed by one.
  for (uint8_t write = 0; write < 250; ++write)
    for (const uint8_t how : {3, 4}) {
      const CsbRecord change{6, write, 0, 0, how};
      CHECK_NOTHROW(run_csb(input_of({head(0), change, operation(kPathConvToPdp, 1)})));
    }
}
