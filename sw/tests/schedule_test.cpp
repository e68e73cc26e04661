// Scheduling and programming of whole networks: NVIDIA's loadables run to the end on the fake
// accelerator, two operations an engine in flight, never a write to a group at work.
#include <catch2/catch.hpp>

#include <filesystem>

#include "nvdla_regs.h"
#include "sw/tests/fake_accelerator.hpp"

namespace dlavp::fw_test {

namespace {

FwError run_file(const std::string& name, uint32_t atom, uint32_t features, unsigned& operations) {
  reset_fake();
  Machine machine(data_file(name), atom, features, size_t{96} << 20);
  const FwError error = machine.run();
  operations = machine.result().num_operations;
  return error;
}

bool no_data() {
  if (!data_file("README.md").empty()) return false;
  WARN("skipped: no data");
  return true;
}

}  // namespace

TEST_CASE("firmware: the published regression loadables run through the scheduler") {
  if (no_data()) return;
  for (const std::string unit :
       {"CDP/CDP_L0_0", "CONV/CONV_D_L0_0", "PDP/PDP_L0_0", "SDP/SDP_X1_L0_0"})
    for (const bool small : {true, false}) {
      unsigned operations = 0;
      const FwError error =
          run_file("kmd_loadables/" + unit + (small ? "_small_fbuf" : "_large_fbuf"),
                   small ? 8 : 32, small ? Machine::kSmall : Machine::kLarge, operations);
      INFO(unit << ": " << error.text);
      CHECK(error.code == FW_OK);
      CHECK(operations == (unit[1] == 'O' ? 2 : 1));
      CHECK(fake().violations.empty());
    }
}

TEST_CASE("firmware: networks of NVIDIA's compiler run through, both groups in flight") {
  if (no_data()) return;
  const struct {
    const char* name;
    uint32_t atom;
    unsigned operations;
  } networks[] = {{"lenet_nv_small_int8", 8, 11},
                  {"lenet_nv_large_int8_ncxhwx", 32, 11},
                  {"resnet18_nv_small_int8_perfilter", 8, 66},
                  {"resnet18_nv_large_int8_perfilter", 32, 47},
                  {"u_bigconv_nv_small_int8", 8, 108},
                  {"u_pool_wide_nv_small_int8", 8, 0},
                  {"u_twoout_nv_small_int8", 8, 0},
                  {"u_hugeimg_nv_small_int8", 8, 18}};
  for (const auto& network : networks) {
    unsigned operations = 0;
    const FwError error =
        run_file("peer_loadables/" + std::string(network.name) + ".nvdla", network.atom,
                 network.atom == 8 ? Machine::kSmall : Machine::kLarge, operations);
    INFO(network.name << ": " << error.text);
    CHECK(error.code == FW_OK);
    if (network.operations != 0) CHECK(operations == network.operations);
    CHECK(fake().violations.empty());
    if (operations > 40) CHECK(fake().most_enabled >= 1);
  }
}

TEST_CASE("firmware: a network that needs Rubik is refused by name on an accelerator without it") {
  if (no_data()) return;
  unsigned operations = 0;
  const FwError error =
      run_file("peer_loadables/u_deconv2x2s2_nv_small_int8.nvdla", 8, Machine::kSmall, operations);
  CHECK(error.code == FW_E_UNSUPPORTED);
  CHECK(std::string(error.text) == "the accelerator has no RUBIK");
}

TEST_CASE("firmware: weight bytes are the true size, rounded to the buffer's entry") {
  if (no_data()) return;
  unsigned operations = 0;
  const FwError error =
      run_file("peer_loadables/lenet_nv_large_int8_ncxhwx.nvdla", 32, Machine::kLarge, operations);
  REQUIRE(error.code == FW_OK);
  // The last convolution: 10 kernels of 500 bytes, entries of 32 bytes; the descriptor says 5056.
  const uint32_t cdma = CDMA_BASE + CDMA_D_WEIGHT_BYTES, csc = CSC_BASE + CSC_D_WEIGHT_BYTES;
  const uint32_t last = fake().registers[cdma] == 5024 ? 0 : 1U << 31;
  CHECK(fake().registers[cdma | last] == 5024);
  CHECK(fake().registers[csc | last] == 5024);
}

TEST_CASE("firmware: a buffer that never flushes ends in a named error") {
  if (no_data()) return;
  reset_fake().flush_done = false;
  Machine machine(data_file("kmd_loadables/CONV/CONV_D_L0_0_small_fbuf"), 8);
  const FwError error = machine.run();
  CHECK(error.code == FW_E_TIMEOUT);
  CHECK(std::string(error.text).find("FLUSH_DONE") != std::string::npos);
}

TEST_CASE("firmware: the LUT of a CDP operation is loaded before it is enabled") {
  if (no_data()) return;
  unsigned operations = 0;
  const FwError error =
      run_file("kmd_loadables/CDP/CDP_L0_0_small_fbuf", 8, Machine::kSmall, operations);
  REQUIRE(error.code == FW_OK);
  CHECK(fake().writes > 65 + 257);
  CHECK(fake().registers.count(CDP_BASE + CDP_S_LUT_INFO) == 1);
}

}  // namespace dlavp::fw_test
