#include "models/pdp/pdp_schedule.hpp"

#include <algorithm>
#include <array>

namespace dlavp::pdp {

PoolSchedule::AxisPlan::AxisPlan(uint32_t size_in, uint32_t windows_in, uint32_t kernel_in,
                                 uint32_t stride_in, uint32_t pad_in)
    : size(size_in), windows(windows_in), kernel(kernel_in), stride(stride_in), pad(pad_in) {
  // Windows that end before the last element leave with their last element, one leaves with the
  // last element, the others are flushed.
  uint32_t before = 0;
  if (size - 1 + pad + 1 > kernel) {
    const uint32_t last_inside =
        size - 1 + pad - kernel;  // start + pad of a window ending at size - 2
    before = std::min(windows, last_inside / stride + 1);
  }
  flush = windows > before + 1 ? windows - before - 1 : 0;
  first = size - 1 + pad < kernel - 1 ? size : kernel - pad;
  bubble = flush >= first ? flush - first + 1 : 0;
}

bool PoolSchedule::AxisPlan::completes(uint32_t index, uint32_t already) const {
  if (already >= windows) return false;
  if (index + 1 == size) return true;
  return index + pad + 1 == already * stride + kernel;
}

PoolSchedule::PoolSchedule(const PdpOp& op)
    : op_(op), vertical_(op.in.height, op.out.height, op.kernel_height, op.stride_y, op.pad_top) {
  surface_bubbles_ = surface_bubbles();
  begin_band();
}

void PoolSchedule::begin_band() {
  const Band& band = op_.bands[band_];
  horizontal_ =
      AxisPlan(band.in_width, band.out_width, op_.kernel_width, op_.stride_x, band.pad_left);
}

// Lines that the vertical stage inserts between two surfaces. Besides those that cannot overlap the
// next surface, it waits for flushed rows whose buffer the next surface's first rows need.
uint32_t PoolSchedule::surface_bubbles() const {
  const uint32_t overlapped = vertical_.flush - vertical_.bubble;
  if (overlapped < 2) return vertical_.bubble;
  const uint32_t rows = line_buffer_rows(op_.kernel_height, op_.stride_y);
  constexpr uint32_t kLargestListedPad = 5;
  const uint32_t opened = op_.pad_top <= kLargestListedPad ? op_.pad_top / op_.stride_y : 0;
  const uint32_t last_row = vertical_.windows - vertical_.flush - 1;  // leaves with the last line
  for (uint32_t i = overlapped; i-- > 0;) {
    const uint32_t buffer = (last_row + 1 + vertical_.bubble + i) % rows;
    if (buffer <= opened) return vertical_.bubble + i + 1;
  }
  return vertical_.bubble;
}

uint64_t PoolSchedule::all_positions() const {
  const uint64_t surfaces = op_.surfaces, lines = op_.in.height;
  uint64_t all = 0;
  for (const Band& band : op_.bands) {
    const AxisPlan x(band.in_width, band.out_width, op_.kernel_width, op_.stride_x, band.pad_left);
    all += surfaces * lines * (uint64_t{band.in_width} + x.bubble) + (x.flush - x.bubble);
    const uint64_t flushed = (surfaces - 1) * std::min(surface_bubbles_, vertical_.flush);
    all += (flushed + vertical_.flush) * band.out_width;
  }
  return all;
}

void PoolSchedule::end_column(Position& position) {
  const uint32_t width = op_.bands[v_band_].out_width;
  const bool own = vertical_.completes(v_line_, v_done_);
  const bool carried = v_carried_ > 0;
  position.result = own || carried;
  if (++v_column_ < width) return;
  v_column_ = 0;
  position.single_column = width == 1;
  if (carried) --v_carried_;
  if (own) ++v_done_;
  if (++v_line_ < op_.in.height) return;
  v_line_ = 0;
  v_done_ = 0;
  const bool last_surface = v_surface_ + 1 == op_.surfaces;
  const uint32_t bubbles =
      last_surface ? vertical_.flush : std::min(surface_bubbles_, vertical_.flush);
  position.flush_results = bubbles * width;
  v_carried_ = vertical_.flush - bubbles;
  if (!last_surface) {
    ++v_surface_;
  } else {
    v_surface_ = 0;
    ++v_band_;
  }
}

Position PoolSchedule::next() {
  DLAVP_CHECK(!done_, "schedule of {} has ended", op_.summary());
  Position position;
  const Band& band = op_.bands[band_];
  if (x_ < band.in_width) {
    position.reads = true;
    const bool own = horizontal_.completes(x_, row_done_);
    if (carried_x_ > 0) {
      --carried_x_;
      position.row_result = true;
    }
    if (own) {
      ++row_done_;
      position.row_result = true;
    }
  } else {
    position.row_result = true;
  }
  if (position.row_result) end_column(position);
  ++x_;
  if (x_ == band.in_width) {
    const bool cube_end =
        band_ + 1 == op_.bands.size() && surface_ + 1 == op_.surfaces && line_ + 1 == op_.in.height;
    bubbles_ = cube_end ? horizontal_.flush : horizontal_.bubble;
    carried_x_ = horizontal_.flush - bubbles_;
  }
  if (x_ < band.in_width + (x_ >= band.in_width ? bubbles_ : 0)) return position;
  x_ = row_done_ = 0;
  if (++line_ < op_.in.height) return position;
  line_ = 0;
  if (++surface_ < op_.surfaces) return position;
  surface_ = 0;
  if (++band_ < op_.bands.size())
    begin_band();
  else
    done_ = true;
  return position;
}

}  // namespace dlavp::pdp
