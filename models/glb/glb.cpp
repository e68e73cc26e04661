#include "models/glb/glb.hpp"

#include "registers.hpp"

namespace dlavp::glb {

namespace {

uint32_t present_bits(const HwConfig& hw) {
  uint32_t bits = 0;
  const auto add = [&](bool present, IntrSource source) {
    if (present) bits |= 3u << status_bit(source, 0);
  };
  add(true, IntrSource::kSdp);
  add(hw.cdp, IntrSource::kCdp);
  add(hw.pdp, IntrSource::kPdp);
  add(hw.bdma, IntrSource::kBdma);
  add(hw.rubik, IntrSource::kRubik);
  add(true, IntrSource::kCdmaDat);
  add(true, IntrSource::kCdmaWt);
  add(true, IntrSource::kCacc);
  return bits;
}

}  // namespace

Glb::Glb(const HwConfig& hw, const TimingParams& timing, sim::EventQueue& events)
    : events_(events),
      regs_(regs::kGlb),
      present_(present_bits(hw)),
      status_delay_(static_cast<sim::Cycle>(timing.get("glb.status_delay"))),
      line_delay_(static_cast<sim::Cycle>(timing.get("glb.line_delay"))),
      status_event_([this] { arrive(); }),
      line_event_([this] { drive_line(); }) {
  regs_.on_write(regs::glb::S_INTR_SET, [this](uint32_t bits) { set_status(bits); });
  regs_.on_write(regs::glb::S_INTR_STATUS, [this](uint32_t) { update_line(); });
  regs_.on_write(regs::glb::S_INTR_MASK, [this](uint32_t) { update_line(); });
}

void Glb::raise(IntrSource source, unsigned group) {
  pulses_.push_back({events_.now() + status_delay_, 1u << status_bit(source, group)});
  events_.schedule(status_event_, pulses_.front().at);
}

void Glb::arrive() {
  uint32_t bits = 0;
  while (!pulses_.empty() && pulses_.front().at <= events_.now()) {
    bits |= pulses_.front().bits;
    pulses_.pop_front();
  }
  if (!pulses_.empty()) events_.schedule(status_event_, pulses_.front().at);
  set_status(bits);
}

void Glb::set_status(uint32_t bits) {
  const uint32_t status = regs_.peek(regs::glb::S_INTR_STATUS, 0);
  regs_.poke(regs::glb::S_INTR_STATUS, 0, status | (bits & present_));
  update_line();
}

void Glb::update_line() {
  const uint32_t status = regs_.peek(regs::glb::S_INTR_STATUS, 0);
  const bool high = (status & ~regs_.peek(regs::glb::S_INTR_MASK, 0)) != 0;
  if (high == wanted_) return;
  wanted_ = high;
  levels_.push_back({events_.now() + line_delay_, high});
  events_.schedule(line_event_, levels_.front().at);
}

void Glb::drive_line() {
  while (!levels_.empty() && levels_.front().at <= events_.now()) {
    line_ = levels_.front().high;
    levels_.pop_front();
    if (on_line_) on_line_(line_);
  }
  if (!levels_.empty()) events_.schedule(line_event_, levels_.front().at);
}

}  // namespace dlavp::glb
