// Registers, gateways and output of the PLIC.
#include "vp/devices/plic.hpp"

#include "models/common/check.hpp"

namespace dlavp::devices {
namespace {
constexpr unsigned kMaxSources = 1023;
constexpr unsigned kWordBits = 32;
}  // namespace

Plic::Plic(const sc_core::sc_module_name& name, unsigned sources,
           const sc_core::sc_time& access_time)
    : RegisterTarget(name, kSizeBytes, access_time),
      lines("lines", sources + 1),
      sources_(sources + 1) {
  DLAVP_CHECK(sources >= 1 && sources <= kMaxSources, "sources {}, expected 1 to {}", sources,
              kMaxSources);
  SC_HAS_PROCESS(Plic);
  SC_METHOD(drive);
  sensitive << drive_event_;
}

void Plic::end_of_elaboration() {
  sc_core::sc_spawn_options options;
  options.spawn_method();
  for (Source& line : lines)
    if (line.size() != 0) options.set_sensitivity(&line->value_changed_event());
  sc_core::sc_spawn([this] { sample_lines(); }, sc_core::sc_gen_unique_name("sample"), &options);
}

bool Plic::level(unsigned source) const {
  return lines[source].size() != 0 && lines[source]->read();
}

void Plic::sample_lines() {
  for (unsigned i = 1; i < sources_.size(); ++i) {
    if (!sources_[i].in_service && level(i)) sources_[i].pending = true;
  }
  drive_event_.notify(sc_core::SC_ZERO_TIME);
}

unsigned Plic::best() const {
  unsigned winner = 0;
  uint32_t winning_priority = threshold_;
  for (unsigned i = 1; i < sources_.size(); ++i) {
    const State& s = sources_[i];
    if (!s.pending || !s.enabled || s.priority <= winning_priority) continue;
    winner = i;
    winning_priority = s.priority;
  }
  return winner;
}

void Plic::drive() { irq.write(best() != 0); }

template <typename Get>
uint64_t Plic::word_of_bits(unsigned first_source, Get get) const {
  uint64_t word = 0;
  for (unsigned bit = 0; bit < kWordBits && first_source + bit < sources_.size(); ++bit) {
    if (get(sources_[first_source + bit])) word |= uint64_t{1} << bit;
  }
  return word;
}

bool Plic::peek(uint64_t offset, unsigned bytes, uint64_t& value) {
  value = 0;
  if (bytes != 4) return false;
  const uint64_t bitmap_bytes = (sources_.size() + kWordBits - 1) / kWordBits * 4;
  if (offset < kPriority + 4 * sources_.size()) {
    value = sources_[offset / 4].priority;
  } else if (offset >= kPending && offset < kPending + bitmap_bytes) {
    value = word_of_bits(static_cast<unsigned>((offset - kPending) * 8),
                         [](const State& s) { return s.pending; });
  } else if (offset >= kEnable && offset < kEnable + bitmap_bytes) {
    value = word_of_bits(static_cast<unsigned>((offset - kEnable) * 8),
                         [](const State& s) { return s.enabled; });
  } else if (offset == kThreshold) {
    value = threshold_;
  } else if (offset == kClaim) {
    value = best();
  }
  return true;
}

bool Plic::read(uint64_t offset, unsigned bytes, uint64_t& value) {
  if (!peek(offset, bytes, value)) return false;
  if (offset == kClaim && value != 0) {
    sources_[value].pending = false;
    sources_[value].in_service = true;
    drive_event_.notify(sc_core::SC_ZERO_TIME);
  }
  return true;
}

void Plic::complete(unsigned source) {
  if (source == 0 || source >= sources_.size() || !sources_[source].enabled) return;
  sources_[source].in_service = false;
  sources_[source].pending = level(source);
}

bool Plic::write(uint64_t offset, unsigned bytes, uint64_t value) {
  if (bytes != 4) return false;
  const uint64_t bitmap_bytes = (sources_.size() + kWordBits - 1) / kWordBits * 4;
  if (offset >= kPriority + 4 && offset < kPriority + 4 * sources_.size()) {
    sources_[offset / 4].priority = static_cast<uint32_t>(value) & kMaxPriority;
  } else if (offset >= kEnable && offset < kEnable + bitmap_bytes) {
    const auto first = static_cast<unsigned>((offset - kEnable) * 8);
    for (unsigned bit = 0; bit < kWordBits && first + bit < sources_.size(); ++bit) {
      sources_[first + bit].enabled = first + bit != 0 && ((value >> bit) & 1) != 0;
    }
  } else if (offset == kThreshold) {
    threshold_ = static_cast<uint32_t>(value) & kMaxPriority;
  } else if (offset == kClaim) {
    complete(static_cast<unsigned>(value));
  }
  drive_event_.notify(sc_core::SC_ZERO_TIME);
  return true;
}

}  // namespace dlavp::devices
