// The core's softmax against the formula of docs/firmware.md, written out value by value.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "core_math.h"
#include "core_softmax.h"

namespace dlavp::fw_test {
namespace {

struct Case {
  double in_scale, out_scale;
  bool logarithm;
  uint32_t count, run;
  int32_t zero_point = 0;
};

std::vector<int8_t> by_formula(const Case& c, const std::vector<int8_t>& q) {
  const int reference = c.in_scale > 2 ? *std::max_element(q.begin(), q.end()) : 127;
  std::vector<double> p{1};
  for (int d = 1; d < 256; ++d) p.push_back(p.back() * emu_exp(-c.in_scale));
  double sum = 0;
  for (int8_t v : q) sum += p[static_cast<size_t>(reference - v)];
  std::vector<int8_t> out;
  for (int8_t v : q) {
    const double probability = p[static_cast<size_t>(reference - v)] * (1 / (sum * c.out_scale));
    const double log = ((v - reference) * c.in_scale - emu_log(sum)) / c.out_scale;
    out.push_back(emu_to_int8(std::round(c.logarithm ? log : probability) + c.zero_point));
  }
  return out;
}

/// In runs, `between` bytes further apart than they are long; what lies between must stay.
void check(const Case& c, size_t between, uint32_t seed) {
  std::mt19937 random(seed);
  const int spread = seed % 3 == 0 ? 4 : 256;
  std::vector<int8_t> q(c.count);
  for (int8_t& v : q) v = static_cast<int8_t>(static_cast<int>(random() % spread) - spread / 2);
  const size_t step = c.run + between;
  const auto at = [&](size_t i) { return i / c.run * step + i % c.run; };
  std::vector<uint8_t> in(at(c.count - 1) + 1, 0x55), out(in.size(), 0xaa);
  for (size_t i = 0; i < q.size(); ++i) in[at(i)] = static_cast<uint8_t>(q[i]);
  Softmax softmax;
  softmax_open(&softmax, c.in_scale, c.out_scale, c.logarithm, c.zero_point);
  const SoftmaxPart part{in.data(), out.data(), c.count, c.run, step, step};
  softmax_part(&softmax, &part);
  const std::vector<int8_t> expected = by_formula(c, q);
  size_t wrong = 0, written = 0;
  for (size_t i = 0; i < q.size(); ++i) wrong += static_cast<int8_t>(out[at(i)]) != expected[i];
  for (size_t i = 0; i < out.size(); ++i) written += i % step >= c.run && out[i] != 0xaa;
  INFO("scales " << c.in_scale << " " << c.out_scale << ", " << c.count << " values in runs of "
                 << c.run << ", logarithm " << c.logarithm << ", zero point " << c.zero_point
                 << ", seed " << seed);
  CHECK(wrong == 0);
  CHECK(written == 0);
}

}  // namespace

TEST_CASE("firmware: softmax is its formula's, for short and long parts, coarse and fine scales") {
  uint32_t seed = 0;
  for (const double in_scale : {0.001, 0.0371, 0.5, 2.0, 2.5, 40.0})
    for (const double out_scale : {1.0 / 127, 0.0001, 0.05})
      for (const bool logarithm : {false, true})
        for (const uint32_t count : {1U, 7U, 63U, 64U, 1000U})
          for (const uint32_t run : {1U, 8U, 32U})
            for (const int32_t zero_point : {0, -128, 77})
              for (const size_t between : {0U, 3U})
                check({in_scale, out_scale, logarithm, count, run, zero_point}, between, ++seed);
}

}  // namespace dlavp::fw_test
