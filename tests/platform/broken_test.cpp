// Runs that must fail by name, and a second run after the first on the same platform.
#include <catch2/catch.hpp>

#include "compiler/loadable/tests/small_loadable.hpp"
#include "tests/platform/platform_fixture.hpp"

namespace dlavp::platform_test {

namespace {

/// One max pooling, 4x4x8 to 2x2x8.
loadable::Loadable pooling() {
  loadable::Loadable l = loadable::testing::small_loadable();
  reinterpret_cast<DlaNetwork*>(l.blobs[0].data.data())->num_rois = 1;
  reinterpret_cast<DlaOperation*>(l.blobs[2].data.data())->pdp.split_num = 1;
  return l;
}

std::vector<uint8_t> counting(size_t bytes, uint8_t first) {
  std::vector<uint8_t> out(bytes);
  for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<uint8_t>((first + i) % 100);
  return out;
}

/// What max pooling of 2x2 with stride 2 makes of a 4x4 cube of one atom.
std::vector<uint8_t> pooled(const std::vector<uint8_t>& in) {
  std::vector<uint8_t> out(32);
  for (size_t y = 0; y < 2; ++y)
    for (size_t x = 0; x < 2; ++x)
      for (size_t c = 0; c < 8; ++c) {
        const auto at = [&](size_t dy, size_t dx) {
          return in[((2 * y + dy) * 4 + 2 * x + dx) * 8 + c];
        };
        out[(y * 2 + x) * 8 + c] = std::max({at(0, 0), at(0, 1), at(1, 0), at(1, 1)});
      }
  return out;
}

}  // namespace

TEST_CASE("platform: a loadable runs twice on one platform with different inputs") {
  Platform platform("nv_small");
  const auto bytes = write_loadable(pooling());
  for (const uint8_t first : {3, 40}) {
    const auto input = counting(128, first);
    const auto outcome = platform.run(bytes, {input});
    if (const auto* failure = std::get_if<vp::RunFailure>(&outcome)) FAIL(failure->errors.text());
    const auto& result = std::get<vp::RunResult>(outcome);
    REQUIRE(result.outputs.size() == 1);
    CHECK(result.outputs[0] == pooled(input));
    REQUIRE(result.operations.size() == 1);
    REQUIRE(result.operations[0].record.has_value());
    CHECK(result.operations[0].record->unit == "PDP");
  }
}

TEST_CASE("platform: a broken loadable ends with the firmware's code and text") {
  Platform platform("nv_small");
  auto l = pooling();
  reinterpret_cast<DlaSurface*>(l.blobs[3].data.data())->pair.dst_data.offset = 8;
  const auto outcome = platform.run(write_loadable(l), {counting(128, 0)});
  const auto* failure = std::get_if<vp::RunFailure>(&outcome);
  REQUIRE(failure != nullptr);
  CHECK(failure->errors.has("loadable.address"));
  CHECK_FALSE(failure->never_finished);
  CHECK_THAT(failure->errors.text(), Catch::Contains("PDP output"));
}

TEST_CASE("platform: a program that the accelerator refuses ends with the unit's error") {
  Platform platform("nv_small");
  auto l = pooling();
  // An output narrower than input, kernel and stride give.
  auto& surface = *reinterpret_cast<DlaSurface*>(l.blobs[3].data.data());
  surface.pair.dst_data.width = 1;
  const auto outcome = platform.run(write_loadable(l), {counting(128, 0)});
  const auto* failure = std::get_if<vp::RunFailure>(&outcome);
  REQUIRE(failure != nullptr);
  CHECK_FALSE(failure->never_finished);
  CHECK_THAT(failure->errors.text(), Catch::Contains("pdp."));
}

TEST_CASE("platform: a DRAM that the firmware is not linked for is refused") {
  const auto hw = load_hw_config("nv_small");
  const auto timing = TimingParams::load(*hw);
  PlatformConfig platform = *load_platform_config("default");
  platform.dram_window.base = 0x90000000;
  const auto session = vp::Session::create(*hw, *timing, platform);
  REQUIRE_FALSE(session);
  CHECK(session.errors().has("run.firmware"));
}

TEST_CASE("platform: an accelerator of the first generation, whose registers lie elsewhere") {
  const auto hw = load_hw_config("nv_full");
  const auto timing = TimingParams::load(*hw);
  const auto session = vp::Session::create(*hw, *timing, *load_platform_config("default"));
  REQUIRE_FALSE(session);
  CHECK(session.errors().has("run.generation"));
}

TEST_CASE("platform: a loadable larger than DRAM is refused") {
  const auto hw = load_hw_config("nv_small");
  const auto timing = TimingParams::load(*hw);
  PlatformConfig platform = *load_platform_config("default");
  platform.dram_window.size = 4 << 20;
  const auto session = vp::Session::create(*hw, *timing, platform);
  REQUIRE(session);
  const std::vector<uint8_t> loadable(5 << 20);
  CHECK((*session)->load(loadable, vp::Network{}).has("run.memory"));
}

}  // namespace dlavp::platform_test
