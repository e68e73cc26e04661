// The encodings of RV64GC as tests emit them: written from the specification's listing, apart from
// the decoder, so that the two check each other through QEMU.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace dlavp::iss::test {

/// Which fields an instruction has and what they name.
enum class Form : uint8_t {
  kR,          ///< x = x op x
  kI,          ///< x = x op imm12
  kShift64,    ///< x = x shift imm6
  kShift32,    ///< x = x shift imm5
  kU,          ///< x = imm20
  kLoad,       ///< x = memory
  kStore,      ///< memory = x
  kFpLoad,     ///< f = memory
  kFpStore,    ///< memory = f
  kAmo,        ///< x = memory op x
  kLr,         ///< x = memory
  kFpRound2,   ///< f = f op f, rounded
  kFpRound1,   ///< f = op f, rounded
  kFp2,        ///< f = f op f
  kFpFma,      ///< f = f * f + f, rounded
  kFpCompare,  ///< x = f op f
  kFpClass,    ///< x = op f
  kFpToInt,    ///< x = f, rounded
  kIntToFp,    ///< f = x, rounded
  kMoveToInt,  ///< x = f bits
  kMoveToFp,   ///< f = x bits
};

struct Encoding {
  Form form;
  uint32_t match;    ///< the fixed bits
  uint8_t size = 8;  ///< bytes of the memory access
};

/// Every computational and memory instruction of RV64GC (no control flow, no system).
std::span<const Encoding> encodings();

}  // namespace dlavp::iss::test
