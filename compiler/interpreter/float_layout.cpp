// Floating-point meaning of the operators that move elements.
#include <cmath>

#include "compiler/interpreter/float_context.hpp"

namespace dlavp::compiler {
namespace {

size_t offset(const Shape& s, int64_t c, int64_t y, int64_t x) {
  return static_cast<size_t>((c * s.h + y) * s.w + x);
}

/// Where in an axis of `in` elements output `o` of a resize lies.
double coordinate(CoordinateMode mode, int64_t o, double scale, int64_t in, int64_t out) {
  const auto at = static_cast<double>(o);
  switch (mode) {
    case CoordinateMode::kAsymmetric:
      return at / scale;
    case CoordinateMode::kAlignCorners:
      return out == 1 ? 0 : at * static_cast<double>(in - 1) / static_cast<double>(out - 1);
    case CoordinateMode::kPytorchHalfPixel:
      return out == 1 ? 0 : (at + 0.5) / scale - 0.5;
    case CoordinateMode::kTfHalfPixelForNearest:
      return (at + 0.5) / scale;
    case CoordinateMode::kHalfPixel:
      break;
  }
  return (at + 0.5) / scale - 0.5;
}

int64_t nearest(NearestMode mode, double at) {
  switch (mode) {
    case NearestMode::kFloor:
      return static_cast<int64_t>(std::floor(at));
    case NearestMode::kCeil:
      return static_cast<int64_t>(std::ceil(at));
    case NearestMode::kRoundPreferCeil:
      return static_cast<int64_t>(std::floor(at + 0.5));
    case NearestMode::kRoundPreferFloor:
      break;
  }
  return static_cast<int64_t>(std::ceil(at - 0.5));
}

/// Reflects or clamps a position outside of the input.
int64_t inside(PadMode mode, int64_t at, int64_t size) {
  if (mode == PadMode::kReflect) at = at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
  return std::clamp<int64_t>(at, 0, size - 1);
}

}  // namespace

std::vector<ResizeTap> resize_taps(const ResizeOp& op, bool horizontal, int64_t in) {
  const double scale = horizontal ? op.scale_w : op.scale_h;
  const int64_t out = horizontal ? op.out_w : op.out_h;
  std::vector<ResizeTap> taps;
  for (int64_t o = 0; o < out; ++o) {
    if (op.kind == ResizeKind::kZeroInsert) {
      const auto step = static_cast<int64_t>(scale);
      taps.push_back({o / step, o / step, 0, o % step == 0});
      continue;
    }
    double at = coordinate(op.coordinates, o, scale, in, out);
    if (op.kind == ResizeKind::kNearest) {
      const int64_t i = std::clamp<int64_t>(nearest(op.nearest, at), 0, in - 1);
      taps.push_back({i, i, 0, true});
      continue;
    }
    at = std::clamp(at, 0.0, static_cast<double>(in - 1));
    const auto low = static_cast<int64_t>(std::floor(at));
    taps.push_back({low, std::min(low + 1, in - 1), at - static_cast<double>(low), true});
  }
  return taps;
}

std::vector<size_t> reorder_sources(const ReorderOp& op) {
  const size_t rank = op.dims.size();
  std::vector<size_t> strides(rank, 1);
  for (size_t i = rank; i-- > 1;) strides[i - 1] = strides[i] * static_cast<size_t>(op.dims[i]);
  std::vector<size_t> out(static_cast<size_t>(op.shape.elements()));
  std::vector<int64_t> at(rank, 0);
  size_t from = 0;
  for (size_t& source : out) {
    source = from;
    for (size_t i = rank; i-- > 0;) {
      const size_t p = op.perm[i];
      from += strides[p];
      if (++at[i] < op.dims[p]) break;
      from -= strides[p] * static_cast<size_t>(op.dims[p]);
      at[i] = 0;
    }
  }
  return out;
}

void float_reorder(const FloatContext& f, const ReorderOp& op) {
  const std::vector<size_t> sources = reorder_sources(op);
  for (size_t i = 0; i < sources.size(); ++i) f.out()[i] = f.in(0)[sources[i]];
}

void float_concat(const FloatContext& f, const ConcatOp& op) {
  const Shape& o = f.out_shape();
  int64_t outer = 1;
  int64_t inner = 1;
  for (size_t axis = 1; axis < 4; ++axis) {
    if (axis < op.axis) outer *= o[axis];
    if (axis > op.axis) inner *= o[axis];
  }
  int64_t start = 0;
  for (size_t i = 0; i < f.node.inputs.size(); ++i) {
    const int64_t part = f.shape(i)[op.axis] * inner;
    for (int64_t row = 0; row < outer; ++row) {
      std::copy_n(f.in(i).begin() + row * part, part,
                  f.out().begin() + row * o[op.axis] * inner + start);
    }
    start += part;
  }
}

void float_slice(const FloatContext& f, const SliceOp& op) {
  const Shape& o = f.out_shape();
  float* to = f.out().data();
  for (int64_t c = 0; c < o.c; ++c) {
    for (int64_t y = 0; y < o.h; ++y) {
      const float* row = f.in(0).data() + offset(f.shape(0), op.start[1] + c * op.step[1],
                                                 op.start[2] + y * op.step[2], op.start[3]);
      for (int64_t x = 0; x < o.w; ++x) *to++ = row[x * op.step[3]];
    }
  }
}

void float_pad(const FloatContext& f, const PadOp& op) {
  const Shape& x = f.shape(0);
  const Shape& o = f.out_shape();
  float* to = f.out().data();
  for (int64_t c = 0; c < o.c; ++c) {
    for (int64_t y = 0; y < o.h; ++y) {
      for (int64_t col = 0; col < o.w; ++col) {
        const int64_t ic = c - op.before[1];
        const int64_t iy = y - op.before[2];
        const int64_t ix = col - op.before[3];
        const bool beside = ic < 0 || ic >= x.c || iy < 0 || iy >= x.h || ix < 0 || ix >= x.w;
        *to++ = beside && op.mode == PadMode::kConstant
                    ? op.value
                    : f.in(0)[offset(x, inside(op.mode, ic, x.c), inside(op.mode, iy, x.h),
                                     inside(op.mode, ix, x.w))];
      }
    }
  }
}

void float_resize(const FloatContext& f, const ResizeOp& op) {
  const Shape& x = f.shape(0);
  const std::vector<ResizeTap> rows = resize_taps(op, false, x.h);
  const std::vector<ResizeTap> columns = resize_taps(op, true, x.w);
  float* to = f.out().data();
  for (int64_t c = 0; c < x.c; ++c) {
    const float* image = f.in(0).data() + c * x.h * x.w;
    for (const ResizeTap& r : rows) {
      const float* low = image + r.low * x.w;
      const float* high = image + r.high * x.w;
      for (const ResizeTap& t : columns) {
        const double top = double{low[t.low]} * (1 - t.share) + double{low[t.high]} * t.share;
        const double bottom = double{high[t.low]} * (1 - t.share) + double{high[t.high]} * t.share;
        *to++ = r.present && t.present ? static_cast<float>(top * (1 - r.share) + bottom * r.share)
                                       : 0.0F;
      }
    }
  }
}

}  // namespace dlavp::compiler
