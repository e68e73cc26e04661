#include "fuzz/csb_machine.hpp"

#include <algorithm>
#include <bit>

#include "registers.hpp"

namespace dlavp::fuzz {

namespace {

constexpr sim::Cycle kMostCycles = 60'000;
constexpr uint64_t kMostEvents = 60'000;
// More events than this in one cycle: time stands still.
constexpr uint64_t kMostEventsACycle = 20'000;

int completing(std::string_view name) {
  const auto* found = std::find(kCompleting.begin(), kCompleting.end(), name);
  return found == kCompleting.end() ? -1 : static_cast<int>(found - kCompleting.begin());
}

FuzzUnit describe(const regs::UnitTable& table) {
  FuzzUnit unit;
  unit.table = &table;
  for (const regs::RegInfo& r : table.registers) {
    if (r.name == "D_OP_ENABLE") {
      unit.enable = r.offset;
      continue;
    }
    for (const regs::FieldInfo& f : r.fields)
      if (r.write_mask >> f.lsb & 1) unit.fields.push_back({r.offset, f.lsb, f.width});
  }
  unit.completes = completing(table.name == regs::kCacc.name ? "CONV" : table.name);
  return unit;
}

}  // namespace

Windows::Windows() {
  constexpr uint64_t kBases[] = {0x10000, 0x200000, 0x300000, 0x400000, 0x800000, 0x900000};
  for (size_t i = 0; i < windows_.size(); ++i) {
    Window& window = windows_[i];
    window.base = kBases[i];
    window.first.resize(kBytes);
    auto state = static_cast<uint32_t>(window.base) + 1;
    for (uint8_t& b : window.first)
      b = static_cast<uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    window.bytes = window.first;
  }
}

bool Windows::read(uint64_t address, std::span<uint8_t> out) {
  const Window* window = find(address, out.size());
  if (window) std::copy_n(window->bytes.data() + (address - window->base), out.size(), out.data());
  return window != nullptr;
}

bool Windows::write(uint64_t address, std::span<const uint8_t> in) {
  Window* window = find(address, in.size());
  if (!window || in.empty()) return window != nullptr;
  const uint64_t at = address - window->base;
  std::copy(in.begin(), in.end(), window->bytes.begin() + static_cast<std::ptrdiff_t>(at));
  for (uint64_t page = at / kPageBytes; page <= (at + in.size() - 1) / kPageBytes; ++page)
    window->written |= 1u << page;
  return true;
}

void Windows::restore() {
  static_assert(kBytes / kPageBytes <= 32);
  for (Window& window : windows_)
    for (; window.written != 0; window.written &= window.written - 1) {
      const uint64_t at = static_cast<uint64_t>(std::countr_zero(window.written)) * kPageBytes;
      std::copy_n(window.first.data() + at, kPageBytes, window.bytes.data() + at);
    }
}

Windows::Window* Windows::find(uint64_t address, uint64_t bytes) {
  for (Window& window : windows_)
    if (address >= window.base && address - window.base <= kBytes)
      return bytes <= kBytes - (address - window.base) ? &window : nullptr;
  return nullptr;
}

const std::vector<FuzzUnit>& fuzz_units() {
  static const std::vector<FuzzUnit> units = [] {
    std::vector<FuzzUnit> all;
    for (const regs::UnitTable* table :
         {&regs::kCdma, &regs::kCsc, &regs::kCmacA, &regs::kCmacB, &regs::kCacc, &regs::kSdpRdma,
          &regs::kSdp, &regs::kPdpRdma, &regs::kPdp, &regs::kCdpRdma, &regs::kCdp, &regs::kGlb,
          &regs::kMcif, &regs::kCvif, &regs::kBdma, &regs::kRbk, &regs::kGec, &regs::kCfgrom})
      all.push_back(describe(*table));
    return all;
  }();
  return units;
}

const FuzzUnit& fuzz_unit(const regs::UnitTable& table) {
  for (const FuzzUnit& unit : fuzz_units())
    if (unit.table == &table) return unit;
  DLAVP_CHECK(false, "{} is none of the fuzzer's units", table.name);
  return fuzz_units().front();
}

Machine::Machine(const Setup& s, Windows& memory, sim::Cycle latency)
    : hw_(s.hw),
      primary_(latency),
      secondary_(latency / 2 + 1),
      chip_(s.hw, s.timing,
            {&memory, s.hw.secondary_memif ? &memory : nullptr, &primary_,
             s.hw.secondary_memif ? &secondary_ : nullptr}) {
  chip_.on_program_error([this](const Diagnostics& errors) { refused(errors); });
}

void Machine::write(const FuzzUnit& unit, uint32_t offset, uint32_t value) {
  const int64_t at = unit.table->base(hw_.hw);
  if (at < 0) return;
  const auto base = static_cast<uint32_t>(at);
  if (offset == unit.enable && offset != 0 && unit.completes >= 0 && (value & 1) != 0) {
    const unsigned group = chip_.csb_read(base + kPointerOffset) & 1;
    // Before the write: it may start the operation at once.
    if ((chip_.csb_read(base + unit.enable) & 1) == 0)
      ++enabled_[static_cast<size_t>(unit.completes)][group];
  }
  chip_.csb_write(base + offset, value);
}

uint32_t Machine::read(const FuzzUnit& unit, uint32_t offset) const {
  const int64_t base = unit.table->base(hw_.hw);
  return base < 0 ? 0 : chip_.csb_read(static_cast<uint32_t>(base) + offset);
}

void Machine::run(sim::Cycle cycles) {
  sim::EventQueue& events = chip_.events();
  const sim::Cycle end = std::min(kMostCycles, events.now() + cycles);
  while (events.next() <= end && events.executed() < kMostEvents) {
    const uint64_t before = events.executed();
    events.run_next();
    DLAVP_CHECK(events.executed() - before < kMostEventsACycle, "{} events in cycle {}",
                events.executed() - before, events.now());
  }
  if (events.next() > end && end > events.now()) events.run_until(end);
}

CsbRun Machine::finish() {
  run(kMostCycles);
  check();
  CsbRun out;
  for (size_t unit = 0; unit < enabled_.size(); ++unit) {
    out.units[unit].enabled = enabled_[unit][0] + enabled_[unit][1];
    out.enabled += out.units[unit].enabled;
  }
  for (const Refusal& r : refusals_)
    if (r.unit >= 0) ++out.units[static_cast<size_t>(r.unit)].refused;
  for (const OpRecord& r : chip_.operations())
    ++out.units[static_cast<size_t>(completing(r.unit))].completed;
  out.completed = chip_.operations().size();
  out.refused = refusals_.size();
  out.errors = chip_.program_errors();
  out.cycles = chip_.events().now();
  return out;
}

void Machine::refused(const Diagnostics& errors) {
  DLAVP_CHECK(!errors.empty(), "refused without an error");
  const Error& e = errors.errors().front();
  DLAVP_CHECK(!e.id.empty() && !e.message.empty(), "an error without id or text: {}", e.text());
  const std::string_view place = e.place;
  Refusal refusal{place.starts_with("CSB ") ? -1 : completing("CONV"), -1, chip_.events().now()};
  for (const std::string_view unit : {"SDP", "PDP", "CDP"}) {
    if (!place.starts_with(unit)) continue;
    refusal.unit = completing(unit);
    if (place.substr(3).starts_with(" group ")) refusal.group = place[10] - '0';
  }
  refusals_.push_back(refusal);
}

void Machine::check() const {
  std::array<ByGroup, kCompleting.size()> over{};
  for (const OpRecord& r : chip_.operations()) {
    const int unit = completing(r.unit);
    DLAVP_CHECK(unit >= 0, "{} completed an operation", r.unit);
    DLAVP_CHECK(r.enabled <= r.done && r.started <= r.done, "{}: {} {} {}", r.unit, r.enabled,
                r.started, r.done);
    ++over[static_cast<size_t>(unit)][r.group & 1];
    for (const Refusal& refusal : refusals_)
      DLAVP_CHECK(unit != refusal.unit || r.started <= refusal.at,
                  "{} refused its program at {}, then began an operation at {}", r.unit, refusal.at,
                  r.started);
  }
  for (const Refusal& refusal : refusals_)
    if (refusal.unit >= 0 && refusal.group >= 0)
      ++over[static_cast<size_t>(refusal.unit)][static_cast<size_t>(refusal.group) & 1];
  for (size_t unit = 0; unit < over.size(); ++unit)
    for (const size_t group : {size_t{0}, size_t{1}})
      DLAVP_CHECK(over[unit][group] <= enabled_[unit][group], "{} group {}: {} over, {} enabled",
                  kCompleting[unit], group, over[unit][group], enabled_[unit][group]);
}

}  // namespace dlavp::fuzz
