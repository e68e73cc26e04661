// Mcif: one memory interface of the accelerator (MCIF, and CVIF where the configuration has one):
// read and write paths over a memory port, and their registers: arbiter weights, outstanding limits
// and idle status. Hardware manual: "MCIF", "CVIF". It moves no data.
#pragma once

#include "models/common/run_mode.hpp"
#include "models/mcif/mcif_timing.hpp"
#include "models/mcif/read_path.hpp"
#include "models/mcif/write_path.hpp"
#include "models/nvdla/unit.hpp"
#include "models/regs/reg_block.hpp"

namespace dlavp::mcif {

class Mcif final : public MemoryInterface, public Unit {
 public:
  /// `bus` is the interface's own entry of `hw` (primary or secondary), `table` its registers.
  Mcif(const HwConfig& hw, const MemifConfig& bus, const TimingParams& timing,
       const regs::UnitTable& table, sim::EventQueue& events, MemoryTiming& memory,
       RunMode mode = {});

  ReadPort& read_port(ReadClient client) override { return read_.channel(client); }
  WritePort& write_port(WriteClient client) override { return write_.channel(client); }
  std::vector<regs::RegBlock*> reg_blocks() override { return {&regs_}; }
  [[nodiscard]] bool idle() const override { return read_.idle() && write_.idle(); }

  /// From now on every beat is added to these, a series a client; null: no more.
  void watch(sim::Activity* reads, sim::Activity* writes) {
    read_.watch(reads);
    write_.watch(writes);
  }

  /// Beats of one client, and of all; bytes are beats times beat_bytes().
  [[nodiscard]] uint64_t read_beats(ReadClient client) const {
    return read_.channel(client).beats();
  }
  [[nodiscard]] uint64_t write_beats(WriteClient client) const {
    return write_.channel(client).beats();
  }
  [[nodiscard]] uint64_t read_beats() const;
  [[nodiscard]] uint64_t write_beats() const;
  [[nodiscard]] uint32_t beat_bytes() const { return bus_.beat_bytes; }

 private:
  void apply_registers();

  McifTiming timing_;
  BusShape bus_;
  ReadPath read_;
  WritePath write_;
  regs::RegBlock regs_;
};

}  // namespace dlavp::mcif
