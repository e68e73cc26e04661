// What PDP's core does position by position: which atoms it takes, when a row result leaves the
// horizontal stage and when a window result leaves the vertical stage, and where it inserts
// positions of its own to flush windows that end in the padding. Hardware manual: "Planar Data
// Processor"; the flushing rules are the RTL's. A position costs the cycles of one atom.
#pragma once

#include "models/pdp/pdp_op.hpp"

namespace dlavp::pdp {

/// One position of the horizontal stage and what follows from it in the vertical stage.
struct Position {
  bool reads = false;          ///< takes an input atom; otherwise it flushes
  bool row_result = false;     ///< hands a row result to the vertical stage
  bool result = false;         ///< ... which completes a window
  bool single_column = false;  ///< ... and ends a line of one result (the buffer needs a pause)
  uint32_t flush_results =
      0;  ///< positions that the vertical stage inserts behind it, each a result
};

class PoolSchedule {
 public:
  explicit PoolSchedule(const PdpOp& op);
  /// True until every position was returned.
  [[nodiscard]] bool more() const { return !done_; }
  /// The next position takes an input atom.
  [[nodiscard]] bool next_reads() const { return x_ < op_.bands[band_].in_width; }
  Position next();
  /// How many positions the stage in front takes for the whole operation, those that wait for
  /// flushes of the vertical stage included.
  [[nodiscard]] uint64_t all_positions() const;

 private:
  /// Windows along one axis: which input index completes one, and what is left at the end.
  struct AxisPlan {
    uint32_t size = 0, windows = 0, kernel = 0, stride = 0, pad = 0;
    uint32_t flush = 0;   ///< windows that end behind the last element
    uint32_t first = 0;   ///< elements until the first window can end
    uint32_t bubble = 0;  ///< flush positions right behind a line, the rest overlap the next one
    AxisPlan() = default;
    AxisPlan(uint32_t size_in, uint32_t windows_in, uint32_t kernel_in, uint32_t stride_in,
             uint32_t pad_in);
    [[nodiscard]] bool completes(uint32_t index, uint32_t already) const;
  };
  void begin_band();
  void end_column(Position& position);
  [[nodiscard]] uint32_t surface_bubbles() const;

  const PdpOp& op_;
  uint32_t band_ = 0, surface_ = 0, line_ = 0, x_ = 0;
  AxisPlan horizontal_, vertical_;
  uint32_t bubbles_ = 0;    ///< flush positions behind this line
  uint32_t row_done_ = 0;   ///< windows of this line that have left
  uint32_t carried_x_ = 0;  ///< windows of the line before that still have to leave
  // The vertical stage, which runs behind the horizontal one.
  uint32_t v_band_ = 0, v_surface_ = 0, v_line_ = 0, v_column_ = 0;
  uint32_t v_done_ = 0, v_carried_ = 0;
  uint32_t surface_bubbles_ = 0;
  bool done_ = false;
};

}  // namespace dlavp::pdp
