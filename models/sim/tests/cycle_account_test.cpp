// Accounts of cycles and their stretches over time.
#include <catch2/catch.hpp>
#include <numeric>

#include "models/sim/cycle_account.hpp"

using namespace dlavp::sim;

namespace {
uint64_t sum(const CycleAccount& a) {
  return std::accumulate(a.parts().begin(), a.parts().end(), uint64_t{0});
}
}  // namespace

TEST_CASE("account: every cycle belongs to the first cause that claims it") {
  CycleAccount a;
  a.start(100);
  a.advance(Cause::kPipeline, 110);
  a.advance(Cause::kData, 105);  // past already
  a.advance(Cause::kBusy, 130);
  a.advance(Cause::kDownstream, 150, 7);
  a.advance(Cause::kAcknowledge, 150);
  CHECK(a.part(Cause::kPipeline) == 10);
  CHECK(a.part(Cause::kData) == 0);
  CHECK(a.part(Cause::kBusy) == 20);
  CHECK(a.part(Cause::kDownstream) == 7);
  CHECK(a.part(Cause::kAcknowledge) == 13);
  CHECK(sum(a) == 50);
}

TEST_CASE("account: what was claimed beyond the end is taken back") {
  CycleAccount a;
  a.start(0);
  a.advance(Cause::kData, 50);
  a.advance(Cause::kBusy, 60);
  a.finish(Cause::kAcknowledge, 45);
  CHECK(a.part(Cause::kBusy) == 0);
  CHECK(a.part(Cause::kData) == 45);
  CHECK(sum(a) == 45);
  a.finish(Cause::kAcknowledge, 48);
  CHECK(a.part(Cause::kAcknowledge) == 3);
}

TEST_CASE("account: what lies before the end of the operation before is overlap") {
  CycleAccount a;
  a.start(100);
  a.hide(90);
  CHECK(a.part(Cause::kOverlap) == 0);
  a.advance(Cause::kData, 120);
  a.hide(140);
  CHECK(a.part(Cause::kOverlap) == 40);
  CHECK(sum(a) == 40);
  a.advance(Cause::kBusy, 160);
  a.hide(150);  // ten of the cycles it has claimed already come after
  CHECK(a.part(Cause::kOverlap) == 50);
  CHECK(a.part(Cause::kBusy) == 10);
  a.advance(Cause::kAcknowledge, 170);
  CHECK(sum(a) == 70);
}

TEST_CASE("activity: stretches merge as time goes on and keep every cycle") {
  Activity activity(2);
  activity.add(0, 0, 100);
  activity.add(1, 60, 70);
  CHECK(activity.stretch() == 64);
  CHECK(activity.counts(0) == std::vector<uint64_t>{64, 36});
  CHECK(activity.counts(1) == std::vector<uint64_t>{4, 6});
  activity.add(0, 1000000, 1000001);
  CHECK(activity.stretch() == 512);
  CHECK(activity.counts(0).front() == 100);
  CHECK(activity.counts(1).front() == 10);
  CHECK(activity.counts(0).back() == 1);
  CHECK(activity.counts(0).size() == 1000000 / 512 + 1);
}

TEST_CASE("activity: an account tells it every part") {
  Activity activity(kCauses);
  CycleAccount a;
  a.start(10, &activity);
  a.advance(Cause::kBusy, 100);
  a.advance(Cause::kData, 130);
  const auto& busy = activity.counts(static_cast<size_t>(Cause::kBusy));
  CHECK(busy == std::vector<uint64_t>{54, 36});
  CHECK(activity.counts(static_cast<size_t>(Cause::kData)) == std::vector<uint64_t>{0, 28, 2});
}
