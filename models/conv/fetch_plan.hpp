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

/// One DMA request, or a step of the walk that asks for nothing: an image's padding.
struct FetchRequest {
  uint64_t address = 0;
  uint32_t atoms = 0;
  uint32_t gap = 1;         ///< cycles until the next request can be made
  bool padding = false;     ///< no request: the response side makes the atoms up
  bool ends_group = false;  ///< the last of a line group
};

/// What one atom does to the response side.
struct FetchAtom {
  bool blocks = false;  ///< the response side pauses in the second next cycle
  uint32_t pack = 0;    ///< cycles to pack the image bundle that it completes
  bool ends_group = false;
};

class FetchPlan {
 public:
  virtual ~FetchPlan() = default;
  [[nodiscard]] virtual bool requests_left() const = 0;
  /// The walk's next step asks for nothing.
  [[nodiscard]] virtual bool next_request_is_padding() const { return false; }
  virtual FetchRequest next_request() = 0;
  /// The response side's next atom is padding, which takes a cycle but no data.
  [[nodiscard]] virtual bool next_is_padding() const { return false; }
  virtual FetchAtom next_atom() = 0;
  /// So many of the next atoms are no padding and do nothing to it; skip_atoms() passes over them.
  [[nodiscard]] uint32_t plain_atoms() const { return plain_; }
  virtual void skip_atoms(uint32_t atoms) = 0;
  /// Lines of the `group`th line group, and their number of groups.
  [[nodiscard]] virtual uint32_t group_lines(uint32_t group) const = 0;
  [[nodiscard]] virtual uint32_t groups() const = 0;
  /// Cycles from the engine's start to its first request, from the end of a line group's last atom
  /// (image: of its packing) to CSC's count, and to the end of the fetch.
  [[nodiscard]] virtual sim::Cycle first_request() const = 0;
  [[nodiscard]] virtual sim::Cycle update() const = 0;
  [[nodiscard]] virtual sim::Cycle done() const = 0;

 protected:
  uint32_t plain_ = 0;  ///< plain_atoms() of where the response side is
};

[[nodiscard]] std::unique_ptr<FetchPlan> make_fetch_plan(const CdmaOp& op, const HwConfig& hw,
                                                         const CdmaTiming& timing);

}  // namespace dlavp::conv
