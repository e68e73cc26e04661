// The operations of the reference interpreter, each as a function of descriptors and memory.
// Internal to tests/reference.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "compiler/loadable/task_view.hpp"
#include "tests/reference/loadable_interpreter.hpp"

namespace dlavp::reference {

/// A piece of memory; reading outside gives 0 and writing outside nothing, and both are remembered.
class Region {
 public:
  Region() = default;
  Region(std::vector<uint8_t>* memory, uint64_t start) : memory_(memory), start_(start) {}
  [[nodiscard]] int8_t get(uint64_t at) const;
  [[nodiscard]] int16_t get16(uint64_t at) const;
  void put(uint64_t at, int64_t value);
  [[nodiscard]] bool outside() const { return outside_; }

 private:
  std::vector<uint8_t>* memory_ = nullptr;
  uint64_t start_ = 0;
  mutable bool outside_ = false;
};

/// Values by pixel, channels innermost; `lanes` is a whole number of atoms.
struct Grid {
  uint32_t width = 0, height = 0, lanes = 0;
  std::vector<int32_t> values;
  Grid() = default;
  Grid(uint32_t w, uint32_t h, uint32_t l)
      : width(w), height(h), lanes(l), values(size_t{w} * h * l) {}
  [[nodiscard]] size_t index(uint32_t x, uint32_t y, uint32_t c) const {
    return (size_t{y} * width + x) * lanes + c;
  }
};

/// Finds the memory behind a position of the running task's address list.
class AddressSpace {
 public:
  AddressSpace(const loadable::Loadable& l, const loadable::Task& task,
               std::map<uint16_t, std::vector<uint8_t>>& memories)
      : loadable_(l), task_(task), memories_(memories) {}
  [[nodiscard]] Region region(int address, uint64_t offset) const;
  [[nodiscard]] Region region(const DlaCube& cube) const {
    return region(cube.address, cube.offset);
  }

 private:
  const loadable::Loadable& loadable_;
  const loadable::Task& task_;
  std::map<uint16_t, std::vector<uint8_t>>& memories_;
};

/// x / 2^shift to the nearest integer, halves away from zero.
int64_t divide_pow2(int64_t x, unsigned shift);
/// x limited to what `bits` signed bits hold.
int64_t limit(int64_t x, unsigned bits);
/// The low `bits` bits of x as a signed number.
int64_t low_bits(int64_t x, unsigned bits);
inline uint32_t round_up(uint32_t x, uint32_t to) { return (x + to - 1) / to * to; }

/// Reads a feature cube: every lane of every atom, or only those below the channel count.
Grid read_feature(const Machine& m, const DlaCube& cube, Region& from, bool all_lanes);
void write_feature(const Machine& m, const DlaCube& cube, const Grid& grid, Region& to);

/// Named errors for what the interpreter leaves out; empty if it can run the operation.
Diagnostics unsupported(const loadable::DlaEntry& e, const std::string& place);

Grid run_conv(const Machine& m, const loadable::DlaEntry& e, Region& input, Region& weights);

/// `operands` are the memory operands of X1, X2 and Y (unused ones empty).
Grid run_sdp(const Machine& m, const loadable::DlaEntry& e, const Grid& input,
             std::span<Region> operands, const std::vector<DlaLut>& luts);

Grid run_pdp(const loadable::DlaEntry& e, const Grid& input);

Grid run_cdp(const loadable::DlaEntry& e, const Grid& input, const std::vector<DlaLut>& luts);

/// Softmax or power over int8 values with scale factors.
void run_emu(const loadable::EmuEntry& e, Region& input, Region& output);

}  // namespace dlavp::reference
