// The rules of the random graphs: each adds a node, or the few that make a pattern.
#include "compiler/tests/random_graph_maker.hpp"

namespace dlavp::compiler::testing {

// Convolutions and other layers with weights.

bool Maker::conv(TensorId x) {
  const Shape in = shape(x);
  if (in.c > 256) return false;  // one group of kernels must fit the smallest convolution buffer
  const Window w = window(in, chance(20) ? 5 : 3, 3);
  std::vector<uint32_t> divisors;
  for (uint32_t g = 1; g <= in.c; ++g) {
    if (in.c % g == 0) divisors.push_back(g);
  }
  const uint32_t groups =
      chance(25) ? divisors[pick(0, static_cast<uint32_t>(divisors.size() - 1))] : 1;
  const int64_t kernels = groups * size(1, std::max<int64_t>(1, 40 / groups));
  const Shape weights{kernels, in.c / groups, w.kernel_h, w.kernel_w};
  const float range = 1.7F / std::sqrt(static_cast<float>(weights.elements() / kernels));
  return done(ConvOp{w, groups},
              {x, constant(weights, -range, range), vector(kernels, -0.2F, 0.2F)});
}

bool Maker::depthwise(TensorId x) {
  const int64_t c = shape(x).c;
  const Window w = window(shape(x), 5, 2);
  const int64_t kernels = c * (chance(20) ? 2 : 1);
  return done(ConvOp{w, static_cast<uint32_t>(c)},
              {x, constant({kernels, 1, w.kernel_h, w.kernel_w}, -0.8F, 0.8F),
               vector(kernels, -0.2F, 0.2F)});
}

bool Maker::conv_transpose(TensorId x) {
  const Shape in = shape(x);
  ConvTransposeOp op;
  op.window = window({1, in.c, 8, 8}, 4, 2);
  // A single row or column would fall between the taps: outputs of the bias alone.
  if (in.h == 1) op.window.dilation_h = 1;
  if (in.w == 1) op.window.dilation_w = 1;
  op.groups = in.c % 2 == 0 && chance(30) ? 2 : 1;
  op.output_pad_h = pick(0, op.window.stride_h - 1);
  op.output_pad_w = pick(0, op.window.stride_w - 1);
  const int64_t kernels = size(1, 12);  // a group
  const float range = 1.7F / std::sqrt(static_cast<float>(in.c));
  return done(op,
              {x, constant({in.c, kernels, op.window.kernel_h, op.window.kernel_w}, -range, range),
               vector(kernels * op.groups, -0.2F, 0.2F)});
}

bool Maker::gemm(TensorId x) {
  const int64_t c = shape(x).elements();
  if (c > 2000) return false;
  const int64_t kernels = size(1, 40);
  const float range = 1.7F / std::sqrt(static_cast<float>(c));
  return done(GemmOp{},
              {x, constant({kernels, c, 1, 1}, -range, range), vector(kernels, -0.2F, 0.2F)});
}

bool Maker::batch_norm(TensorId x) {
  const int64_t c = shape(x).c;
  return done(BatchNormOp{}, {x, vector(c, -1.5F, 1.5F), vector(c, -0.3F, 0.3F),
                              vector(c, -0.3F, 0.3F), vector(c, 0.5F, 2.0F)});
}

bool Maker::scale(TensorId x) {
  const int64_t c = shape(x).c;
  return done(ScaleOp{}, {x, vector(c, -2, 2), vector(c, -0.5F, 0.5F)});
}

// Functions of one value.

bool Maker::relu(TensorId x) {
  return done(ReluOp{one_of({kUnbounded, kUnbounded, 6.0F, 1.0F})}, {x});
}

bool Maker::prelu(TensorId x) {
  return done(PReluOp{}, {x, vector(shape(x).c, chance(30) ? -0.5F : 0.0F, 0.5F)});
}

bool Maker::unary(TensorId x) {
  using K = UnaryKind;
  const K kind =
      one_of({K::kAffine,    K::kClip,  K::kLeakyRelu, K::kSigmoid,  K::kTanh,     K::kHardSigmoid,
              K::kHardSwish, K::kSwish, K::kElu,       K::kSelu,     K::kAbs,      K::kSign,
              K::kErf,       K::kGelu,  K::kSoftplus,  K::kSoftsign, K::kMish,     K::kSin,
              K::kCos,       K::kFloor, K::kCeil,      K::kRound,    K::kThreshold});
  UnaryStep step{kind, 0, 0};
  if (kind == K::kAffine) step = {kind, real(-2, 2), real(-1, 1)};
  if (kind == K::kClip) step = {kind, real(-1.5F, -0.1F), real(0.1F, 1.5F)};
  if (kind == K::kLeakyRelu) step = {kind, one_of({0.01, 0.1, 0.3}), 0};
  if (kind == K::kHardSigmoid) step = {kind, one_of({0.2, 1.0 / 6}), 0.5};
  if (kind == K::kSwish || kind == K::kElu) step = {kind, 1, 0};
  if (kind == K::kSelu) step = {kind, 1.6732632423543772, 1.0507009873554805};
  if (kind == K::kThreshold) step = {kind, real(-0.5F, 0.5F), 0};
  return done(UnaryOp{{step}}, {x});
}

bool Maker::bounded_unary(TensorId x) {
  using K = UnaryKind;
  const UnaryStep clip{K::kClip, -2, 2};
  const UnaryStep away{K::kAffine, 1, 0.5};
  const std::vector<UnaryStep> absolute{{K::kAbs, 0, 0}, away};
  UnaryProgram before = absolute;
  UnaryStep step;
  switch (pick(0, 5)) {
    case 0:
      before = {clip};
      step = {K::kExp, 0, 0};
      break;
    case 1:
      step = {K::kLog, 0, 0};
      break;
    case 2:
      step = {K::kSqrt, 0, 0};
      break;
    case 3:
      step = {K::kReciprocal, 0, 0};
      break;
    case 4:
      step = {K::kPow, one_of({0.5, 2.0, 3.0, -0.75}), 0};
      break;
    default:
      before = {clip};
      step = {K::kPowOf, 2, 0};
      break;
  }
  if (chance(50)) {
    before.push_back(step);
    return done(UnaryOp{before}, {x});
  }
  const auto bounded = emit(UnaryOp{before}, {x});
  return bounded && done(UnaryOp{{step}}, {*bounded});
}

/// x * sigmoid(x) and its kind, as one program or as a diamond of nodes.
bool Maker::gated_unary(TensorId x) {
  const UnaryKind kind = one_of({UnaryKind::kSigmoid, UnaryKind::kTanh, UnaryKind::kHardSigmoid});
  const UnaryStep gate{kind, kind == UnaryKind::kHardSigmoid ? 0.2 : 0, 0.5};
  if (chance(50)) return done(UnaryOp{{gate, {UnaryKind::kMulValue, 0, 0}}}, {x});
  const auto factor = emit(UnaryOp{{gate}}, {x});
  return factor && done(BinaryOp{BinaryKind::kMul}, {x, *factor});
}

// Two activations.

bool Maker::add(TensorId x) {
  const Shape in = shape(x);
  const auto y = other(x, [&](const Shape& s) { return s == in; });
  if (!y && !chance(20)) return false;
  return done(AddOp{}, {x, y.value_or(x)});
}

bool Maker::residual(TensorId x) {
  const int64_t c = shape(x).c;
  Window w;
  w.kernel_h = w.kernel_w = 3;
  w.pad_top = w.pad_bottom = w.pad_left = w.pad_right = 1;
  const float range = 1.0F / std::sqrt(static_cast<float>(9 * c));
  auto y = emit(ConvOp{w, 1}, {x, constant({c, c, 3, 3}, -range, range), vector(c, -0.1F, 0.1F)});
  if (y && chance(50))
    y = emit(BatchNormOp{}, {*y, vector(c, 0.8F, 1.2F), vector(c, -0.1F, 0.1F),
                             vector(c, -0.1F, 0.1F), vector(c, 0.5F, 2)});
  if (!y) return false;
  const auto sum = chance(50) ? emit(AddOp{}, {*y, x}) : emit(AddOp{}, {x, *y});
  return sum && (chance(50) || relu(*sum));
}

bool Maker::binary(TensorId x) {
  const Shape in = shape(x);
  const auto y = other(x, [&](const Shape& s) {
    for (size_t i = 1; i < 4; ++i) {
      if (s[i] != in[i] && s[i] != 1 && in[i] != 1) return false;
    }
    return true;
  });
  if (!y) return false;
  BinaryKind kind = one_of({BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul, BinaryKind::kMax,
                            BinaryKind::kMin, BinaryKind::kDiv, BinaryKind::kPow});
  TensorId a = x;
  TensorId b = *y;
  const UnaryProgram positive{{UnaryKind::kSigmoid, 0, 0}, {UnaryKind::kAffine, 1, 0.5}};
  if (kind == BinaryKind::kDiv || kind == BinaryKind::kPow) {
    const auto bounded = emit(UnaryOp{positive}, {b});
    if (!bounded) return false;
    b = *bounded;
  }
  if (kind == BinaryKind::kPow) {
    const auto bounded = emit(UnaryOp{positive}, {a});
    if (!bounded) return false;
    a = *bounded;
  }
  if (chance(50) && kind != BinaryKind::kDiv && kind != BinaryKind::kPow) std::swap(a, b);
  return done(BinaryOp{kind}, {a, b});
}

bool Maker::binary_constant(TensorId x) {
  const Shape in = shape(x);
  const Shape of = one_of({Shape{1, 1, 1, 1}, Shape{1, in.c, 1, 1}, Shape{1, 1, in.h, in.w}, in,
                           Shape{1, in.c, in.h, 1}});
  const BinaryKind kind = one_of({BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul,
                                  BinaryKind::kMax, BinaryKind::kMin, BinaryKind::kDiv});
  const bool divides = kind == BinaryKind::kDiv;
  const TensorId c = constant(of, divides ? 0.5F : -1, divides ? 2 : 1);
  if (!divides && chance(30)) return done(BinaryOp{kind}, {c, x});
  return done(BinaryOp{kind}, {x, c});
}

// Windows without weights.

bool Maker::pool(TensorId x) {
  PoolOp op;
  op.kind = one_of({PoolKind::kMax, PoolKind::kAverage});
  op.window = window(shape(x), chance(10) ? 9 : 3, 1);
  op.count_include_pad = op.kind == PoolKind::kAverage && chance(50);
  if (op.count_include_pad && chance(30)) {
    op.uncounted_bottom = pick(0, op.window.pad_bottom);
    op.uncounted_right = pick(0, op.window.pad_right);
  }
  return done(op, {x});
}

bool Maker::global_pool(TensorId x) {
  PoolOp op;
  op.kind = one_of({PoolKind::kMax, PoolKind::kAverage, PoolKind::kAverage});
  op.window.kernel_h = static_cast<uint32_t>(shape(x).h);
  op.window.kernel_w = static_cast<uint32_t>(shape(x).w);
  return done(op, {x});
}

bool Maker::reduce(TensorId x) {
  ReduceOp op;
  op.kind = one_of({ReduceKind::kMean, ReduceKind::kSum, ReduceKind::kMax, ReduceKind::kMin,
                    ReduceKind::kProd, ReduceKind::kL2});
  op.c = chance(40);
  op.h = chance(60);
  op.w = chance(60);
  const Shape in = shape(x);
  const int64_t joined = (op.c ? in.c : 1) * (op.h ? in.h : 1) * (op.w ? in.w : 1);
  if (joined == 1 || (op.kind == ReduceKind::kProd && joined > 8)) return false;
  return done(op, {x});
}

bool Maker::squeeze_excite(TensorId x) {
  const int64_t c = shape(x).c;
  const auto mean = emit(ReduceOp{ReduceKind::kMean, false, true, true}, {x});
  const float range = 1.7F / std::sqrt(static_cast<float>(c));
  if (!mean) return false;
  const auto gate =
      emit(ConvOp{Window{}, 1}, {*mean, constant({c, c, 1, 1}, -range, range), vector(c, -1, 1)});
  const auto factor = gate ? emit(UnaryOp{{{UnaryKind::kSigmoid, 0, 0}}}, {*gate}) : std::nullopt;
  return factor && done(BinaryOp{BinaryKind::kMul}, {x, *factor});
}

bool Maker::layer_norm(TensorId x) {
  LayerNormOp op;
  const int64_t c = shape(x).c;
  op.c = chance(60);
  op.h = op.w = !op.c || chance(30);
  if (op.c && c % 2 == 0 && chance(30)) op.groups = 2;
  return done(op, {x, vector(c, 0.5F, 1.5F), vector(c, -0.3F, 0.3F)});
}

bool Maker::lrn(TensorId x) {
  LrnOp op{one_of({3U, 5U, 7U, 9U}), real(0.0001F, 0.5F), one_of({0.5F, 0.75F}),
           one_of({1.0F, 2.0F})};
  op.within = chance(20);
  return done(op, {x});
}

bool Maker::softmax(TensorId x) { return done(SoftmaxOp{pick(1, 3), chance(20)}, {x}); }

bool Maker::arg_max(TensorId x) {
  const bool made = done(ArgMaxOp{pick(1, 3), chance(50), chance(30)}, {x});
  if (made) values_.pop_back();  // an index: an output, nobody computes with it
  return made;
}

bool Maker::identity(TensorId x) { return done(IdentityOp{}, {x}); }

// Movements.

bool Maker::flatten(TensorId x) { return done(FlattenOp{}, {x}); }

bool Maker::transpose(TensorId x) {
  const Shape in = shape(x);
  ReorderOp op{{in.c, in.h, in.w}, {0, 1, 2}, {}};
  std::shuffle(op.perm.begin(), op.perm.end(), random_);
  const std::array<int64_t, 3> s{op.dims[op.perm[0]], op.dims[op.perm[1]], op.dims[op.perm[2]]};
  op.shape = {1, s[0], s[1], s[2]};
  return done(op, {x});
}

bool Maker::shuffle(TensorId x) {
  const Shape in = shape(x);
  for (int64_t groups : {2, 3, 5}) {
    if (in.c % groups == 0 && in.c > groups)
      return done(ReorderOp{{groups, in.c / groups, in.h, in.w}, {1, 0, 2, 3}, in}, {x});
  }
  return false;
}

bool Maker::concat(TensorId x) {
  const uint32_t axis = chance(70) ? 1 : pick(2, 3);
  const Shape in = shape(x);
  std::vector<TensorId> parts{x};
  const uint32_t more = pick(1, 3);
  for (uint32_t i = 0; i < more; ++i) {
    const auto y = other(chance(10) ? ~0U : x, [&](const Shape& s) {
      for (size_t k = 1; k < 4; ++k) {
        if (k != axis && s[k] != in[k]) return false;
      }
      return true;
    });
    if (y) parts.push_back(*y);
  }
  std::shuffle(parts.begin(), parts.end(), random_);
  return parts.size() > 1 && done(ConcatOp{axis}, parts);
}

bool Maker::slice(TensorId x) {
  const Shape in = shape(x);
  SliceOp op;
  std::array<int64_t, 4> sizes{1, in.c, in.h, in.w};
  for (size_t i = 1; i < 4; ++i) {
    if (chance(40)) continue;
    op.start[i] = size(0, in[i] - 1);
    op.step[i] = chance(25) ? size(1, 3) : 1;
    sizes[i] = size(1, (in[i] - op.start[i] - 1) / op.step[i] + 1);
  }
  op.size = Shape::of(sizes);
  return done(op, {x});
}

/// Channels in two or three parts, on atoms or off them, each used.
bool Maker::split(TensorId x) {
  const Shape in = shape(x);
  if (in.c < 2) return false;
  const int64_t parts = in.c >= 3 && chance(40) ? 3 : 2;
  int64_t at = 0;
  for (int64_t i = 0; i < parts; ++i) {
    SliceOp op;
    op.start[1] = at;
    op.size = in;
    op.size.c = i + 1 == parts ? in.c - at
                : chance(50)   ? in.c / parts
                               : size(1, in.c - at - (parts - 1 - i));
    at += op.size.c;
    if (!emit(op, {x})) return false;
  }
  return true;
}

bool Maker::pad(TensorId x) {
  PadOp op;
  op.mode = one_of({PadMode::kConstant, PadMode::kConstant, PadMode::kReflect, PadMode::kEdge});
  if (op.mode == PadMode::kConstant && chance(40)) op.value = real(-1, 1);
  for (size_t axis = chance(20) ? 1 : 2; axis < 4; ++axis) {
    const int64_t most =
        op.mode == PadMode::kReflect ? std::min<int64_t>(3, shape(x)[axis] - 1) : 3;
    op.before[axis] = size(0, most);
    op.after[axis] = size(0, most);
  }
  return done(op, {x});
}

bool Maker::resize(TensorId x) {
  const Shape in = shape(x);
  ResizeOp op;
  op.kind = one_of({ResizeKind::kNearest, ResizeKind::kNearest, ResizeKind::kLinear});
  op.coordinates = one_of({CoordinateMode::kHalfPixel, CoordinateMode::kPytorchHalfPixel,
                           CoordinateMode::kAlignCorners, CoordinateMode::kAsymmetric});
  op.nearest = one_of({NearestMode::kRoundPreferFloor, NearestMode::kRoundPreferCeil,
                       NearestMode::kFloor, NearestMode::kCeil});
  op.out_h = chance(60) ? in.h * size(1, 3) : size(1, 12);
  op.out_w = chance(60) ? in.w * size(1, 3) : size(1, 12);
  op.scale_h = static_cast<double>(op.out_h) / static_cast<double>(in.h);
  op.scale_w = static_cast<double>(op.out_w) / static_cast<double>(in.w);
  return done(op, {x});
}

}  // namespace dlavp::compiler::testing
