// The firmware's reading of loadables: what it accepts, what it refuses and with which error, and
// that no damage to a file makes it crash or step outside (the sanitizers watch).
#include <catch2/catch.hpp>

#include <random>

#include "compiler/loadable/tests/small_loadable.hpp"
#include "sw/tests/fake_accelerator.hpp"

namespace dlavp::fw_test {

namespace {

using loadable::testing::bytes_of;

/// One pooling operation that runs.
loadable::Loadable pooling() {
  loadable::Loadable l = loadable::testing::small_loadable();
  auto* op = reinterpret_cast<DlaOperation*>(l.blobs[2].data.data());
  op->pdp.split_num = 1;
  reinterpret_cast<DlaNetwork*>(l.blobs[0].data.data())->num_rois = 1;
  return l;
}

FwError run(const loadable::Loadable& l) {
  reset_fake();
  return Machine(write_loadable(l)).run();
}

DlaSurface& surface(loadable::Loadable& l) {
  return *reinterpret_cast<DlaSurface*>(l.blobs[3].data.data());
}
DlaOperation& operation(loadable::Loadable& l) {
  return *reinterpret_cast<DlaOperation*>(l.blobs[2].data.data());
}
DlaDependency& dependency(loadable::Loadable& l) {
  return *reinterpret_cast<DlaDependency*>(l.blobs[1].data.data());
}
DlaNetwork& network(loadable::Loadable& l) {
  return *reinterpret_cast<DlaNetwork*>(l.blobs[0].data.data());
}

}  // namespace

TEST_CASE("firmware: a pooling loadable is programmed, runs and reports its output") {
  reset_fake();
  Machine machine(write_loadable(pooling()));
  const FwError error = machine.run();
  INFO(error.text);
  REQUIRE(error.code == FW_OK);
  CHECK(machine.result().state == FW_STATE_DONE);
  CHECK(machine.result().num_operations == 1);
  REQUIRE(machine.result().num_outputs == 1);
  CHECK(machine.result().outputs[0].bytes == 32);
  CHECK(machine.operations()[0].done > machine.operations()[0].enabled);
  CHECK(fake().completions == 1);
  CHECK(fake().violations.empty());
}

TEST_CASE("firmware: each broken descriptor has its own error") {
  auto l = pooling();
  SECTION("a cube beyond its memory") {
    surface(l).pair.dst_data.offset = 8;
    CHECK(run(l).code == FW_E_ADDRESS);
  }
  SECTION("strides that leave the memory") {
    surface(l).pair.src_data.line_stride = 0x40000000;
    CHECK(run(l).code == FW_E_ADDRESS);
  }
  SECTION("an address index that the task does not have") {
    surface(l).pair.src_data.address = 6;
    CHECK(run(l).code == FW_E_ADDRESS);
  }
  SECTION("a cube in SRAM whose memory is in DRAM") {
    surface(l).pair.src_data.type = DLA_CUBE_SRAM;
    CHECK(run(l).code == FW_E_ADDRESS);
  }
  SECTION("a misaligned stride") {
    surface(l).pair.src_data.line_stride = 33;
    CHECK(run(l).code == FW_E_FIELD);
  }
  SECTION("a size of zero") {
    surface(l).pair.src_data.width = 0;
    CHECK(run(l).code == FW_E_FIELD);
  }
  SECTION("a value that its register cannot hold") {
    operation(l).pdp.stride_x = 0;
    const FwError error = run(l);
    CHECK(error.code == FW_E_FIELD);
    CHECK(std::string(error.text).find("KERNEL_STRIDE_WIDTH") != std::string::npos);
    CHECK(error.operation == 0);
    CHECK(fake().writes == 0);
  }
  SECTION("a precision that the accelerator lacks") {
    operation(l).pdp.precision = DLA_FP16;
    CHECK(run(l).code == FW_E_UNSUPPORTED);
  }
  SECTION("an engine that the accelerator lacks") {
    dependency(l).op_type = DLA_ENGINE_RUBIK;
    network(l).op_head[DLA_ENGINE_PDP] = -1;
    network(l).op_head[DLA_ENGINE_RUBIK] = 0;
    const FwError error = run(l);
    CHECK(error.code == FW_E_UNSUPPORTED);
    CHECK(std::string(error.text) == "the accelerator has no RUBIK");
  }
}

TEST_CASE("firmware: each broken version, network or graph has its own error") {
  auto l = pooling();
  SECTION("a descriptor version that is not known") {
    l.blobs[0].version = {0, 13, 0};
    CHECK(run(l).code == FW_E_VERSION);
  }
  SECTION("more operations than the lists hold") {
    network(l).num_operations = 2;
    CHECK(run(l).code == FW_E_ADDRESS);
  }
  SECTION("a head that is no operation") {
    network(l).op_head[DLA_ENGINE_PDP] = 1;
    CHECK(run(l).code == FW_E_NETWORK);
  }
  SECTION("a chain that leads out of the list") {
    dependency(l).consumers[DLA_ENGINE_PDP] = {20000, DLA_EVENT_COMPLETED, 0};
    const FwError error = run(l);
    CHECK(error.code == FW_E_DEPENDENCY);
    CHECK(std::string(error.text) == "operation 0: consumer index 20000, expected 0");
  }
  SECTION("a chain that runs in a circle") {
    dependency(l).consumers[DLA_ENGINE_PDP] = {0, DLA_EVENT_COMPLETED, 0};
    CHECK(run(l).code == FW_E_DEPENDENCY);
  }
  SECTION("an event count that the graph does not deliver") {
    dependency(l).dependency_count = 1;
    CHECK(run(l).code == FW_E_DEPENDENCY);
  }
}

TEST_CASE("firmware: each broken list has its own error") {
  auto l = pooling();
  SECTION("a blob larger than its memory") {
    l.memories[0].size = 8;
    CHECK(run(l).code == FW_E_BLOB);
  }
  SECTION("a content that names no blob") {
    l.memories[0].contents = {"nothing"};
    CHECK(run(l).code == FW_E_BLOB);
  }
  SECTION("an alignment that is no power of two") {
    l.memories[1].alignment = 3;
    CHECK(run(l).code == FW_E_MEMORY);
  }
  SECTION("a memory larger than the platform") {
    l.memories[2].size = 1U << 30;
    CHECK(run(l).code == FW_E_MEMORY);
  }
  SECTION("SRAM that the platform lacks") {
    l.memories[2].domain = DLA_DOMAIN_SRAM;
    CHECK(run(l).code == FW_E_MEMORY);
  }
  SECTION("a task at an address that is not there") {
    l.tasks[0].address_list[1] = 40;
    CHECK(run(l).code == FW_E_TASK);
  }
  SECTION("an unknown interface") {
    l.tasks[0].interface = 7;
    CHECK(run(l).code == FW_E_TASK);
  }
  SECTION("a submitted task that is not there") {
    l.submits[0].task_ids = {4};
    CHECK(run(l).code == FW_E_LIST);
  }
  SECTION("nothing submitted") {
    l.submits.clear();
    CHECK(run(l).code == FW_E_LIST);
  }
  SECTION("an input that the host did not give") {
    reset_fake();
    Machine machine(write_loadable(l));
    machine.boot.num_inputs = 0;
    CHECK(machine.run().code == FW_E_BINDING);
  }
}

TEST_CASE("firmware: a boot block that is none is refused") {
  reset_fake();
  Machine machine(write_loadable(pooling()));
  machine.boot.magic ^= 1;
  const FwError error = machine.run();
  CHECK(error.code == FW_E_BOOT);
  CHECK(std::string(error.text).find("magic") != std::string::npos);
  CHECK(fake().writes == 0);
}

TEST_CASE("firmware: every code has the name that the host prints") {
  const std::vector<std::string> names = {"ok",
                                          "boot.block",
                                          "loadable.container",
                                          "loadable.list",
                                          "loadable.memory",
                                          "loadable.blob",
                                          "loadable.binding",
                                          "loadable.task",
                                          "loadable.version",
                                          "loadable.network",
                                          "loadable.dependency",
                                          "loadable.address",
                                          "loadable.field",
                                          "loadable.unsupported",
                                          "loadable.emu",
                                          "run.deadlock",
                                          "run.timeout",
                                          "run.trap"};
  REQUIRE(names.size() == FW_E_COUNT);
  for (size_t i = 0; i < names.size(); ++i) CHECK(fw_code_name(static_cast<FwCode>(i)) == names[i]);
  CHECK(std::string(fw_code_name(FW_E_COUNT)) == "unknown");
}

TEST_CASE("firmware: an operation that never completes ends in a named error") {
  reset_fake().hang = true;
  const FwError error = Machine(write_loadable(pooling())).run();
  CHECK(error.code == FW_E_TIMEOUT);
  CHECK(error.operation == 0);
  CHECK(std::string(error.text).find("PDP") != std::string::npos);
}

TEST_CASE("firmware: every truncation of a loadable is refused") {
  const std::vector<uint8_t> whole = write_loadable(pooling());
  for (size_t bytes = 0; bytes < whole.size(); bytes += bytes < 64 ? 1 : 3) {
    reset_fake();
    const FwError error = Machine({whole.begin(), whole.begin() + static_cast<long>(bytes)}).run();
    INFO("cut to " << bytes << " bytes");
    // Cut in the padding behind the last table, the file is still whole.
    if (bytes + 16 < whole.size()) REQUIRE(error.code != FW_OK);
    REQUIRE(fake().violations.empty());
  }
}

TEST_CASE("firmware: no flipped bit makes it crash or program outside of the groups' rules") {
  const std::vector<uint8_t> whole = write_loadable(pooling());
  unsigned refused = 0;
  for (size_t bit = 0; bit < 8 * whole.size(); bit += 5) {
    auto bytes = whole;
    bytes[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
    reset_fake();
    Machine machine(std::move(bytes), 8, Machine::kSmall, size_t{1} << 16);
    const FwError error = machine.run();
    refused += error.code != FW_OK;
    INFO("bit " << bit);
    REQUIRE(fake().violations.empty());
    REQUIRE((error.code == FW_OK) == (machine.result().state == FW_STATE_DONE));
  }
  CHECK(refused > 100);
}

TEST_CASE("firmware: random damage to a published loadable is survived") {
  const std::vector<uint8_t> whole = data_file("kmd_loadables/CDP/CDP_L0_0_small_fbuf");
  if (whole.empty()) {
    WARN("skipped: no data");
    return;
  }
  const unsigned seed = 20240611;
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 1500; ++round) {
    auto bytes = whole;
    for (unsigned k = 0, n = 1 + random() % 4; k < n; ++k)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    reset_fake();
    Machine machine(std::move(bytes), 8, Machine::kSmall, size_t{1} << 16);
    machine.run();
    REQUIRE(fake().violations.empty());
  }
}

}  // namespace dlavp::fw_test
