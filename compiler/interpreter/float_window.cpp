// Floating-point meaning of pooling, reductions and normalisations.
#include <cmath>
#include <limits>

#include "compiler/interpreter/float_context.hpp"

namespace dlavp::compiler {
namespace {

/// The part of a window along one axis that lies inside the input: first tap, taps, and for an
/// average how many it divides by.
struct Taps {
  int64_t first = 0, count = 0, counted = 0;
};

Taps taps(int64_t out, int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t before,
          int64_t counted_end) {
  const int64_t start = out * stride - before;
  Taps t;
  int64_t skipped = 0;
  for (int64_t i = 0; i < kernel; ++i) {
    const int64_t at = start + i * dilation;
    if (at < 0) ++skipped;
    if (at >= 0 && at < in) ++t.count;
    if (at < counted_end) ++t.counted;
  }
  t.first = start + skipped * dilation;
  return t;
}

/// The row-major positions that differ from position 0 along the axes that are on, in order.
std::vector<size_t> positions(const Shape& s, bool c, bool h, bool w) {
  std::vector<size_t> out;
  for (int64_t i = 0; i < (c ? s.c : 1); ++i) {
    for (int64_t j = 0; j < (h ? s.h : 1); ++j) {
      for (int64_t k = 0; k < (w ? s.w : 1); ++k)
        out.push_back(static_cast<size_t>((i * s.h + j) * s.w + k));
    }
  }
  return out;
}

double reduce(ReduceKind kind, const float* from, const std::vector<size_t>& at) {
  double sum = kind == ReduceKind::kProd ? 1 : 0;
  double largest = double{from[0]};
  double smallest = double{from[0]};
  for (size_t i : at) {
    const double v = double{from[i]};
    if (kind == ReduceKind::kProd) {
      sum *= v;
    } else {
      sum += kind == ReduceKind::kL2 ? v * v : v;
    }
    largest = std::max(largest, v);
    smallest = std::min(smallest, v);
  }
  switch (kind) {
    case ReduceKind::kMean:
      return sum / static_cast<double>(at.size());
    case ReduceKind::kMax:
      return largest;
    case ReduceKind::kMin:
      return smallest;
    case ReduceKind::kL2:
      return std::sqrt(sum);
    default:
      return sum;
  }
}

/// How far apart the elements of one axis are, and how many there are.
std::pair<size_t, size_t> along(const Shape& s, uint32_t axis) {
  const size_t stride = static_cast<size_t>(axis == 1 ? s.h * s.w : axis == 2 ? s.w : 1);
  return {stride, static_cast<size_t>(s[axis])};
}

}  // namespace

void float_pool(const FloatContext& f, const PoolOp& op) {
  const Shape& x = f.shape(0);
  const Shape& o = f.out_shape();
  const Window& w = op.window;
  const int64_t end_h = x.h + w.pad_bottom - op.uncounted_bottom;
  const int64_t end_w = x.w + w.pad_right - op.uncounted_right;
  std::vector<Taps> columns;
  for (int64_t col = 0; col < o.w; ++col)
    columns.push_back(taps(col, x.w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left, end_w));
  float* to = f.out().data();
  for (int64_t c = 0; c < o.c; ++c) {
    const float* image = f.in(0).data() + c * x.h * x.w;
    for (int64_t y = 0; y < o.h; ++y) {
      const Taps rows = taps(y, x.h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top, end_h);
      for (const Taps& t : columns) {
        double sum = 0;
        float largest = -std::numeric_limits<float>::infinity();
        for (int64_t r = 0; r < rows.count; ++r) {
          const float* row = image + (rows.first + r * w.dilation_h) * x.w + t.first;
          for (int64_t s = 0; s < t.count; ++s) {
            const float v = row[s * w.dilation_w];
            sum += double{v};
            largest = std::max(largest, v);
          }
        }
        const int64_t divisor =
            op.count_include_pad ? rows.counted * t.counted : rows.count * t.count;
        *to++ = op.kind == PoolKind::kMax ? largest
                                          : static_cast<float>(sum / static_cast<double>(divisor));
      }
    }
  }
}

void float_reduce(const FloatContext& f, const ReduceOp& op) {
  const Shape& x = f.shape(0);
  const std::vector<size_t> over = positions(x, op.c, op.h, op.w);
  const std::vector<size_t> starts = positions(x, !op.c, !op.h, !op.w);
  for (size_t i = 0; i < starts.size(); ++i)
    f.out()[i] = static_cast<float>(reduce(op.kind, f.in(0).data() + starts[i], over));
}

void float_layer_norm(const FloatContext& f, const LayerNormOp& op) {
  const Shape& x = f.shape(0);
  Shape group = x;
  group.c /= op.groups;
  const std::vector<size_t> over = positions(group, op.c, op.h, op.w);
  const std::vector<size_t> starts = positions(group, !op.c, !op.h, !op.w);
  const auto plane = static_cast<size_t>(x.h * x.w);
  for (size_t g = 0; g < op.groups; ++g) {
    for (size_t start : starts) {
      start += g * static_cast<size_t>(group.elements());
      double mean = 0;
      double variance = 0;
      for (size_t i : over) mean += double{f.in(0)[start + i]};
      mean /= static_cast<double>(over.size());
      for (size_t i : over) {
        const double d = double{f.in(0)[start + i]} - mean;
        variance += d * d;
      }
      variance /= static_cast<double>(over.size());
      const double factor = 1 / std::sqrt(variance + double{op.epsilon});
      for (size_t i : over) {
        const size_t at = start + i;
        f.out()[at] =
            static_cast<float>((double{f.in(0)[at]} - mean) * factor * double{f.in(1)[at / plane]} +
                               double{f.in(2)[at / plane]});
      }
    }
  }
}

void float_lrn(const FloatContext& f, const LrnOp& op) {
  const Shape& x = f.shape(0);
  const std::vector<float>& in = f.in(0);
  const auto before = static_cast<int64_t>((op.size - 1) / 2);
  const auto after = static_cast<int64_t>(op.size) - 1 - before;
  const auto n = static_cast<double>(op.within ? uint64_t{op.size} * op.size : uint64_t{op.size});
  const auto near = [](int64_t at, int64_t first, int64_t last, int64_t size) {
    return std::pair{std::max<int64_t>(at + first, 0), std::min(at + last + 1, size)};
  };
  const auto at = [&](int64_t c, int64_t y, int64_t col) {
    return static_cast<size_t>((c * x.h + y) * x.w + col);
  };
  for (int64_t c = 0; c < x.c; ++c) {
    const auto channels = op.within ? std::pair{c, c + 1} : near(c, -before, after, x.c);
    for (int64_t y = 0; y < x.h; ++y) {
      const auto rows = op.within ? near(y, -before, after, x.h) : std::pair{y, y + 1};
      for (int64_t col = 0; col < x.w; ++col) {
        const auto columns = op.within ? near(col, -before, after, x.w) : std::pair{col, col + 1};
        double sum = 0;
        for (int64_t i = channels.first; i < channels.second; ++i) {
          for (int64_t j = rows.first; j < rows.second; ++j) {
            for (int64_t k = columns.first; k < columns.second; ++k) {
              const double v = double{in[at(i, j, k)]};
              sum += v * v;
            }
          }
        }
        const double base = double{op.k} + double{op.alpha} / n * sum;
        f.out()[at(c, y, col)] =
            static_cast<float>(double{in[at(c, y, col)]} * std::pow(base, -double{op.beta}));
      }
    }
  }
}

void float_softmax(const FloatContext& f, const SoftmaxOp& op) {
  const Shape& x = f.shape(0);
  const auto [stride, count] = along(x, op.axis);
  for (size_t start : positions(x, op.axis != 1, op.axis != 2, op.axis != 3)) {
    const float* from = f.in(0).data() + start;
    float* to = f.out().data() + start;
    double largest = double{from[0]};
    for (size_t i = 0; i < count; ++i) largest = std::max(largest, double{from[i * stride]});
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += std::exp(double{from[i * stride]} - largest);
    for (size_t i = 0; i < count; ++i) {
      const double d = double{from[i * stride]} - largest;
      to[i * stride] = static_cast<float>(op.log ? d - std::log(sum) : std::exp(d) / sum);
    }
  }
}

void float_arg_max(const FloatContext& f, const ArgMaxOp& op) {
  const Shape& x = f.shape(0);
  const auto [stride, count] = along(x, op.axis);
  size_t next = 0;
  for (size_t start : positions(x, op.axis != 1, op.axis != 2, op.axis != 3)) {
    const float* from = f.in(0).data() + start;
    size_t best = 0;
    for (size_t i = 1; i < count; ++i) {
      const float a = op.smallest ? -from[i * stride] : from[i * stride];
      const float b = op.smallest ? -from[best * stride] : from[best * stride];
      if (a > b || (op.last && a == b)) best = i;
    }
    f.out()[next++] = static_cast<float>(best);
  }
}

}  // namespace dlavp::compiler
