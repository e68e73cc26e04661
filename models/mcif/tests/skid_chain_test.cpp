// The row of registers against a copy of it that steps valid and ready, cycle by cycle.
#include "models/mcif/skid_chain.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

using dlavp::mcif::SkidChain;
using dlavp::sim::Cycle;
using dlavp::sim::kNever;

namespace {

/// One register: an output and a second place behind it; ready is registered.
struct Register {
  bool ready = true, output = false, second = false;
  /// One clock edge; `taken`: the output leaves in this cycle. Returns if the input was taken.
  bool step(bool offered, bool taken) {
    const bool moves = taken || !output;
    const bool accepted = ready && offered;
    if (moves) {
      output = second || accepted;
      second = false;
    } else if (accepted) {
      second = true;
    }
    ready = moves;
    return accepted;
  }
};

}  // namespace

TEST_CASE(
    "skid chain: items leave in the cycles of three registers, whatever the offers and takes") {
  const unsigned seed = GENERATE(range(0u, 40u));
  CAPTURE(seed);
  std::mt19937 random(seed);
  const unsigned offer_rate = 1 + random() % 4, take_rate = 1 + random() % 6;
  SkidChain chain;
  std::array<Register, SkidChain::kStages> registers;
  unsigned passed = 0;
  for (Cycle now = 0; now < 400; ++now) {
    const bool offered = random() % offer_rate == 0, takes = random() % take_rate == 0;
    REQUIRE(chain.ready(now) == registers[0].ready);
    const bool at_output = chain.front() != kNever && chain.front() <= now;
    REQUIRE(at_output == registers.back().output);
    const bool pushed = offered && registers[0].ready;
    bool taken = takes && registers.back().output;
    if (taken) {
      chain.pop(now);
      ++passed;
    }
    for (unsigned s = SkidChain::kStages; s-- > 0;) {
      const bool from = s == 0 ? offered : registers[s - 1].output;
      taken = registers[s].step(from, taken);
    }
    if (pushed) chain.push(now);
  }
  REQUIRE(passed > 20);
}
