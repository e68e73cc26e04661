// The core's process: run a window, catch up with SystemC, sleep in wfi; and its bus.
#include "vp/iss/core.hpp"

#include <algorithm>

namespace dlavp::iss {

using sc_core::sc_time;
using sc_core::sc_time_stamp;
using sc_core::SC_ZERO_TIME;

namespace {
// A device's event, its output, the interrupt controller and its output take a delta cycle each.
constexpr int kMaxSettleDeltas = 8;
}  // namespace

Core::Core(const sc_core::sc_module_name& name, const CoreParams& params, const CostTable& costs)
    : sc_module(name), params_(params), cpu_(*this, costs, params.cpu) {
  SC_HAS_PROCESS(Core);
  SC_THREAD(run);
  SC_METHOD(update_interrupts);
  sensitive << irq_software << irq_timer << irq_external;
  bus.register_invalidate_direct_mem_ptr(this, &Core::invalidate);
}

void Core::stop(int exit_code) {
  if (stopped()) return;
  exit_code_ = exit_code;
  cpu_.request_stop();
  wake_event_.notify(SC_ZERO_TIME);
  stopped_event_.notify(SC_ZERO_TIME);
}

void Core::update_interrupts() {
  cpu_.set_interrupt(kSoftwareInterrupt, irq_software.read());
  cpu_.set_interrupt(kTimerInterrupt, irq_timer.read());
  cpu_.set_interrupt(kExternalInterrupt, irq_external.read());
  wake_event_.notify(SC_ZERO_TIME);
}

uint64_t Core::cycles_of(const sc_time& t) const {
  const uint64_t period = params_.clock_period.value();
  return (t.value() + period - 1) / period;
}

/// Lets simulated time reach the core's.
void Core::synchronise() {
  const uint64_t ahead = cpu_.cycles() - synchronised_cycles_;
  synchronised_cycles_ = cpu_.cycles();
  if (ahead != 0) wait(sc_time::from_value(params_.clock_period.value() * ahead));
}

/// Lets the consequences of a bus access at this instant (interrupt lines) happen.
void Core::settle() {
  for (int i = 0; i < kMaxSettleDeltas && sc_core::sc_pending_activity_at_current_time(); ++i) {
    wait(SC_ZERO_TIME);
  }
}

/// How far the core may run ahead: to the next event, at most a quantum.
uint64_t Core::window_cycles() const {
  sc_time window = params_.quantum;
  if (params_.stop_at_events && sc_core::sc_pending_activity_at_future_time()) {
    window = std::min(window, sc_core::sc_time_to_pending_activity());
  }
  return std::max<uint64_t>(1, cycles_of(window));
}

void Core::run() {
  while (!stopped()) {
    settle();
    if (stopped()) break;
    const StopReason reason = cpu_.run(cpu_.cycles() + window_cycles());
    synchronise();
    if (reason == StopReason::kWfi) sleep();
  }
}

void Core::sleep() {
  const sc_time begin = sc_time_stamp();
  sleeping_ = true;
  while (!cpu_.wakes() && !stopped()) wait(wake_event_);
  sleeping_ = false;
  const sc_time slept = sc_time_stamp() - begin;
  const uint64_t cycles = cycles_of(slept);
  // Back onto the clock's edges.
  const sc_time rest = sc_time::from_value(cycles * params_.clock_period.value()) - slept;
  if (rest != SC_ZERO_TIME) wait(rest);
  cpu_.add_cycles(cycles);
  sleep_cycles_ += cycles;
  synchronised_cycles_ = cpu_.cycles();
}

bool Core::transport(tlm::tlm_command command, uint64_t address, unsigned bytes, uint8_t* data) {
  synchronise();
  payload_.set_command(command);
  payload_.set_address(address);
  payload_.set_data_ptr(data);
  payload_.set_data_length(bytes);
  payload_.set_streaming_width(bytes);
  payload_.set_byte_enable_ptr(nullptr);
  payload_.set_dmi_allowed(false);
  payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  sc_time delay = SC_ZERO_TIME;
  const sc_time begin = sc_time_stamp();
  bus->b_transport(payload_, delay);
  const uint64_t cycles = cycles_of(sc_time_stamp() - begin + delay);
  const sc_time end = begin + sc_time::from_value(cycles * params_.clock_period.value());
  if (end > sc_time_stamp()) wait(end - sc_time_stamp());
  cpu_.add_cycles(cycles);
  synchronised_cycles_ = cpu_.cycles();
  cpu_.request_return();  // the access may have made a nearer event
  ++bus_accesses_;
  const bool ok = payload_.is_response_ok();
  if (!ok) ++bus_errors_;
  return ok;
}

bool Core::load(uint64_t address, unsigned bytes, uint64_t& value) {
  value = 0;
  return transport(tlm::TLM_READ_COMMAND, address, bytes, reinterpret_cast<uint8_t*>(&value));
}

bool Core::store(uint64_t address, unsigned bytes, uint64_t value) {
  return transport(tlm::TLM_WRITE_COMMAND, address, bytes, reinterpret_cast<uint8_t*>(&value));
}

DmiRegion Core::dmi(uint64_t address) {
  for (const DmiRegion& r : regions_)
    if (address >= r.base && address - r.base < r.size_bytes) return r;
  for (const Range& r : denied_)
    if (r.contains(address)) return {};
  payload_.set_command(tlm::TLM_READ_COMMAND);
  payload_.set_address(address);
  tlm::tlm_dmi grant;
  if (!bus->get_direct_mem_ptr(payload_, grant) || !grant.is_read_allowed()) {
    const bool bounded = grant.get_start_address() <= address && address <= grant.get_end_address();
    const bool whole = grant.get_start_address() == 0 && grant.get_end_address() == ~uint64_t{0};
    // One that denies pointers but grants access is memory that wants to see each access.
    if (bounded && !whole && grant.is_read_write_allowed()) {
      const uint64_t bytes = grant.get_end_address() - grant.get_start_address() + 1;
      regions_.push_back({nullptr, grant.get_start_address(), bytes, true});
      return regions_.back();
    }
    // A target that says nothing about its range leaves the whole space: believe one page only.
    const uint64_t page = address & ~(kPageBytes - 1);
    denied_.push_back(bounded && !whole ? Range{grant.get_start_address(), grant.get_end_address()}
                                        : Range{page, page + kPageBytes - 1});
    return {};
  }
  const uint64_t size = grant.get_end_address() - grant.get_start_address() + 1;
  regions_.push_back(
      {grant.get_dmi_ptr(), grant.get_start_address(), size, grant.is_write_allowed()});
  return regions_.back();
}

uint64_t Core::time() {
  const uint64_t ahead = cpu_.cycles() - synchronised_cycles_;
  const uint64_t now = sc_time_stamp().value() + ahead * params_.clock_period.value();
  return now / params_.time_tick.value();
}

void Core::invalidate(sc_dt::uint64, sc_dt::uint64) {
  regions_.clear();
  denied_.clear();
  cpu_.invalidate_dmi();
}

}  // namespace dlavp::iss
