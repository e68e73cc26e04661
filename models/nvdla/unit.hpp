// Unit: what the accelerator knows of each of its units.
#pragma once

#include <vector>

#include "models/regs/reg_block.hpp"

namespace dlavp {

class Unit {
 public:
  virtual ~Unit() = default;
  /// The unit's register blocks (a unit with a read DMA has two), for CSB decoding.
  [[nodiscard]] virtual std::vector<regs::RegBlock*> reg_blocks() = 0;
  /// Nothing enabled, nothing in flight.
  [[nodiscard]] virtual bool idle() const = 0;
};

}  // namespace dlavp
