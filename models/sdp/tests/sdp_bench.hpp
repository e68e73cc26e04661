// Test bench: an Sdp on memory interfaces with fixed latency, driven through its registers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/common/check.hpp"
#include "models/common/tests/bounded_memory.hpp"
#include "models/mcif/mcif.hpp"
#include "models/mcif/memory_timing.hpp"
#include "models/sdp/sdp.hpp"
#include "registers.hpp"

namespace dlavp::sdp::test {

inline HwConfig config(const std::string& name) { return load_hw_config(name).value(); }

struct Bench : Observer {
  explicit Bench(const HwConfig& config, sim::Cycle latency = 32)
      : hw(config),
        timing(TimingParams::load(hw).value()),
        primary_timing(latency),
        secondary_timing(latency),
        mcif(hw, hw.primary_memif, timing, regs::kMcif, events, primary_timing) {
    if (hw.secondary_memif)
      cvif = std::make_unique<mcif::Mcif>(hw, *hw.secondary_memif, timing, regs::kCvif, events,
                                          secondary_timing);
    const UnitContext context{hw,
                              timing,
                              events,
                              {&primary, hw.secondary_memif ? &secondary : nullptr},
                              &mcif,
                              cvif.get(),
                              [this](IntrSource, unsigned group) {
                                interrupts.push_back({group, events.now()});
                              },
                              this};
    unit = std::make_unique<Sdp>(context, from_conv);
  }
  void operation_done(const OpRecord& record) override { records.push_back(record); }
  void program_error(const Diagnostics& diagnostics) override { errors.append(diagnostics); }

  regs::RegBlock& rdma() { return *unit->reg_blocks()[0]; }
  regs::RegBlock& sdp() { return *unit->reg_blocks()[1]; }
  /// Sets one field of the producer's group.
  static void set(regs::RegBlock& block, const regs::Field& field, uint32_t value) {
    const uint32_t old = block.peek(field.offset, field.ping_pong ? block.producer() : 0);
    block.write(field.offset, (old & ~field.mask()) | (value << field.lsb));
  }
  void set_sdp(const regs::Field& field, uint32_t value) { set(sdp(), field, value); }
  void set_rdma(const regs::Field& field, uint32_t value) { set(rdma(), field, value); }

  /// A copy of an int8 cube from `src` to `dst`, every stage bypassed, packed strides.
  void program_copy(const CubeSize& size, uint64_t src, uint64_t dst) {
    namespace r = regs::sdp;
    namespace rd = regs::sdp_rdma;
    const uint32_t line = size.width * hw.memory_atomic_size, surface = line * size.height;
    for (const auto& [field, value] :
         {std::pair{r::D_DATA_CUBE_WIDTH_WIDTH, size.width - 1},
          {r::D_DATA_CUBE_HEIGHT_HEIGHT, size.height - 1},
          {r::D_DATA_CUBE_CHANNEL_CHANNEL, size.channels - 1},
          {r::D_DST_BASE_ADDR_LOW_DST_BASE_ADDR_LOW, static_cast<uint32_t>(dst)},
          {r::D_DST_LINE_STRIDE_DST_LINE_STRIDE, line},
          {r::D_DST_SURFACE_STRIDE_DST_SURFACE_STRIDE, surface},
          {r::D_DST_DMA_CFG_DST_RAM_TYPE, 1u},
          {r::D_CVT_SCALE_CVT_SCALE, 1u}})
      set_sdp(field, value);
    for (const auto& [field, value] :
         {std::pair{rd::D_DATA_CUBE_WIDTH_WIDTH, size.width - 1},
          {rd::D_DATA_CUBE_HEIGHT_HEIGHT, size.height - 1},
          {rd::D_DATA_CUBE_CHANNEL_CHANNEL, size.channels - 1},
          {rd::D_SRC_BASE_ADDR_LOW_SRC_BASE_ADDR_LOW, static_cast<uint32_t>(src)},
          {rd::D_SRC_LINE_STRIDE_SRC_LINE_STRIDE, line},
          {rd::D_SRC_SURFACE_STRIDE_SRC_SURFACE_STRIDE, surface},
          {rd::D_SRC_DMA_CFG_SRC_RAM_TYPE, 1u},
          {rd::D_FEATURE_MODE_CFG_IN_PRECISION, 0u},
          {rd::D_FEATURE_MODE_CFG_PROC_PRECISION, 0u}})
      set_rdma(field, value);
  }
  void enable() {
    rdma().write(regs::sdp_rdma::D_OP_ENABLE, 1);
    sdp().write(regs::sdp::D_OP_ENABLE, 1);
  }
  /// Selects the group that the next writes go to.
  void produce(unsigned group) {
    rdma().write(regs::sdp_rdma::S_POINTER, group);
    sdp().write(regs::sdp::S_POINTER, group);
  }
  void run() {
    while (events.run_next()) {
    }
  }
  std::vector<uint8_t> bytes(uint64_t address, size_t count) {
    std::vector<uint8_t> out(count);
    DLAVP_CHECK(primary.read(address, out), "address {:#x}", address);
    return out;
  }
  void fill(uint64_t address, const std::vector<uint8_t>& data) {
    DLAVP_CHECK(primary.write(address, data), "address {:#x}", address);
  }

  struct Interrupt {
    unsigned group;
    sim::Cycle at;
  };
  HwConfig hw;
  TimingParams timing;
  sim::EventQueue events;
  dlavp::test::BoundedMemory primary;
  SparseMemory secondary;
  mcif::FixedLatencyMemory primary_timing, secondary_timing;
  mcif::Mcif mcif;
  std::unique_ptr<mcif::Mcif> cvif;
  Link<int32_t> from_conv{events, 16, 1, 1};
  std::unique_ptr<Sdp> unit;
  std::vector<OpRecord> records;
  std::vector<Interrupt> interrupts;
  Diagnostics errors;
};

}  // namespace dlavp::sdp::test
