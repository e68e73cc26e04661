// DramTiming: one DRAM channel in time, behind a simple controller. Commands keep the data sheet's
// distances (rows, banks, groups of banks, four activations, turnaround of the data bus, refresh of
// all banks at once); requests are served in order of arrival, each with its row opened as early as
// its bank allows. The controller keeps the last bursts it read, and collects writes until its
// queue is full or the bus idles. Left out: reordering of reads, the command bus, power-down,
// refresh of single banks, closing rows early.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "models/mcif/dma_port.hpp"
#include "vp/memory/dram_config.hpp"

namespace dlavp::vp {

class DramTiming final : public mcif::MemoryTiming {
 public:
  /// Cycles of the port are of a clock of `port_hz`.
  DramTiming(const DramConfig& config, double port_hz);
  Beats read(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes) override;
  sim::Cycle write(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes) override;

  struct Statistics {
    uint64_t reads = 0, writes = 0;     ///< bursts at the pins
    uint64_t buffered = 0, merged = 0;  ///< bursts that the controller had already, or collected
    uint64_t hits = 0, empty = 0, conflicts = 0;  ///< row open, none open, another one open
    uint64_t refreshes = 0, turnarounds = 0;
  };
  [[nodiscard]] const Statistics& statistics() const { return statistics_; }
  [[nodiscard]] const DramConfig& config() const { return config_; }

 private:
  using Clock = uint64_t;  ///< of the DRAM
  struct Bank {
    bool open = false;
    uint64_t row = 0;
    Clock activate = 0, precharge = 0, column = 0;  ///< earliest
  };
  struct Place {
    uint32_t bank, group;
    uint64_t row;
  };
  struct Buffer {
    uint64_t burst;
    Clock ready;
  };
  struct Pending {
    uint64_t burst;
    Clock at;
  };
  [[nodiscard]] Clock clocks(double ns) const;
  [[nodiscard]] Clock arrival(sim::Cycle at) const;
  [[nodiscard]] sim::Cycle port_cycle(Clock clock) const;
  [[nodiscard]] Place place(uint64_t burst) const;
  Clock access(uint64_t burst, Clock at, bool write);
  void refresh_until(Clock at);
  [[nodiscard]] Clock activate(Bank& bank, const Place& where, Clock at);
  Clock drain(size_t keep);
  Clock read_burst(uint64_t burst, Clock at);

  const DramConfig config_;
  const uint64_t clock_ps_, port_ps_;
  const Clock rcd_, rp_, ras_, rrd_same_, rrd_other_, faw_, wr_, wtr_same_, wtr_other_, rtp_, rfc_,
      refi_, data_;
  std::vector<Bank> banks_;
  std::array<Clock, 4> activations_{};  ///< the last four, oldest at next_activation_
  size_t next_activation_ = 0;
  uint64_t activated_ = 0;  ///< so far
  uint32_t activated_group_ = 0, column_group_ = 0, written_group_ = 0;
  Clock column_ = 0, data_end_ = 0, written_ = 0;  ///< of the last access; of the last write
  bool any_column_ = false, last_was_write_ = false, any_write_ = false;
  uint64_t refreshes_ = 0;
  std::deque<Buffer> buffers_;
  std::deque<Pending> pending_;
  sim::Cycle port_free_ = 0;
  Statistics statistics_;
};

}  // namespace dlavp::vp
