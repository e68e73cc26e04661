// libFuzzer's entries for register programs: inputs change by whole records, and what became of the
// operations is printed at the end.
#include <algorithm>
#include <cstdio>
#include <random>
#include <vector>

#include "fuzz/csb_target.hpp"

namespace {

using namespace dlavp::fuzz;

/// Counts over all inputs of the process.
class Tally {
 public:
  void add(const CsbRun& run) {
    ++inputs_;
    bool any = false;
    for (size_t unit = 0; unit < kCompleting.size(); ++unit) {
      const UnitCount& c = run.units[unit];
      UnitCount& all = units_[unit];
      all.enabled += c.enabled;
      all.refused += c.refused;
      all.completed += c.completed;
      inputs_with_[unit] += c.completed != 0;
      any |= c.completed != 0;
    }
    inputs_with_any_ += any;
  }
  ~Tally() {
    const auto percent = [&](size_t n) {
      return inputs_ == 0 ? 0.0 : 100.0 * static_cast<double>(n) / static_cast<double>(inputs_);
    };
    std::fprintf(stderr, "csb: %zu inputs, %.1f %% complete an operation\n", inputs_,
                 percent(inputs_with_any_));
    for (size_t unit = 0; unit < kCompleting.size(); ++unit)
      std::fprintf(stderr,
                   "csb: %-4s %zu enabled, %zu refused, %zu completed, in %.1f %% of inputs\n",
                   kCompleting[unit], units_[unit].enabled, units_[unit].refused,
                   units_[unit].completed, percent(inputs_with_[unit]));
  }

 private:
  std::array<UnitCount, kCompleting.size()> units_;
  std::array<size_t, kCompleting.size()> inputs_with_{};
  size_t inputs_ = 0, inputs_with_any_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Tally tally;
  tally.add(run_csb({data, size}));
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  const std::vector<uint8_t> out = mutate_csb({data, size}, most, seed);
  std::copy(out.begin(), out.end(), data);
  return out.size();
}

/// The head and some records of one input, then those of another one.
extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* one, size_t one_size, const uint8_t* two,
                                            size_t two_size, uint8_t* out, size_t most,
                                            unsigned seed) {
  std::mt19937 engine(seed);
  most = std::min(most, kMostInputBytes);
  const auto cut = [&](size_t size) { return engine() % (size / kRecordBytes + 1) * kRecordBytes; };
  const size_t from_one = std::min({cut(one_size), one_size, most});
  const size_t from = std::min(cut(two_size), two_size);
  const size_t from_two = std::min(two_size - from, most - from_one);
  std::copy_n(one, from_one, out);
  std::copy_n(two + from, from_two, out + from_one);
  return from_one + from_two;
}
