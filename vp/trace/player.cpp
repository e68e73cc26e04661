#include "vp/trace/player.hpp"

#include <algorithm>
#include <boost/crc.hpp>

#include "registers.hpp"

namespace dlavp::trace {

namespace {

// The core left reset this long before the first register access: CBUF has been flushed.
constexpr sim::Cycle kResetCycles = 8192;
// How often the status is read for interrupts that the mask keeps from the line.
constexpr sim::Cycle kMaskedPollCycles = 64;
constexpr uint32_t kGlbStatus = regs::glb::S_INTR_STATUS, kGlbMask = regs::glb::S_INTR_MASK;

bool holds(Condition condition, uint32_t value, uint32_t expected) {
  switch (condition) {
    case Condition::kEqual:
      return value == expected;
    case Condition::kNotEqual:
      return value != expected;
    case Condition::kGreater:
      return value > expected;
    case Condition::kNotGreater:
      return value <= expected;
    case Condition::kLess:
      return value < expected;
    case Condition::kNotLess:
      return value >= expected;
  }
  return false;
}

const char* text_of(Condition condition) {
  static constexpr const char* kTexts[] = {"",         "not ",       "more than ",
                                           "at most ", "less than ", "at least "};
  return kTexts[static_cast<size_t>(condition)];
}

}  // namespace

Player::Player(const sc_core::sc_module_name& name, const Trace& trace, nvdla::Nvdla& dut,
               vp::Storage& primary, vp::Storage* secondary, std::function<void()> stop)
    : sc_module(name),
      csb("csb"),
      interrupt("interrupt"),
      trace_(trace),
      dut_(dut),
      primary_(primary),
      secondary_(secondary),
      stop_(std::move(stop)) {
  dut_.accelerator().on_program_error([this](const Diagnostics& errors) {
    failures_.append(errors);
    stopped_ = true;
    progress_.notify(sc_core::SC_ZERO_TIME);
    stop_();
  });
  SC_HAS_PROCESS(Player);
  SC_THREAD(drive);
  if (trace.handles_interrupts) SC_THREAD(handle_interrupts);
}

sim::Cycle Player::now() const { return dut_.clock().ceil(sc_core::sc_time_stamp()); }

void Player::fail(const std::string& id, const std::string& place, const std::string& message) {
  failures_.add(id, place, message);
}

uint32_t Player::access(bool write, uint32_t address, uint32_t value) {
  bus_.lock();
  tlm::tlm_generic_payload payload;
  payload.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
  payload.set_address(address);
  payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
  payload.set_data_length(sizeof value);
  payload.set_streaming_width(sizeof value);
  sc_core::sc_time delay;
  csb->b_transport(payload, delay);
  DLAVP_CHECK(payload.is_response_ok(), "register access at {:#x} refused", address);
  wait(delay);
  bus_.unlock();
  return value;
}

void Player::drive() {
  if (!trace_.begins_at_reset) wait(dut_.clock().time(kResetCycles));
  std::set<std::string> blocked;        // resources that wait for a sync
  std::deque<const Command*> commands;  // not yet run
  for (const Command& command : trace_.commands) commands.push_back(&command);
  while (!commands.empty() && !stopped_) {
    // The first command whose sequence does not wait; "" stands for every sequence.
    blocked.clear();
    bool ran = false;
    for (auto it = commands.begin(); it != commands.end() && !ran; ++it) {
      const Command& command = **it;
      const auto resource = std::visit(
          [](const auto& action) -> std::string {
            if constexpr (requires { action.resource; }) return action.resource;
            return "";
          },
          command.action);
      if (!resource.empty() && blocked.contains(resource)) continue;
      if (const auto* sync = std::get_if<SyncWait>(&command.action);
          sync && !reached_.contains(sync->sync)) {
        blocked.insert(sync->resource);
        blocked_ = fmt::format("sync_wait for '{}' at {}", sync->sync, command.place);
        if (sync->resource.empty()) break;
        continue;
      }
      ran = true;
      const Command* next = *it;
      commands.erase(it);
      if (!run(*next)) return;
      break;
    }
    if (!ran && !commands.empty()) wait(progress_);
  }
  blocked_.clear();
  driven_ = true;
  check_end();
}

bool Player::run(const Command& command) {
  const auto& action = command.action;
  if (const auto* init = std::get_if<MemInit>(&action)) {
    if (auto* storage = memory(init->ram, init->address, init->bytes, command.place))
      storage->fill(init->address, init->bytes, init->value);
  } else if (const auto* load = std::get_if<MemLoad>(&action)) {
    for (const Packet& p : load->packets)
      if (auto* storage =
              memory(load->ram, load->address + p.offset, p.bytes.size(), command.place))
        storage->write(load->address + p.offset, p.bytes);
  } else if (const auto* write = std::get_if<RegWrite>(&action)) {
    if (write->op_enable) last_enable_ = now();
    access(true, write->address, write->value);
  } else if (const auto* read = std::get_if<RegCheck>(&action)) {
    return read_until(*read, command.place);
  } else if (const auto* notify = std::get_if<IntrNotify>(&action)) {
    awaited_.push_back({*notify});
    match_interrupts();
    progress_.notify(sc_core::SC_ZERO_TIME);
  } else if (const auto* sync = std::get_if<SyncNotify>(&action)) {
    reach(sync->sync);
  } else if (std::holds_alternative<WaitInterrupt>(action)) {
    blocked_ = fmt::format("the interrupt line at {}", command.place);
    wait_for_line();
  } else if (const auto* bytes = std::get_if<CheckBytes>(&action); bytes && bytes->sync.empty()) {
    check(*bytes, command.place);
  } else if (!std::holds_alternative<SyncWait>(action)) {
    checks_.push_back(&command);
    std::visit(
        [this](const auto& a) {
          if constexpr (
              requires {
                a.crc;
                a.sync;
              } ||
              requires {
                a.packets;
                a.sync;
              }) {
            if (reached_.contains(a.sync)) reach(a.sync);
          }
        },
        action);
  }
  return true;
}

// A poll of something that can no longer change ends the trace.
bool Player::read_until(const RegCheck& check, const std::string& place) {
  blocked_ = fmt::format("{} to be {}{:#x} at {}", check.name, text_of(check.condition),
                         check.expected, place);
  while (!stopped_) {
    const bool settled = dut_.accelerator().events().next() == sim::kNever && now() >= kResetCycles;
    const uint32_t value = (access(false, check.address, 0) & check.mask) >> check.shift;
    if (holds(check.condition, value, check.expected)) return true;
    if (check.poll && !settled) continue;
    fail(check.poll ? "trace.poll" : "trace.register", place,
         fmt::format("{} is {:#x}, expected {}{:#x}", check.name, value, text_of(check.condition),
                     check.expected));
    if (!check.poll) return true;
    stopped_ = true;
    stop_();
  }
  return false;
}

void Player::wait_for_line() {
  while (!interrupt.read()) wait(interrupt.posedge_event());
  last_completion_ = now();
}

void Player::handle_interrupts() {
  const auto glb = static_cast<uint32_t>(regs::kGlb.base(dut_.accelerator().hw().hw));
  const auto pending = [&] {
    return std::any_of(awaited_.begin(), awaited_.end(), [](const Awaited& a) { return !a.done; });
  };
  while (!stopped_) {
    while (!pending() && !stopped_) wait(progress_ | interrupt.posedge_event());
    const uint32_t mask = dut_.accelerator().csb_read(glb + kGlbMask);
    const bool masked = std::any_of(awaited_.begin(), awaited_.end(), [&](const Awaited& a) {
      return !a.done && ((mask >> a.notify.status_bit) & 1) != 0;
    });
    if (!interrupt.read()) {
      if (masked && dut_.accelerator().events().next() != sim::kNever)
        wait(dut_.clock().time(kMaskedPollCycles), interrupt.posedge_event() | progress_);
      else if (!masked || dut_.accelerator().csb_read(glb + kGlbStatus) == 0)
        wait(interrupt.posedge_event() | progress_);
      if (!interrupt.read() && !masked) continue;
    }
    const sim::Cycle seen = now();
    const uint32_t status = access(false, glb + kGlbStatus, 0);
    if (status == 0) continue;
    access(true, glb + kGlbStatus, status);
    for (unsigned bit = 0; bit < occurred_.size(); ++bit)
      if ((status >> bit) & 1) ++occurred_[bit];
    const size_t before = static_cast<size_t>(
        std::count_if(awaited_.begin(), awaited_.end(), [](const Awaited& a) { return a.done; }));
    match_interrupts();
    const size_t after = static_cast<size_t>(
        std::count_if(awaited_.begin(), awaited_.end(), [](const Awaited& a) { return a.done; }));
    if (after > before) last_completion_ = seen;
    check_end();
    // The line falls a few cycles after the write; what is high then is another interrupt.
    if (interrupt.read()) wait(dut_.clock().time(8), interrupt.negedge_event());
  }
}

void Player::match_interrupts() {
  for (Awaited& a : awaited_) {
    if (a.done || occurred_[a.notify.status_bit] == 0) continue;
    --occurred_[a.notify.status_bit];
    a.done = true;
    reach(a.notify.sync);
  }
}

void Player::reach(const std::string& sync) {
  reached_.insert(sync);
  for (size_t i = 0; i < checks_.size();) {
    const Command& command = *checks_[i];
    const auto* crc = std::get_if<CheckCrc>(&command.action);
    const auto* bytes = std::get_if<CheckBytes>(&command.action);
    const auto* nothing = std::get_if<CheckNothing>(&command.action);
    if ((crc ? crc->sync : bytes ? bytes->sync : nothing->sync) != sync) {
      ++i;
      continue;
    }
    if (crc) check(*crc, command.place);
    if (bytes) check(*bytes, command.place);
    checks_.erase(checks_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  progress_.notify(sc_core::SC_ZERO_TIME);
}

vp::Storage* Player::memory(RamType ram, uint64_t address, uint64_t bytes,
                            const std::string& place) {
  vp::Storage* storage = ram == RamType::kMc ? &primary_ : secondary_;
  if (storage && storage->contains(address, bytes)) return storage;
  fail("trace.range", place, fmt::format("{:#x} bytes at {:#x} are not in memory", bytes, address));
  return nullptr;
}

void Player::check(const CheckCrc& check, const std::string& place) {
  vp::Storage* storage = memory(check.ram, check.address, check.bytes, place);
  if (!storage) return;
  boost::crc_32_type crc;
  std::vector<uint8_t> part(1 << 16);
  for (uint64_t done = 0; done < check.bytes; done += part.size()) {
    const auto n = static_cast<size_t>(std::min<uint64_t>(part.size(), check.bytes - done));
    storage->read(check.address + done, {part.data(), n});
    crc.process_bytes(part.data(), n);
  }
  if (crc.checksum() != check.crc)
    fail("trace.crc", place,
         fmt::format("CRC-32 of {:#x} bytes at {:#x} is {:#010x}, expected {:#010x}", check.bytes,
                     check.address, crc.checksum(), check.crc));
}

void Player::check(const CheckBytes& check, const std::string& place) {
  uint64_t wrong = 0;
  std::string first;
  for (const Packet& p : check.packets) {
    vp::Storage* storage = memory(check.ram, check.address + p.offset, p.bytes.size(), place);
    if (!storage) return;
    std::vector<uint8_t> found(p.bytes.size());
    storage->read(check.address + p.offset, found);
    for (size_t i = 0; i < found.size(); ++i) {
      if (found[i] == p.bytes[i]) continue;
      if (wrong++ == 0)
        first = fmt::format("first at {:#x}: {:#04x}, expected {:#04x}",
                            check.address + p.offset + i, found[i], p.bytes[i]);
    }
  }
  if (wrong != 0) fail("trace.bytes", place, fmt::format("{} bytes differ, {}", wrong, first));
}

void Player::check_end() {
  const bool all =
      std::all_of(awaited_.begin(), awaited_.end(), [](const Awaited& a) { return a.done; });
  if (!driven_ || !all || stopped_) return;
  finished_ = stopped_ = true;
  stop_();
}

std::string Player::awaited() const {
  std::string text = blocked_;
  for (const Awaited& a : awaited_)
    if (!a.done)
      text += fmt::format("{}interrupt {} ({})", text.empty() ? "" : ", ", a.notify.name,
                          a.notify.sync);
  std::string busy;
  for (const std::string& block : dut_.accelerator().busy_blocks())
    busy += (busy.empty() ? "" : ", ") + block;
  return fmt::format("{}; enabled: {}", text.empty() ? "nothing" : text,
                     busy.empty() ? "nothing" : busy);
}

std::optional<sim::Cycle> Player::run_cycles() const {
  if (!last_enable_ || !last_completion_ || *last_completion_ < *last_enable_) return std::nullopt;
  return *last_completion_ - *last_enable_;
}

}  // namespace dlavp::trace
