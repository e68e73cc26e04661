// libFuzzer's entries to one target that reads files; the build names it and its mutator. Half of
// the inputs grow from the last one that was accepted, since most changes of a refused one are
// refused for the same reason. The share of accepted inputs is printed at the end.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "fuzz/input_targets.hpp"
#include "fuzz/mutators.hpp"

namespace {

class Tally {
 public:
  void add(std::span<const uint8_t> input, bool accepted) {
    ++inputs_;
    if (!accepted) return;
    ++accepted_;
    last_accepted_.assign(input.begin(), input.end());
  }
  [[nodiscard]] const std::vector<uint8_t>& last_accepted() const { return last_accepted_; }
  ~Tally() { std::fprintf(stderr, "inputs: %zu, accepted: %zu\n", inputs_, accepted_); }

 private:
  size_t inputs_ = 0, accepted_ = 0;
  std::vector<uint8_t> last_accepted_;
};

Tally& tally() {
  static Tally all;
  return all;
}

}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tally().add({data, size}, dlavp::fuzz::DLAVP_FUZZ_TARGET({data, size}));
  return 0;
}

/// Three of four changes keep the input's form.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  if (seed % 4 == 0) return LLVMFuzzerMutate(data, size, most);
  std::span<const uint8_t> from(data, size);
  if (seed % 2 == 1 && !tally().last_accepted().empty()) from = tally().last_accepted();
  const auto out = dlavp::fuzz::DLAVP_FUZZ_MUTATOR(from, seed / 4);
  if (out.empty() || out.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::copy(out.begin(), out.end(), data);
  return out.size();
}
