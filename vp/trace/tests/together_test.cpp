// Traces played at the same time on accelerators of their own behind one memory: what they wait for
// one another, to the cycle, and totals against what the memory can move. Each case is a process of
// its own.
#include <boost/crc.hpp>
#include <catch2/catch.hpp>
#include <random>

#include "models/common/tests/temp_file.hpp"
#include "vp/trace/runner.hpp"

using namespace dlavp;
using namespace dlavp::trace;

namespace {

constexpr uint64_t kBeatBytes = 8;  // of nv_small's port, and of its atoms

/// A trace in which SDP copies a cube of `width` x `height` pixels and 8 channels.
class Copy {
 public:
  Copy(const test::TempDir& dir, const std::string& name, uint32_t width, uint32_t height,
       unsigned seed)
      : dir_(dir.path() / name), bytes_(uint64_t{width} * height * kBeatBytes) {
    std::mt19937 random(seed);
    boost::crc_32_type crc;
    std::string data = "{\n";
    for (uint64_t at = 0; at < bytes_; at += kBeatBytes) {
      data += fmt::format("{{offset:{:#x}, size:{}, payload:", at, kBeatBytes);
      for (uint64_t i = 0; i < kBeatBytes; ++i) {
        const auto byte = static_cast<uint8_t>(random());
        crc.process_byte(byte);
        data += fmt::format("{:#x} ", byte);
      }
      data += "} ,\n";
    }
    dir.write(name + "/d.dat", data + "}\n");
    std::string text = "mem_load(pri_mem, 0x80000000, \"d.dat\");\n";
    const auto set = [&](const std::string& unit_register, uint64_t value) {
      text += fmt::format("reg_write(NVDLA_SDP{}_0, {:#x});\n", unit_register, value);
    };
    for (const auto& [reg, value] : {std::pair("_RDMA.D_FEATURE_MODE_CFG", 0u),
                                     {"_RDMA.D_BRDMA_CFG", 1u},
                                     {"_RDMA.D_NRDMA_CFG", 1u},
                                     {"_RDMA.D_ERDMA_CFG", 1u},
                                     {"_RDMA.D_SRC_DMA_CFG", 1u},
                                     {".D_DST_DMA_CFG", 1u},
                                     {".D_DP_BS_CFG", 1u},
                                     {".D_DP_BN_CFG", 1u},
                                     {".D_DP_EW_CFG", 1u},
                                     {".D_CVT_SCALE", 1u},
                                     {"_RDMA.D_SRC_BASE_ADDR_LOW", 0x80000000u},
                                     {".D_DST_BASE_ADDR_LOW", 0x80100000u}})
      set(reg, value);
    for (const char* half : {".D_DATA_CUBE", "_RDMA.D_DATA_CUBE"}) {
      set(half + std::string("_WIDTH"), width - 1);
      set(half + std::string("_HEIGHT"), height - 1);
      set(half + std::string("_CHANNEL"), kBeatBytes - 1);
    }
    for (const char* half : {".D_DST", "_RDMA.D_SRC"}) {
      set(half + std::string("_LINE_STRIDE"), width * kBeatBytes);
      set(half + std::string("_SURFACE_STRIDE"), bytes_);
    }
    set("_RDMA.D_OP_ENABLE", 1);
    set(".D_OP_ENABLE", 1);
    text +=
        fmt::format("intr_notify(SDP_0, done);\ncheck_crc(done, pri_mem, 0x80100000, {}, {:#x});\n",
                    bytes_, crc.checksum());
    dir.write(name + "/t.cfg", text);
  }
  [[nodiscard]] Job job(const std::string& memory) const {
    Job job{"nv_small", dir_, 32};
    job.memory = parse_memory(memory).value();
    return job;
  }

 private:
  std::filesystem::path dir_;
  uint64_t bytes_;
};

void check_passed(const std::vector<Outcome>& outcomes) {
  for (const Outcome& o : outcomes) {
    for (const std::string& reason : o.reasons) UNSCOPED_INFO(reason);
    REQUIRE(o.passed);
    REQUIRE(o.cycles);
  }
}

/// Cycles of `job` alone, in a process of its own.
uint64_t alone(const Job& job) {
  const std::vector<Outcome> outcomes = play_all({job}, 1, [](size_t) {});
  check_passed(outcomes);
  return *outcomes[0].cycles;
}

}  // namespace

TEST_CASE("together: one atom each, the second waits for the first one's beat and no longer") {
  const test::TempDir dir;
  const Copy copy(dir, "one", 1, 1, 1);
  const Job job = copy.job("bandwidth:32:1");  // a beat holds the bus for eight cycles
  const uint64_t single = alone(job);
  const std::vector<Outcome> both = play_together({job, job});
  check_passed(both);
  const auto [first, second] = std::minmax(*both[0].cycles, *both[1].cycles);
  CHECK(first == single);
  CHECK(second == single + kBeatBytes);  // and not a cycle earlier
}

TEST_CASE("together: a memory wide enough for both delays nobody") {
  const test::TempDir dir;
  const Copy a(dir, "a", 7, 5, 2), b(dir, "b", 4, 9, 3);
  // Two ports of one beat a cycle each, which take turns at 16 bytes a cycle.
  const std::string memory = "bandwidth:32:4096";
  const uint64_t cycles_a = alone(a.job(memory)), cycles_b = alone(b.job(memory));
  const std::vector<Outcome> both = play_together({a.job(memory), b.job(memory)});
  check_passed(both);
  CHECK(*both[0].cycles >= cycles_a);
  CHECK(*both[1].cycles >= cycles_b);
  // They share the data beats' cycles: none waits longer than for all of the other's.
  CHECK(*both[0].cycles <= cycles_a + both[1].read_beats);
  CHECK(*both[1].cycles <= cycles_b + both[0].read_beats);
}

TEST_CASE(
    "together: the bytes of both leave through the memory's bus, and nothing waits beyond it") {
  const test::TempDir dir;
  const Copy a(dir, "a", 16, 8, 4), b(dir, "b", 16, 8, 5);
  constexpr uint64_t kBytes = 2 * 2 * 16 * 8 * kBeatBytes;  // two copies, read and written
  constexpr uint64_t kEnds = 300;  // enables, latencies and pipelines before and behind the stream
  const std::vector<Outcome> both =
      play_together({a.job("bandwidth:32:1"), b.job("bandwidth:32:1")});
  check_passed(both);
  const uint64_t last = std::max(*both[0].cycles, *both[1].cycles);
  CHECK(both[0].read_beats + both[0].write_beats == kBytes / kBeatBytes / 2);
  CHECK(last >= kBytes);
  CHECK(last <= kBytes + kEnds);
}

TEST_CASE("together: behind a DRAM both are right, and slower than alone") {
  const test::TempDir dir;
  const Copy a(dir, "a", 16, 16, 6), b(dir, "b", 16, 16, 7);
  const uint64_t single = alone(a.job("ddr3_1600"));
  const std::vector<Outcome> both = play_together({a.job("ddr3_1600"), b.job("ddr3_1600")});
  check_passed(both);
  CHECK(*both[0].cycles + *both[1].cycles > 2 * single);
}
