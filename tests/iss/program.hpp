// Programs for the comparison with QEMU: seeded random ones over all of RV64GC with traps and
// interrupts, and directed ones. They run on QEMU's virt machine and on the ISS alike: code at the
// start of memory, a trap handler that skips what trapped, a table of interesting numbers.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "tests/iss/encodings.hpp"

namespace dlavp::iss::test {

inline constexpr uint64_t kBase = 0x80000000;
inline constexpr uint64_t kHandlerOffset = 0x8000, kDataOffset = 0x10000;
inline constexpr uint64_t kImageBytes = 0x12000;

/// Collects code; the image is complete after `finish`.
class ProgramBuilder {
 public:
  explicit ProgramBuilder(uint64_t seed);

  void emit32(uint32_t word);
  void emit16(uint16_t half);
  [[nodiscard]] uint64_t pc() const { return kBase + code_.size(); }
  [[nodiscard]] size_t code_bytes() const { return code_.size(); }
  void patch32(uint64_t at, uint32_t word);

  /// One random piece: an instruction, or a few that belong together.
  void random_piece();
  /// Appends the exit, the handler and the data.
  std::vector<uint8_t> finish();

  [[nodiscard]] uint32_t random(uint32_t below) { return static_cast<uint32_t>(rng_() % below); }
  [[nodiscard]] uint32_t any_register() { return random(32); }
  /// A register that random code may write.
  [[nodiscard]] uint32_t target();

 private:
  void prologue();
  void random_encoding();
  void random_reservation(const Encoding& lr);
  void random_compressed();
  void random_branch();
  void random_loop();
  void random_jump_register();
  void random_csr();
  void random_illegal();
  void random_interrupt();
  void random_access_fault();
  void straight(unsigned count);
  uint32_t with_fields(const Encoding& e);
  int32_t data_offset(unsigned bytes);
  uint64_t random_double();

  std::mt19937_64 rng_;
  std::vector<uint8_t> code_;
  std::vector<uint8_t> data_;
};

/// Prologue, about `instructions` random ones, exit.
std::vector<uint8_t> random_program(uint64_t seed, unsigned instructions);
/// Stores over code that ran, then fence.i, in a loop, including code that straddles two pages.
std::vector<uint8_t> self_modifying_program();
/// Interrupts of each kind, nested enabling, vectored mode, wfi.
std::vector<uint8_t> interrupt_program();
/// Float instructions with mstatus.FS off, then initial, then dirty; reserved rounding modes.
std::vector<uint8_t> float_state_program();

}  // namespace dlavp::iss::test
