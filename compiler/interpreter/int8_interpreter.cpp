// Integer reference: SDP stages X1, X2, its table and output converter, pooling with two
// reciprocals. Convolution sums, the CDP and the core have files of their own.
#include "compiler/interpreter/int8_interpreter.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "compiler/interpreter/core_interpreter.hpp"
#include "compiler/interpreter/int8_conv.hpp"
#include "compiler/interpreter/lrn_interpreter.hpp"
#include "models/common/fixed_point.hpp"

namespace dlavp::compiler {
namespace {

/// An SDP stage with the numbers of one channel.
struct ChannelStage {
  StageKind kind;
  StageAlu alu_op;
  bool prelu, relu;
  unsigned alu_shift, mul_shift;
  int64_t alu = 0, mul = 1;
  const int8_t* points = nullptr;  ///< instead of `alu` and `mul`: one operand an element

  ChannelStage(const SdpStage& s, size_t channel, const Int8Values& values)
      : kind(s.kind),
        alu_op(s.alu_op),
        prelu(s.prelu),
        relu(s.relu),
        alu_shift(s.alu_shift),
        mul_shift(s.mul_shift) {
    const size_t i = s.mode == StageMode::kPerKernel ? channel : 0;
    if (s.operand && s.mode != StageMode::kPerKernel) {
      points = values[*s.operand].data();
    } else if (s.operand) {
      alu = mul = values[*s.operand][i];
    } else {
      if (!s.alu.empty()) alu = s.alu[i];
      if (!s.mul.empty()) mul = s.mul[i];
    }
  }

  /// On element `i`. Every intermediate width is wide enough not to overflow int64.
  [[nodiscard]] int64_t operator()(int64_t x, size_t i) const {
    if (kind == StageKind::kOff) return x;
    if (kind != StageKind::kMul) {
      const int64_t operand = lshl(points != nullptr ? points[i] : alu, alu_shift, 32);
      x = alu_op == StageAlu::kSum   ? x + operand
          : alu_op == StageAlu::kMax ? std::max(x, operand)
                                     : std::min(x, operand);
    }
    if (prelu && x >= 0) return sign_extend(static_cast<uint64_t>(x), 32);
    if (kind != StageKind::kAlu) x *= points != nullptr ? points[i] : mul;
    x = rshr(x, mul_shift, 32);
    return relu ? std::max<int64_t>(x, 0) : x;
  }
};

int64_t slope(int64_t edge, int64_t distance, const LutSlope& s) {
  const int64_t product = distance * s.scale;
  const int64_t part = s.shift >= 0 ? rshr(product, static_cast<unsigned>(s.shift), 32)
                                    : lshl(product, static_cast<unsigned>(-s.shift), 32);
  return saturate(edge + part, 32);
}

/// SDP's table LO alone; the compiler lets LE never decide.
int64_t look_up(const Lut& lut, int64_t x) {
  const int64_t d = x - lut.lo_start;
  if (d <= 0) return slope(lut.lo.front(), d, lut.lo_under);
  const auto i = static_cast<size_t>(d >> lut.lo_index);
  if (i >= lut.lo.size() - 1) return slope(lut.lo.back(), x - lut.lo_end, lut.lo_over);
  const int64_t fraction = d & ((int64_t{1} << lut.lo_index) - 1);
  const int64_t one = int64_t{1} << lut.lo_index;
  return rshr(lut.lo[i] * (one - fraction) + lut.lo[i + 1] * fraction,
              static_cast<unsigned>(lut.lo_index), 32);
}

struct Run {
  const LayerProgram& program;
  const Layer& layer;
  Int8Values& values;

  [[nodiscard]] const Shape& shape(TensorId id) const { return program.tensors[id].shape; }
  [[nodiscard]] std::vector<int8_t>& out() const { return values[layer.output]; }

  /// What the SDP makes of `in`, NCHW as the output.
  template <typename T>
  void sdp(const SdpProgram& p, const std::vector<T>& in) const {
    const Shape& o = shape(layer.output);
    const auto pixels = static_cast<size_t>(o.h * o.w);
    const int64_t out_offset = p.out_offset, out_scale = p.out_scale;
    const unsigned out_shift = p.out_shift;
    const Lut* lut = p.lut ? &*p.lut : nullptr;
    int8_t* to = out().data();
    for (size_t first = 0; first < out().size(); first += pixels) {
      const ChannelStage x1(p.x1, first / pixels, values), x2(p.x2, first / pixels, values);
      for (size_t i = first; i < first + pixels; ++i) {
        int64_t x = x2(x1(in[i], i), i);
        if (lut != nullptr) x = look_up(*lut, x);
        to[i] = static_cast<int8_t>(saturate(rshr((x - out_offset) * out_scale, out_shift, 17), 8));
      }
    }
  }
  void operator()(const ConvLayer& c) const {
    sdp(c.sdp, convolution_sums(c, values[c.input], shape(c.input), shape(layer.output)));
  }
  void operator()(const PointLayer& p) const {
    if (p.repeat_h * p.repeat_w == 1) return sdp(p.sdp, values[p.input]);
    const Shape& o = shape(layer.output);
    const Shape& x = shape(p.input);
    std::vector<int8_t> repeated(out().size());
    for (int64_t i = 0, line = 0; line < o.c * o.h; ++line) {
      const int64_t from = (line / o.h * x.h + line % o.h / p.repeat_h) * x.w;
      for (int64_t col = 0; col < o.w; ++col)
        repeated[static_cast<size_t>(i++)] =
            values[p.input][static_cast<size_t>(from + col / p.repeat_w)];
    }
    sdp(p.sdp, repeated);
  }
  /// Of `size` elements from `from` those in [least, most).
  [[nodiscard]] static int64_t counted(int64_t from, int64_t size, int64_t least, int64_t most) {
    return std::min(from + size, most) - std::max(from, least);
  }
  [[nodiscard]] int8_t pool_at(const PoolLayer& p, const int8_t* image, const Shape& x, int64_t y,
                               int64_t col) const {
    const Window& w = p.window;
    int64_t sum = 0, inside = 0, largest = -128;
    for (int64_t r = 0; r < w.kernel_h; ++r) {
      for (int64_t s = 0; s < w.kernel_w; ++s) {
        const int64_t iy = y * w.stride_h + r - w.pad_top;
        const int64_t ix = col * w.stride_w + s - w.pad_left;
        if (iy < 0 || iy >= x.h || ix < 0 || ix >= x.w) continue;
        ++inside;
        sum += image[iy * x.w + ix];
        largest = std::max<int64_t>(largest, image[iy * x.w + ix]);
      }
    }
    if (p.kind == PoolKind::kMax) return static_cast<int8_t>(largest);
    // The firmware programs 2^16 / size, rounded down; width first, each product rounded.
    const PoolSides& no = p.uncounted;
    const int64_t rows = counted(y * w.stride_h - w.pad_top, w.kernel_h,
                                 int64_t{no.top} - w.pad_top, x.h + w.pad_bottom - no.bottom);
    const int64_t columns = counted(col * w.stride_w - w.pad_left, w.kernel_w,
                                    int64_t{no.left} - w.pad_left, x.w + w.pad_right - no.right);
    sum += (rows * columns - inside) * p.pad_value;
    const int64_t across = round_shift_right(sum * (65536 / columns), 16);
    return static_cast<int8_t>(
        sign_extend(static_cast<uint64_t>(round_shift_right(across * (65536 / rows), 16)), 8));
  }
  void operator()(const PoolLayer& p) const {
    const Shape& x = shape(p.input);
    const Shape& o = shape(layer.output);
    size_t i = 0;
    for (int64_t c = 0; c < o.c; ++c) {
      const int8_t* image = values[p.input].data() + c * x.h * x.w;
      for (int64_t y = 0; y < o.h; ++y) {
        for (int64_t col = 0; col < o.w; ++col) out()[i++] = pool_at(p, image, x, y, col);
      }
    }
  }
  void operator()(const LrnLayer& l) const { interpret_lrn(program, layer, l, values); }
  void operator()(const CoreLayer&) const { interpret_core(program, layer, values); }
};

/// A tensor that was computed becomes visible in the views of its memory.
void spread(const LayerProgram& p, TensorId id, Int8Values& values) {
  const auto copy = [&](TensorId from, int64_t first, TensorId to) {
    const Shape& s = p.tensors[to].shape;
    const auto plane = static_cast<std::ptrdiff_t>(s.h * s.w);
    values[to].resize(static_cast<size_t>(s.elements()));
    std::copy_n(values[from].begin() + first * plane, values[to].size(), values[to].begin());
  };
  const ChannelView place = p.place(id);
  if (place.base != id) {
    const Shape& whole = p.tensors[place.base].shape;
    values[place.base].resize(static_cast<size_t>(whole.elements()));
    std::copy(values[id].begin(), values[id].end(),
              values[place.base].begin() + place.channel * whole.h * whole.w);
  }
  for (TensorId view = 0; view < p.tensors.size(); ++view) {
    const auto& v = p.tensors[view].view;
    if (v && v->base == place.base && view != id) copy(place.base, v->channel, view);
  }
}

}  // namespace

std::vector<uint8_t> input_bytes(const LayerInput& input, std::span<const float> values) {
  std::vector<uint8_t> out(values.size());
  const double lowest = input.zero_point == 0 ? -127 : -128;
  for (size_t i = 0; i < values.size(); ++i) {
    const double steps = std::round(double{values[i]} / input.scale) + input.zero_point;
    out[i] = input.image
                 ? static_cast<uint8_t>(std::clamp(steps, 0.0, 255.0))
                 : static_cast<uint8_t>(static_cast<int8_t>(std::clamp(steps, lowest, 127.0)));
  }
  return out;
}

std::vector<int8_t> converted_input(const LayerInput& input, std::span<const uint8_t> bytes) {
  std::vector<int8_t> out(bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (!input.image) {
      out[i] = static_cast<int8_t>(bytes[i]);
      continue;
    }
    const int64_t product = (int64_t{bytes[i]} - input.converter.offset) * input.converter.scale;
    out[i] = static_cast<int8_t>(saturate(rshr(product, input.converter.truncate, 17), 8));
  }
  return out;
}

Int8Values interpret_int8(const LayerProgram& program,
                          const std::vector<std::vector<uint8_t>>& inputs) {
  DLAVP_CHECK(inputs.size() == program.inputs.size(), "{} inputs, expected {}", inputs.size(),
              program.inputs.size());
  Int8Values values(program.tensors.size());
  for (TensorId id = 0; id < program.tensors.size(); ++id)
    values[id] = program.tensors[id].constant;
  std::set<TensorId> shared;  // memory with views
  for (const LayerTensor& t : program.tensors) {
    if (t.view) shared.insert(t.view->base);
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto elements =
        static_cast<size_t>(program.tensors[program.inputs[i].tensor].shape.elements());
    DLAVP_CHECK(inputs[i].size() == elements, "input {}: {} bytes, expected {}", i,
                inputs[i].size(), elements);
    values[program.inputs[i].tensor] = converted_input(program.inputs[i], inputs[i]);
    if (shared.contains(program.inputs[i].tensor))
      spread(program, program.inputs[i].tensor, values);
  }
  for (const Layer& layer : program.layers) {
    const LayerTensor& out = program.tensors[layer.output];
    const size_t bytes = out.type == StoredType::kInt32 ? 4 : 1;
    values[layer.output].resize(static_cast<size_t>(out.shape.elements()) * bytes);
    std::visit(Run{program, layer, values}, layer.work);
    if (out.view || shared.contains(layer.output)) spread(program, layer.output, values);
  }
  return values;
}

Int8Values interpret_int8_real(const LayerProgram& program,
                               const std::vector<std::vector<float>>& inputs) {
  std::vector<std::vector<uint8_t>> bytes;
  for (size_t i = 0; i < inputs.size(); ++i)
    bytes.push_back(input_bytes(program.inputs[i], inputs[i]));
  return interpret_int8(program, bytes);
}

}  // namespace dlavp::compiler
