#include "sw/tests/fake_accelerator.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "loadable.h"
#include "nvdla_regs.h"

namespace dlavp::fw_test {

namespace {

FakeAccelerator accelerator;
uint64_t cycle = 0;

// Units without groups, and where D_OP_ENABLE lies in those with them.
bool has_groups(uint32_t base) { return base >= CDMA_BASE && base < GEC_BASE; }
uint32_t enable_offset(uint32_t base) {
  return base == CDMA_BASE  ? CDMA_D_OP_ENABLE
         : base == SDP_BASE ? SDP_D_OP_ENABLE
         : base == CDP_BASE ? CDP_D_OP_ENABLE
                            : CSC_D_OP_ENABLE;
}

}  // namespace

FakeAccelerator& fake() { return accelerator; }
FakeAccelerator& reset_fake() { return accelerator = FakeAccelerator(); }

void FakeAccelerator::write(uint32_t offset, uint32_t value) {
  ++writes;
  const uint32_t base = offset & ~0xfffU, reg = offset & 0xfffU;
  if (!has_groups(base)) {
    registers[offset] = value;
    return;
  }
  Unit& unit = units_[base];
  const uint32_t enable = enable_offset(base);
  if (reg == 4) {
    unit.producer = value & 1;
  } else if (reg < enable) {
    if (unit.enabled[0] || unit.enabled[1])
      violations.push_back("single register " + std::to_string(offset) +
                           " written while the unit works");
    registers[offset] = value;
  } else {
    if (unit.enabled[unit.producer])
      violations.push_back("register " + std::to_string(offset) + " of an enabled group");
    if (reg == enable) unit.enabled[unit.producer] = value != 0;
    registers[offset | unit.producer << 31] = value;
    unsigned now = 0;
    for (const bool e : unit.enabled) now += e;
    most_enabled = std::max(most_enabled, now);
  }
}

uint32_t FakeAccelerator::read(uint32_t offset) const {
  if (offset == CDMA_BASE + CDMA_S_CBUF_FLUSH_STATUS) return flush_done;
  const auto unit = units_.find(offset & ~0xfffU);
  if ((offset & 0xfffU) == 4 && unit != units_.end())
    return unit->second.consumer << 16 | unit->second.producer;
  return 0;
}

bool FakeAccelerator::finish(uint32_t base) {
  Unit& unit = units_[base];
  if (!unit.enabled[unit.consumer]) return false;
  unit.enabled[unit.consumer] = false;
  unit.consumer ^= 1;
  return true;
}

uint32_t FakeAccelerator::complete_one() {
  if (hang) return 0;
  const struct {
    uint32_t base, rdma, shift;
  } engines[] = {{CACC_BASE, 0, GLB_S_INTR_STATUS_CACC_DONE_STATUS0_SHIFT},
                 {SDP_BASE, SDP_RDMA_BASE, GLB_S_INTR_STATUS_SDP_DONE_STATUS0_SHIFT},
                 {PDP_BASE, PDP_RDMA_BASE, GLB_S_INTR_STATUS_PDP_DONE_STATUS0_SHIFT},
                 {CDP_BASE, CDP_RDMA_BASE, GLB_S_INTR_STATUS_CDP_DONE_STATUS0_SHIFT}};
  for (const auto& engine : engines) {
    const unsigned group = units_[engine.base].consumer;
    if (!finish(engine.base)) continue;
    ++completions;
    if (engine.base == CACC_BASE)
      for (const uint32_t base : {CDMA_BASE, CSC_BASE, CMAC_A_BASE, CMAC_B_BASE})
        if (!finish(base))
          violations.push_back("a convolution whose sub-unit " + std::to_string(base) +
                               " is not enabled");
    if (engine.rdma != 0) static_cast<void>(finish(engine.rdma));
    return 1U << (engine.shift + group);
  }
  return 0;
}

extern "C" {
void fw_csb_write(uint32_t offset, uint32_t value) { accelerator.write(offset, value); }
uint32_t fw_csb_read(uint32_t offset) { return accelerator.read(offset); }
void fw_csb_play(const RegWrite* writes, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) accelerator.write(writes[i].offset, writes[i].value);
}
uint64_t fw_cycle(void) { return ++cycle; }
uint64_t fw_sleep_cycles(void) { return 0; }
void fw_progress(void) {}
uint32_t fw_poll_interrupt(void) { return 0; }
uint32_t fw_wait_interrupt(void) { return accelerator.complete_one(); }
}

Machine::Machine(std::vector<uint8_t> loadable, uint32_t atom_bytes, uint32_t features,
                 size_t heap_bytes)
    : loadable_(std::move(loadable)), heap_(heap_bytes), result_(sizeof(FwResult) + (1 << 16)) {
  const auto address = [](const std::vector<uint8_t>& v) {
    return reinterpret_cast<uintptr_t>(v.data());
  };
  boot.magic = FW_BOOT_MAGIC;
  boot.version = FW_ABI_VERSION;
  boot.loadable_address = address(loadable_);
  boot.loadable_bytes = loadable_.size();
  boot.heap_address = address(heap_);
  boot.heap_bytes = heap_.size();
  boot.result_address = address(result_);
  boot.result_bytes = result_.size();
  boot.features = features;
  boot.memory_atom_bytes = atom_bytes;
  boot.cbuf_entry_bytes = atom_bytes;
  boot.cbuf_banks = atom_bytes == 8 ? 32 : 16;
  boot.address_bits = 64;
  FwError error;
  fw_error_clear(&error);
  Loadable l;
  if (!loadable_open(&l, loadable_.data(), loadable_.size(), &error)) return;
  for (uint32_t i = 0; i < l.memories.count && boot.num_inputs < FW_MAX_BINDINGS; ++i) {
    LoadableMemory m;
    if (!loadable_memory(&l, i, &m) || (m.flags & 4) == 0 || m.bytes > heap_bytes) continue;
    inputs_.emplace_back(m.bytes + 256);
    boot.inputs[boot.num_inputs++] = {(address(inputs_.back()) + 255) & ~uint64_t{255}, m.bytes,
                                      m.bind_id, 0};
  }
}

FwError Machine::run() {
  FwError error;
  fw_run(&boot, &error);
  fw_report(&boot, &error);
  return error;
}

const FwResult& Machine::result() const {
  return *reinterpret_cast<const FwResult*>(result_.data());
}

const FwOperationInfo* Machine::operations() const {
  const auto* tasks = reinterpret_cast<const FwTaskInfo*>(&result() + 1);
  return reinterpret_cast<const FwOperationInfo*>(tasks + result().num_tasks);
}

std::vector<uint8_t> data_file(const std::string& name) {
  const char* folder = std::getenv("DLAVP_NVDLA_DATA");
  std::ifstream in(std::string(folder ? folder : DLAVP_NVDLA_DATA_DEFAULT) + "/" + name,
                   std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace dlavp::fw_test
