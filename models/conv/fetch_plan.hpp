// FetchPlan: the order in which CDMA asks for an operation's input and how its response side takes
// the atoms: feature cubes (groups of lines, surface by surface) and images (line by line, planes
// in turn). Hardware manual: "Convolution DMA"; order and rates as in the RTL. Pure walks, no time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "models/conv/conv_op.hpp"
#include "models/conv/conv_timing.hpp"

namespace dlavp::conv {

/// One DMA request of at most a burst of atoms.
struct FetchRequest {
  uint64_t address = 0;
  uint32_t atoms = 0;
  uint32_t gap = 1;         ///< cycles until the next request can be made
  bool ends_group = false;  ///< the last of a line group
};

/// What one atom does to the response side.
struct FetchAtom {
  bool blocks = false;  ///< the response side pauses in the second next cycle
  uint32_t pause = 0;   ///< further cycles taken after it
  bool ends_group = false;
};

class FetchPlan {
 public:
  virtual ~FetchPlan() = default;
  [[nodiscard]] virtual bool requests_left() const = 0;
  virtual FetchRequest next_request() = 0;
  virtual FetchAtom next_atom() = 0;
  /// Lines of the `group`th line group, and their number of groups.
  [[nodiscard]] virtual uint32_t group_lines(uint32_t group) const = 0;
  [[nodiscard]] virtual uint32_t groups() const = 0;
  /// Cycles before the first atom of the operation can be taken in, and from engine start to
  /// request.
  [[nodiscard]] virtual sim::Cycle first_request() const = 0;
  [[nodiscard]] virtual sim::Cycle update() const = 0;
  [[nodiscard]] virtual sim::Cycle done() const = 0;
};

[[nodiscard]] std::unique_ptr<FetchPlan> make_fetch_plan(const CdmaOp& op, const HwConfig& hw,
                                                         const CdmaTiming& timing);

}  // namespace dlavp::conv
