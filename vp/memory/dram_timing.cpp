#include "vp/memory/dram_timing.hpp"

#include <algorithm>
#include <cmath>

namespace dlavp::vp {

namespace {
constexpr double kPicoseconds = 1e12;
constexpr uint64_t kTurnaroundClocks = 2;  ///< between read and write data on the bus
}  // namespace

DramTiming::DramTiming(const DramConfig& config, double port_hz)
    : config_(config),
      clock_ps_(static_cast<uint64_t>(std::llround(kPicoseconds / config.clock_hz))),
      port_ps_(static_cast<uint64_t>(std::llround(kPicoseconds / port_hz))),
      rcd_(clocks(config.rcd)),
      rp_(clocks(config.rp)),
      ras_(clocks(config.ras)),
      rrd_same_(clocks(config.rrd_same_group)),
      rrd_other_(clocks(config.rrd_other_group)),
      faw_(clocks(config.faw)),
      wr_(clocks(config.wr)),
      wtr_same_(clocks(config.wtr_same_group)),
      wtr_other_(clocks(config.wtr_other_group)),
      rtp_(clocks(config.rtp)),
      rfc_(clocks(config.rfc)),
      refi_(clocks(config.refi)),
      data_(std::max(config.burst_length / 2, 1u)),
      banks_(config.banks) {}

/// A data sheet's time in whole clocks, a hair more than a whole number being that number.
DramTiming::Clock DramTiming::clocks(double ns) const {
  constexpr double kHair = 0.01;
  return static_cast<Clock>(std::ceil(ns * config_.clock_hz / 1e9 - kHair));
}

DramTiming::Clock DramTiming::arrival(sim::Cycle at) const {
  const uint64_t ps = at * port_ps_ + static_cast<uint64_t>(config_.request_ns * 1000);
  return (ps + clock_ps_ - 1) / clock_ps_;
}

sim::Cycle DramTiming::port_cycle(Clock clock) const {
  const uint64_t ps = clock * clock_ps_ + static_cast<uint64_t>(config_.response_ns * 1000);
  return (ps + port_ps_ - 1) / port_ps_;
}

// Neighbouring bursts lie in different groups of banks, neighbouring rows in different banks.
DramTiming::Place DramTiming::place(uint64_t burst) const {
  const uint32_t groups = config_.bank_groups, in_group = config_.banks / groups;
  const uint64_t row_bursts = config_.row_bytes / config_.burst_bytes();
  const auto group = static_cast<uint32_t>(burst % groups);
  const uint64_t row = burst / groups / row_bursts;
  return {group + groups * static_cast<uint32_t>(row % in_group), group, row / in_group};
}

// Refreshes fall due at multiples of their interval; all rows are closed for them.
void DramTiming::refresh_until(Clock at) {
  const uint64_t due = at / refi_;
  if (due <= refreshes_) return;
  statistics_.refreshes += due - refreshes_;
  refreshes_ = due;
  for (Bank& bank : banks_) {
    bank.open = false;
    bank.activate = std::max(bank.activate, due * refi_ + rfc_);
  }
}

DramTiming::Clock DramTiming::activate(Bank& bank, const Place& where, Clock at) {
  Clock when = at;
  if (bank.open) when = std::max(when, bank.precharge) + rp_;
  when = std::max(when, bank.activate);
  if (activated_ > 0) {
    const Clock last = activations_[(next_activation_ + 3) % 4];
    when = std::max(when, last + (activated_group_ == where.group ? rrd_same_ : rrd_other_));
  }
  if (activated_ >= 4) when = std::max(when, activations_[next_activation_] + faw_);
  return when;
}

// One burst at the pins; gives the clock after its last data.
DramTiming::Clock DramTiming::access(uint64_t burst, Clock at, bool write) {
  const Place where = place(burst);
  Bank& bank = banks_[where.bank];
  const Clock latency = write ? config_.write : config_.read;
  for (bool counted = false;;) {
    refresh_until(at);
    const bool hit = bank.open && bank.row == where.row;
    if (!counted)
      ++(hit ? statistics_.hits : bank.open ? statistics_.conflicts : statistics_.empty);
    counted = true;
    const Clock opened = hit ? 0 : activate(bank, where, at);
    Clock column = std::max(at, hit ? bank.column : opened + rcd_);
    if (any_column_)
      column =
          std::max(column, column_ + (column_group_ == where.group ? config_.column_same_group
                                                                   : config_.column_other_group));
    if (!write && any_write_)
      column =
          std::max(column, written_ + (written_group_ == where.group ? wtr_same_ : wtr_other_));
    const bool turns = any_column_ && write != last_was_write_;
    const Clock bus = data_end_ + (turns && write ? kTurnaroundClocks : 0);
    column = std::max(column, bus > latency ? bus - latency : 0);
    // A refresh that falls due before the command goes first.
    if (column / refi_ > refreshes_) {
      at = std::max(at, column / refi_ * refi_);
      continue;
    }
    if (!hit) {
      bank.open = true;
      bank.row = where.row;
      bank.precharge = opened + ras_;
      bank.column = opened + rcd_;
      activations_[next_activation_] = opened;
      next_activation_ = (next_activation_ + 1) % 4;
      ++activated_;
      activated_group_ = where.group;
    }
    statistics_.turnarounds += turns ? 1 : 0;
    column_ = column;
    column_group_ = where.group;
    any_column_ = true;
    last_was_write_ = write;
    data_end_ = column + latency + data_;
    if (write) {
      any_write_ = true;
      written_ = data_end_;
      written_group_ = where.group;
    }
    bank.precharge = std::max(bank.precharge, write ? data_end_ + wr_ : column + rtp_);
    ++(write ? statistics_.writes : statistics_.reads);
    return data_end_;
  }
}

// Writes the oldest collected bursts until `keep` are left.
DramTiming::Clock DramTiming::drain(size_t keep) {
  Clock end = 0;
  while (pending_.size() > keep) {
    const Pending next = pending_.front();
    pending_.pop_front();
    end = access(next.burst, next.at, true);
  }
  return end;
}

DramTiming::Clock DramTiming::read_burst(uint64_t burst, Clock at) {
  for (const Pending& p : pending_)
    if (p.burst == burst) {
      ++statistics_.buffered;
      return std::max(at, p.at);
    }
  for (const Buffer& b : buffers_)
    if (b.burst == burst) {
      ++statistics_.buffered;
      return std::max(at, b.ready);
    }
  const Clock ready = access(burst, at, false);
  buffers_.push_back({burst, ready});
  if (buffers_.size() > config_.read_buffers) buffers_.pop_front();
  return ready;
}

mcif::MemoryTiming::Beats DramTiming::read(sim::Cycle at, uint64_t address, uint32_t beats,
                                           uint32_t beat_bytes) {
  const Clock now = arrival(at);
  // While the bus has been idle for longer than a write takes, collected writes went.
  const Clock write_time = rp_ + rcd_ + config_.write + data_ + wtr_same_;
  while (!pending_.empty() && std::max(data_end_, pending_.front().at) + write_time <= now)
    drain(pending_.size() - 1);
  const uint64_t size = config_.burst_bytes();
  const uint64_t first = address / size;
  const uint64_t last = (address + uint64_t{beats} * beat_bytes - 1) / size;
  Beats out{read_burst(first, now), 0};
  out.last = out.first;
  for (uint64_t burst = first + 1; burst <= last; ++burst)
    out.last = std::max<Clock>(out.last, read_burst(burst, now));
  // The port moves one beat a cycle, in order of the requests.
  out.first = std::max(port_cycle(out.first), port_free_);
  out.last = std::max(port_cycle(out.last), out.first + beats - 1);
  port_free_ = out.last + 1;
  return out;
}

sim::Cycle DramTiming::write(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes) {
  Clock now = arrival(at);
  const uint64_t size = config_.burst_bytes();
  const uint64_t first = address / size;
  const uint64_t last = (address + uint64_t{beats} * beat_bytes - 1) / size;
  for (uint64_t burst = first; burst <= last; ++burst) {
    std::erase_if(buffers_, [burst](const Buffer& b) { return b.burst == burst; });
    const bool collected = std::any_of(pending_.begin(), pending_.end(),
                                       [burst](const Pending& p) { return p.burst == burst; });
    if (collected) {
      ++statistics_.merged;
      continue;
    }
    // A full queue is emptied first; the write waits for it.
    if (pending_.size() >= config_.write_queue) now = std::max(now, drain(0));
    pending_.push_back({burst, now});
  }
  return port_cycle(now);
}

}  // namespace dlavp::vp
