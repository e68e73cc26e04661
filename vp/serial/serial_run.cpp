#include "vp/serial/serial_run.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <numeric>

#include "models/mcif/memory_timing.hpp"
#include "models/nvdla/accelerator.hpp"
#include "sw/core/run.h"
#include "vp/host/firmware_features.hpp"

namespace dlavp::vp {

namespace {

constexpr uint64_t kRegionBytes = uint64_t{3} << 28, kSramBytes = uint64_t{1} << 26;
constexpr uint64_t kInputBytes = uint64_t{1} << 26;
constexpr uint32_t kMemoryInputFlag = 1 << 2;

/// Host memory below 4 GiB, so that its addresses are the accelerator's: the firmware's code takes
/// an address for a pointer.
class LowMemory final : public Memory {
 public:
  LowMemory() {
    for (uint64_t at = uint64_t{1} << 28; at < uint64_t{0xb0} << 24 && base_ == 0; at += 1 << 28) {
      void* got = mmap(reinterpret_cast<void*>(at), kRegionBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
      if (got == reinterpret_cast<void*>(at))
        base_ = at;
      else if (got != MAP_FAILED)
        munmap(got, kRegionBytes);
    }
  }
  ~LowMemory() override {
    if (base_ != 0) munmap(reinterpret_cast<void*>(base_), kRegionBytes);
  }
  LowMemory(const LowMemory&) = delete;
  LowMemory& operator=(const LowMemory&) = delete;

  [[nodiscard]] uint64_t base() const { return base_; }
  [[nodiscard]] bool read(uint64_t address, std::span<uint8_t> out) override {
    if (!inside(address, out.size())) return false;
    std::memcpy(out.data(), reinterpret_cast<const void*>(address), out.size());
    return true;
  }
  [[nodiscard]] bool write(uint64_t address, std::span<const uint8_t> in) override {
    if (!inside(address, in.size())) return false;
    std::memcpy(reinterpret_cast<void*>(address), in.data(), in.size());
    return true;
  }

 private:
  [[nodiscard]] bool inside(uint64_t address, uint64_t bytes) const {
    return address >= base_ && bytes <= kRegionBytes && address - base_ <= kRegionBytes - bytes;
  }
  uint64_t base_ = 0;
};

struct EngineRegisters {
  uint32_t pointer, enable, rdma_pointer, rdma_enable;
  uint32_t done_shift;
};
constexpr std::array<EngineRegisters, DLA_ENGINE_COUNT> kEngines{
    {{},
     {CACC_BASE + CACC_S_POINTER, CACC_BASE + CACC_D_OP_ENABLE, 0, 0,
      GLB_S_INTR_STATUS_CACC_DONE_STATUS0_SHIFT},
     {SDP_BASE + SDP_S_POINTER, SDP_BASE + SDP_D_OP_ENABLE, SDP_RDMA_BASE + SDP_RDMA_S_POINTER,
      SDP_RDMA_BASE + SDP_RDMA_D_OP_ENABLE, GLB_S_INTR_STATUS_SDP_DONE_STATUS0_SHIFT},
     {PDP_BASE + PDP_S_POINTER, PDP_BASE + PDP_D_OP_ENABLE, PDP_RDMA_BASE + PDP_RDMA_S_POINTER,
      PDP_RDMA_BASE + PDP_RDMA_D_OP_ENABLE, GLB_S_INTR_STATUS_PDP_DONE_STATUS0_SHIFT},
     {CDP_BASE + CDP_S_POINTER, CDP_BASE + CDP_D_OP_ENABLE, CDP_RDMA_BASE + CDP_RDMA_S_POINTER,
      CDP_RDMA_BASE + CDP_RDMA_D_OP_ENABLE, GLB_S_INTR_STATUS_CDP_DONE_STATUS0_SHIFT},
     {}}};
/// The rest of the convolution pipeline, in the order in which it is enabled behind CACC.
constexpr std::array<std::pair<uint32_t, uint32_t>, 4> kConvUnits{
    {{CMAC_A_BASE + CMAC_A_S_POINTER, CMAC_A_BASE + CMAC_A_D_OP_ENABLE},
     {CMAC_B_BASE + CMAC_B_S_POINTER, CMAC_B_BASE + CMAC_B_D_OP_ENABLE},
     {CSC_BASE + CSC_S_POINTER, CSC_BASE + CSC_D_OP_ENABLE},
     {CDMA_BASE + CDMA_S_POINTER, CDMA_BASE + CDMA_D_OP_ENABLE}}};

class Runner {
 public:
  Runner(const HwConfig& hw, const TimingParams& timing, uint32_t mem_latency, RunMode mode,
         uint64_t limit)
      : hw_(hw),
        limit_(limit),
        primary_timing_(mem_latency),
        secondary_timing_(mem_latency),
        accelerator_(hw, timing, {&memory_, &memory_, &primary_timing_, &secondary_timing_}, mode) {
    accelerator_.on_interrupt([this](bool high) {
      if (high) interrupt_at_ = accelerator_.events().now();
    });
    fw_error_clear(&error_);
  }
  Result<SerialResult> run(std::span<const uint8_t> loadable);

  // What the firmware's code reaches.
  void write(uint32_t offset, uint32_t value) {
    sim::EventQueue& events = accelerator_.events();
    if (first_write_ == sim::kNever) first_write_ = events.now();
    accelerator_.csb_write(offset, value);
    events.run_until(events.now() + 1);
  }
  [[nodiscard]] uint32_t read(uint32_t offset) { return accelerator_.csb_read(offset); }
  [[nodiscard]] uint64_t cycle() { return accelerator_.events().now(); }

 private:
  struct Groups {
    uint32_t unit = 0, rdma = 0;
    int32_t lut = -1;
  };
  [[nodiscard]] Diagnostics failure() const;
  [[nodiscard]] bool open(std::span<const uint8_t> loadable);
  [[nodiscard]] bool open_task(uint16_t id);
  Diagnostics play(Schedule& schedule);
  Diagnostics play_chain(Schedule& schedule, uint32_t head);
  void program(Schedule& schedule, ScheduledOperation& op);
  void enable(const ScheduledOperation& op);
  Diagnostics wait_for(uint32_t status_bit);

  const HwConfig hw_;
  const uint64_t limit_;
  LowMemory memory_;
  mcif::FixedLatencyMemory primary_timing_, secondary_timing_;
  nvdla::Accelerator accelerator_;
  FwBoot boot_{};
  FwError error_{};
  Loadable loadable_{};
  MemoryPlan plan_{};
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<std::unique_ptr<Schedule>> schedules_;
  std::vector<FwOperationInfo> infos_;
  std::array<Groups, DLA_ENGINE_COUNT> groups_{};
  sim::Cycle first_write_ = sim::kNever, last_enable_ = 0, interrupt_at_ = sim::kNever;
  SerialResult result_;
};

/// The one that the firmware's C functions reach.
Runner* active = nullptr;

Diagnostics Runner::failure() const {
  const std::string place = error_.operation >= 0
                                ? fmt::format("task {} operation {}", error_.task, error_.operation)
                                : "loadable";
  return Diagnostics({"run.firmware", place, error_.text});
}

bool Runner::open(std::span<const uint8_t> loadable) {
  if (!loadable_open(&loadable_, loadable.data(), loadable.size(), &error_)) return false;
  uint64_t next = memory_.base();
  boot_.magic = FW_BOOT_MAGIC;
  boot_.version = FW_ABI_VERSION;
  for (uint32_t i = 0; i < loadable_.memories.count && boot_.num_inputs < FW_MAX_BINDINGS; ++i) {
    LoadableMemory m;
    if (!loadable_memory(&loadable_, i, &m) || (m.flags & kMemoryInputFlag) == 0) continue;
    if (m.bytes > kInputBytes) continue;
    boot_.inputs[boot_.num_inputs++] = {next, m.bytes, m.bind_id, 0};
    next += (m.bytes + 0x1fff) / 0x1000 * 0x1000;
  }
  boot_.heap_address = next;
  boot_.heap_bytes = memory_.base() + kRegionBytes - kSramBytes - next;
  boot_.sram_address = hw_.secondary_memif ? memory_.base() + kRegionBytes - kSramBytes : 0;
  boot_.sram_bytes = hw_.secondary_memif ? kSramBytes : 0;
  boot_.features = firmware_features(hw_);
  boot_.memory_atom_bytes = hw_.memory_atomic_size;
  boot_.cbuf_entry_bytes = hw_.cbuf_bank_width;
  boot_.cbuf_banks = hw_.cbuf_bank_number;
  boot_.address_bits = hw_.mem_address_width;
  return memory_plan_build(&plan_, &loadable_, &boot_, &error_);
}

bool Runner::open_task(uint16_t id) {
  LoadableTask entry;
  tasks_.push_back(std::make_unique<Task>());
  Task& task = *tasks_.back();
  if (!loadable_task_by_id(&loadable_, id, &entry) ||
      !task_open(&task, &plan_, &plan_.heap, &entry, &error_))
    return false;
  if (task.interface != DLA_INTERFACE_DLA) return true;
  infos_.assign(task.network.num_operations + 1, {});
  schedules_.push_back(std::make_unique<Schedule>());
  return schedule_check(schedules_.back().get(), &task, &plan_.heap, infos_.data(), &error_);
}

Result<SerialResult> Runner::run(std::span<const uint8_t> loadable) {
  if (memory_.base() == 0)
    return Error{"run.memory", "", fmt::format("no {} bytes below 4 GiB", kRegionBytes)};
  if (!open(loadable)) return failure();
  for (uint32_t i = 0; i < loadable_.submits.count; ++i) {
    uint16_t id;
    FbVector tasks;
    if (!loadable_submit(&loadable_, i, &id, &tasks)) continue;
    for (uint32_t k = 0; k < tasks.count; ++k)
      if (!open_task(fb_u16(&loadable_.buffer, tasks.position + 2 * k))) return failure();
  }
  const uint64_t flush = uint64_t{hw_.cbuf_bank_number} * hw_.cbuf_bank_depth;
  accelerator_.events().run_until(flush);
  for (const auto& schedule : schedules_) {
    const Diagnostics errors = play(*schedule);
    if (!errors.empty()) return errors;
  }
  result_.total_cycles = interrupt_at_ - std::min(first_write_, interrupt_at_);
  return result_;
}

Diagnostics Runner::play(Schedule& schedule) {
  for (uint32_t i = 0; i < schedule.count; ++i) {
    uint32_t head = i;
    while (schedule.operations[head].graph.fused_parent.index != DLA_NO_INDEX)
      head = static_cast<uint32_t>(schedule.operations[head].graph.fused_parent.index);
    if (schedule.operations[head].state == OP_DONE) continue;
    const Diagnostics errors = play_chain(schedule, head);
    if (!errors.empty()) return errors;
  }
  return {};
}

void Runner::program(Schedule& schedule, ScheduledOperation& op) {
  const uint8_t engine = op.graph.op_type;
  Groups& groups = groups_[engine];
  if (op.lut >= 0 && op.lut != groups.lut) {
    DlaLut table;
    task_lut(schedule.task, static_cast<uint32_t>(op.lut), &table);
    program_lut(engine, &table);
    groups.lut = op.lut;
  }
  const EngineRegisters& r = kEngines[engine];
  if (engine == DLA_ENGINE_CONV)
    for (const auto& [pointer, enable] : kConvUnits) write(pointer, groups.unit);
  write(r.pointer, groups.unit);
  if (op.rdma) write(r.rdma_pointer, groups.rdma);
  for (uint32_t i = 0; i < op.num_writes; ++i) write(op.writes[i].offset, op.writes[i].value);
}

void Runner::enable(const ScheduledOperation& op) {
  const auto set = [this](uint32_t offset) {
    last_enable_ = cycle();
    write(offset, 1);
  };
  const EngineRegisters& r = kEngines[op.graph.op_type];
  Groups& groups = groups_[op.graph.op_type];
  if (op.rdma) {
    set(r.rdma_enable);
    groups.rdma ^= 1;
  }
  set(r.enable);
  if (op.graph.op_type == DLA_ENGINE_CONV)
    for (const auto& [pointer, enable] : kConvUnits) set(enable);
  groups.unit ^= 1;
}

// An operation with those fused to it: programmed from the front, enabled from the end, done with
// the interrupt of the last one.
Diagnostics Runner::play_chain(Schedule& schedule, uint32_t head) {
  std::vector<uint32_t> chain{head};
  for (bool more = true; more;) {
    const auto parent = static_cast<int32_t>(chain.back());
    more = false;
    for (uint32_t i = 0; i < schedule.count && !more; ++i)
      if (schedule.operations[i].graph.fused_parent.index == parent) {
        chain.push_back(i);
        more = true;
      }
  }
  SerialOperation record;
  record.index = head;
  const uint64_t reads = accelerator_.read_beats(), writes = accelerator_.write_beats();
  const ScheduledOperation& last = schedule.operations[chain.back()];
  const uint32_t bit =
      1u << (kEngines[last.graph.op_type].done_shift + groups_[last.graph.op_type].unit);
  write(GLB_BASE + GLB_S_INTR_MASK, ~bit);
  for (const uint32_t index : chain) {
    program(schedule, schedule.operations[index]);
    record.engines += (record.engines.empty() ? "" : "+") +
                      std::string(program_engine_name(schedule.operations[index].graph.op_type));
  }
  std::for_each(chain.rbegin(), chain.rend(),
                [&](uint32_t index) { enable(schedule.operations[index]); });
  const Diagnostics errors = wait_for(bit);
  if (!errors.empty()) return errors;
  for (const uint32_t index : chain) schedule.operations[index].state = OP_DONE;
  record.run_cycles = interrupt_at_ - last_enable_;
  record.read_beats = accelerator_.read_beats() - reads;
  record.write_beats = accelerator_.write_beats() - writes;
  result_.operations.push_back(std::move(record));
  return {};
}

Diagnostics Runner::wait_for(uint32_t status_bit) {
  sim::EventQueue& events = accelerator_.events();
  while (!accelerator_.interrupt() && accelerator_.program_errors().empty() &&
         events.now() - last_enable_ <= limit_)
    if (!events.run_next()) break;
  if (!accelerator_.program_errors().empty()) return accelerator_.program_errors();
  if (!accelerator_.interrupt()) {
    std::string busy;
    for (const std::string& block : accelerator_.busy_blocks())
      busy += (busy.empty() ? "" : ", ") + block;
    return Diagnostics({"run.unfinished", fmt::format("status bit {:#x}", status_bit),
                        fmt::format("not complete after {} cycles; enabled: {}",
                                    events.now() - last_enable_, busy)});
  }
  write(GLB_BASE + GLB_S_INTR_STATUS, read(GLB_BASE + GLB_S_INTR_STATUS));
  while (accelerator_.interrupt()) events.run_until(events.now() + 1);
  return {};
}

template <typename Field>
uint64_t sum(const std::vector<SerialOperation>& operations, Field field) {
  return std::accumulate(
      operations.begin(), operations.end(), uint64_t{0},
      [&](uint64_t total, const SerialOperation& op) { return total + op.*field; });
}

}  // namespace

uint64_t SerialResult::run_cycles() const { return sum(operations, &SerialOperation::run_cycles); }
uint64_t SerialResult::read_beats() const { return sum(operations, &SerialOperation::read_beats); }
uint64_t SerialResult::write_beats() const {
  return sum(operations, &SerialOperation::write_beats);
}

Result<SerialResult> run_serial(const HwConfig& hw, const TimingParams& timing,
                                std::span<const uint8_t> loadable, uint32_t mem_latency,
                                RunMode mode, uint64_t limit) {
  Runner runner(hw, timing, mem_latency, mode, limit);
  active = &runner;
  Result<SerialResult> result = runner.run(loadable);
  active = nullptr;
  return result;
}

}  // namespace dlavp::vp

extern "C" {
void fw_csb_write(uint32_t offset, uint32_t value) { dlavp::vp::active->write(offset, value); }
uint32_t fw_csb_read(uint32_t offset) { return dlavp::vp::active->read(offset); }
void fw_csb_play(const RegWrite* writes, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) fw_csb_write(writes[i].offset, writes[i].value);
}
uint64_t fw_cycle(void) { return dlavp::vp::active->cycle(); }
uint32_t fw_poll_interrupt(void) { return 0; }
}
