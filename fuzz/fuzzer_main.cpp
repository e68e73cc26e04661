// libFuzzer's entries to one target that reads files; the build names it and its mutator. The share
// of inputs that were accepted is printed at the end.
#include <algorithm>
#include <cstdio>

#include "fuzz/input_targets.hpp"
#include "fuzz/mutators.hpp"

namespace {

class Tally {
 public:
  void add(bool accepted) {
    ++inputs_;
    accepted_ += accepted;
  }
  ~Tally() { std::fprintf(stderr, "inputs: %zu, accepted: %zu\n", inputs_, accepted_); }

 private:
  size_t inputs_ = 0, accepted_ = 0;
};

}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Tally tally;
  tally.add(dlavp::fuzz::DLAVP_FUZZ_TARGET({data, size}));
  return 0;
}

/// Three of four changes keep the input's form.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  if (seed % 4 == 0) return LLVMFuzzerMutate(data, size, most);
  const auto out = dlavp::fuzz::DLAVP_FUZZ_MUTATOR({data, size}, seed);
  if (out.empty() || out.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::copy(out.begin(), out.end(), data);
  return out.size();
}
