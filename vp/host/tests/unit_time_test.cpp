// The time of units over a run: its parts always sum up to the run.
#include <catch2/catch.hpp>
#include <numeric>

#include "vp/host/unit_time.hpp"

using namespace dlavp;
using sim::Cause;

namespace {

OpRecord record(const std::string& unit, sim::Cycle enabled, sim::Cycle started, sim::Cycle done,
                sim::Cycle busy, sim::Cycle before = 0) {
  OpRecord r;
  r.unit = unit;
  r.enabled = enabled;
  r.started = started;
  r.done = done;
  r.cycles.start(started);
  r.cycles.hide(before);
  r.cycles.advance(Cause::kBusy, done, busy);
  r.cycles.advance(Cause::kAcknowledge, done);
  return r;
}

uint64_t sum(const vp::UnitTime& t) {
  return std::accumulate(t.parts.begin(), t.parts.end(), t.start + t.others + t.core);
}

}  // namespace

TEST_CASE("unit time: gaps belong to the core where nothing is enabled, else to other units") {
  // CONV 10..110, SDP 20..150, nothing until 200, CONV 205..300.
  const auto times =
      vp::unit_times({record("CONV", 10, 14, 110, 80), record("SDP", 20, 30, 150, 60),
                      record("CONV", 200, 205, 300, 90)});
  REQUIRE(times.size() == 2);
  CHECK(times[0].unit == "CONV");
  CHECK(times[0].operations == 2);
  CHECK(times[0].total == 290);
  CHECK(times[0].start == 4 + 5);
  CHECK(times[0].others == 40);
  CHECK(times[0].core == 50);
  CHECK(times[0].parts[static_cast<size_t>(Cause::kBusy)] == 170);
  CHECK(sum(times[0]) == 290);
  CHECK(times[1].others == 10 + 100);
  CHECK(times[1].core == 50);
  CHECK(sum(times[1]) == 290);
}

TEST_CASE("unit time: operations that overlap are counted once") {
  const auto times =
      vp::unit_times({record("SDP", 0, 10, 100, 50), record("SDP", 5, 60, 180, 40, 100)});
  REQUIRE(times.size() == 1);
  CHECK(times[0].parts[static_cast<size_t>(Cause::kOverlap)] == 0);
  CHECK(times[0].start == 10);
  CHECK(sum(times[0]) == 180);
  CHECK(vp::unit_times({}).empty());
}
