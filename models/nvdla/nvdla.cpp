#include "models/nvdla/nvdla.hpp"

#include <cstring>

namespace dlavp::nvdla {

namespace {

/// Longest stretch without a look at SystemC, in cycles: bounds what a stop of the simulation
/// misses.
constexpr sim::Cycle kLongestRun = 1 << 20;

constexpr unsigned kRegisterBytes = 4;

}  // namespace

Nvdla::Nvdla(const sc_core::sc_module_name& name, const HwConfig& hw, const TimingParams& timing,
             sc_core::sc_time clock_period, RunMode mode)
    : sc_module(name),
      csb("csb"),
      dbb("dbb"),
      cvsram("cvsram"),
      interrupt("interrupt"),
      clock_{clock_period},
      read_cycles_(static_cast<sim::Cycle>(timing.get("csb.read"))),
      write_cycles_(static_cast<sim::Cycle>(timing.get("csb.write"))),
      primary_timing_(clock_),
      secondary_timing_(clock_),
      accelerator_(hw, timing, {&primary_, &secondary_, &primary_timing_, &secondary_timing_},
                   mode) {
  csb.register_b_transport(this, &Nvdla::b_transport);
  csb.register_transport_dbg(this, &Nvdla::transport_dbg);
  accelerator_.on_interrupt([this](bool high) {
    line_ = high;
    line_changed_ = true;
    line_cycle_ = accelerator_.events().now();
  });
  SC_HAS_PROCESS(Nvdla);
  SC_METHOD(step);
}

void Nvdla::end_of_elaboration() {
  primary_.bind(dbb.operator->());
  primary_timing_.bind(dbb.operator->());
  DLAVP_CHECK(!accelerator_.hw().secondary_memif || cvsram.size() == 1, "{}: cvsram is not bound",
              name());
  if (cvsram.size() == 1) {
    secondary_.bind(cvsram.operator->());
    secondary_timing_.bind(cvsram.operator->());
  }
}

// The accelerator at SystemC's present: every event up to and including this cycle has run.
void Nvdla::catch_up() {
  sim::EventQueue& events = accelerator_.events();
  const sim::Cycle now = clock_.ceil(sc_core::sc_time_stamp());
  if (now > events.now()) events.run_until(now);
  if (now == events.now() && events.next() == now) events.run_until(now);
}

void Nvdla::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (payload.get_data_length() != kRegisterBytes ||
      payload.get_streaming_width() < kRegisterBytes) {
    payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  if (payload.get_address() % kRegisterBytes != 0) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  if (payload.get_byte_enable_ptr() != nullptr) {
    payload.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return;
  }
  if (delay != sc_core::SC_ZERO_TIME) wait(delay);
  catch_up();
  const auto address = static_cast<uint32_t>(payload.get_address());
  uint32_t value = 0;
  if (payload.is_write()) {
    std::memcpy(&value, payload.get_data_ptr(), kRegisterBytes);
    accelerator_.csb_write(address, value);
  } else if (payload.is_read()) {
    value = accelerator_.csb_read(address);
    std::memcpy(payload.get_data_ptr(), &value, kRegisterBytes);
  }
  delay = clock_.time(payload.is_read() ? read_cycles_ : write_cycles_);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  register_access_.notify(sc_core::SC_ZERO_TIME);
}

unsigned Nvdla::transport_dbg(tlm::tlm_generic_payload& payload) {
  if (!payload.is_read() || payload.get_data_length() != kRegisterBytes ||
      payload.get_address() % kRegisterBytes != 0)
    return 0;
  const uint32_t value = accelerator_.csb_read(static_cast<uint32_t>(payload.get_address()));
  std::memcpy(payload.get_data_ptr(), &value, kRegisterBytes);
  return kRegisterBytes;
}

// Runs every cycle strictly before the next activity of anything else in the simulation, up to and
// including the cycle in which the interrupt line changes.
void Nvdla::run_ahead() {
  const sc_core::sc_simcontext* context = sc_core::sc_get_curr_simcontext();
  if (sc_core::sc_pending_activity_at_current_time(context)) return;
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  sim::EventQueue& events = accelerator_.events();
  sim::Cycle limit = events.now() + kLongestRun;
  if (sc_core::sc_pending_activity_at_future_time(context))
    limit = std::min(limit, clock_.ceil(now + sc_core::sc_time_to_pending_activity(context)) - 1);
  while (!line_changed_ && events.run_next(limit)) {
  }
}

void Nvdla::step() {
  const sc_core::sc_time now = sc_core::sc_time_stamp();
  sim::EventQueue& events = accelerator_.events();
  catch_up();
  if (!line_changed_) run_ahead();
  if (line_changed_ && clock_.time(line_cycle_) <= now) {
    interrupt.write(line_);
    line_changed_ = false;
    // Somebody may answer the line in this very moment: look again at the next event.
  }
  if (line_changed_)
    next_trigger(clock_.time(line_cycle_) - now, register_access_);
  else if (events.next() != sim::kNever)
    next_trigger(clock_.time(events.next()) - now, register_access_);
  else
    next_trigger(register_access_);
}

}  // namespace dlavp::nvdla
