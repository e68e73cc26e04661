#include "vp/host/unit_time.hpp"

#include <algorithm>

namespace dlavp::vp {

namespace {

struct Span {
  sim::Cycle from, until;
};

/// The stretches in which any unit has something enabled, merged.
std::vector<Span> occupied(const std::vector<OpRecord>& records) {
  std::vector<Span> spans;
  for (const OpRecord& r : records) spans.push_back({r.enabled, r.done});
  std::sort(spans.begin(), spans.end(),
            [](const Span& a, const Span& b) { return a.from < b.from; });
  std::vector<Span> merged;
  for (const Span& s : spans) {
    if (merged.empty() || s.from > merged.back().until)
      merged.push_back(s);
    else
      merged.back().until = std::max(merged.back().until, s.until);
  }
  return merged;
}

uint64_t overlap(const std::vector<Span>& spans, Span with) {
  uint64_t sum = 0;
  for (const Span& s : spans) {
    const sim::Cycle from = std::max(s.from, with.from), until = std::min(s.until, with.until);
    if (from < until) sum += until - from;
  }
  return sum;
}

void idle(UnitTime& t, const std::vector<Span>& spans, Span gap) {
  if (gap.until <= gap.from) return;
  const uint64_t others = overlap(spans, gap);
  t.others += others;
  t.core += gap.until - gap.from - others;
}

}  // namespace

std::vector<UnitTime> unit_times(const std::vector<OpRecord>& records) {
  std::vector<UnitTime> out;
  if (records.empty()) return out;
  const std::vector<Span> spans = occupied(records);
  const Span run{spans.front().from, spans.back().until};
  std::vector<sim::Cycle> ends;  // how far each unit is accounted for
  for (const OpRecord& r : records) {
    const auto found =
        std::find_if(out.begin(), out.end(), [&](const UnitTime& t) { return t.unit == r.unit; });
    const auto i = static_cast<size_t>(found - out.begin());
    if (found == out.end()) {
      out.push_back({.unit = r.unit, .total = run.until - run.from});
      ends.push_back(run.from);
    }
    UnitTime& t = out[i];
    ++t.operations;
    // What the account calls overlap lies before the end of the operation before.
    const sim::Cycle begun = r.started + r.cycles.part(sim::Cause::kOverlap);
    const sim::Cycle enabled = std::clamp(r.enabled, ends[i], std::max(begun, ends[i]));
    idle(t, spans, {ends[i], enabled});
    t.start += begun - enabled;
    for (size_t c = 0; c < sim::kCauses; ++c)
      if (static_cast<sim::Cause>(c) != sim::Cause::kOverlap) t.parts[c] += r.cycles.parts()[c];
    ends[i] = r.done;
  }
  for (size_t i = 0; i < out.size(); ++i) idle(out[i], spans, {ends[i], run.until});
  return out;
}

}  // namespace dlavp::vp
