// ONNX import: elementwise functions and arithmetic with broadcasting.
#include <algorithm>
#include <cmath>

#include "compiler/frontend/importer.hpp"

namespace dlavp::compiler {
namespace {

constexpr int64_t kLargestRepeat = 1 << 24;

double number(const OnnxNode& node, const char* name, double otherwise) {
  auto it = node.attributes.find(name);
  return it == node.attributes.end() ? otherwise : double{it->second.f};
}

using Make = UnaryProgram (*)(const OnnxNode&);

/// Functions that have attributes.
const std::map<std::string, Make>& made_programs() {
  static const std::map<std::string, Make> table = {
      {"LeakyRelu",
       [](const OnnxNode& n) {
         return UnaryProgram{{UnaryKind::kLeakyRelu, number(n, "alpha", 0.01F), 0}};
       }},
      {"HardSigmoid",
       [](const OnnxNode& n) {
         return UnaryProgram{
             {UnaryKind::kHardSigmoid, number(n, "alpha", 0.2F), number(n, "beta", 0.5)}};
       }},
      {"Swish",
       [](const OnnxNode& n) {
         return UnaryProgram{{UnaryKind::kSwish, number(n, "alpha", 1), 0}};
       }},
      {"Elu",
       [](const OnnxNode& n) {
         return UnaryProgram{{UnaryKind::kElu, number(n, "alpha", 1), 0}};
       }},
      {"Celu",
       [](const OnnxNode& n) {
         const double alpha = number(n, "alpha", 1);
         // max(0, x) + min(0, alpha (e^(x / alpha) - 1)) = alpha elu(x / alpha)
         return UnaryProgram{{UnaryKind::kAffine, 1 / alpha, 0},
                             {UnaryKind::kElu, 1, 0},
                             {UnaryKind::kAffine, alpha, 0}};
       }},
      {"Selu",
       [](const OnnxNode& n) {
         return UnaryProgram{{UnaryKind::kSelu, number(n, "alpha", 1.67326319217681884765625),
                              number(n, "gamma", 1.05070102214813232421875)}};
       }},
      {"ThresholdedRelu",
       [](const OnnxNode& n) {
         return UnaryProgram{{UnaryKind::kThreshold, number(n, "alpha", 1), 0}};
       }},
      {"Neg",
       [](const OnnxNode&) {
         return UnaryProgram{{UnaryKind::kAffine, -1, 0}};
       }},
  };
  return table;
}

/// Functions that have none.
const std::map<std::string, UnaryKind>& plain_programs() {
  static const std::map<std::string, UnaryKind> table = {{"Sigmoid", UnaryKind::kSigmoid},
                                                         {"Tanh", UnaryKind::kTanh},
                                                         {"HardSwish", UnaryKind::kHardSwish},
                                                         {"Exp", UnaryKind::kExp},
                                                         {"Log", UnaryKind::kLog},
                                                         {"Sqrt", UnaryKind::kSqrt},
                                                         {"Reciprocal", UnaryKind::kReciprocal},
                                                         {"Abs", UnaryKind::kAbs},
                                                         {"Sign", UnaryKind::kSign},
                                                         {"Erf", UnaryKind::kErf},
                                                         {"Gelu", UnaryKind::kGelu},
                                                         {"Softplus", UnaryKind::kSoftplus},
                                                         {"Softsign", UnaryKind::kSoftsign},
                                                         {"Mish", UnaryKind::kMish},
                                                         {"Sin", UnaryKind::kSin},
                                                         {"Cos", UnaryKind::kCos},
                                                         {"Floor", UnaryKind::kFloor},
                                                         {"Ceil", UnaryKind::kCeil},
                                                         {"Round", UnaryKind::kRound}};
  return table;
}

const std::map<std::string, BinaryKind>& binary_kinds() {
  static const std::map<std::string, BinaryKind> table = {
      {"Add", BinaryKind::kAdd}, {"Sub", BinaryKind::kSub},  {"Mul", BinaryKind::kMul},
      {"Div", BinaryKind::kDiv}, {"Max", BinaryKind::kMax},  {"Min", BinaryKind::kMin},
      {"Sum", BinaryKind::kAdd}, {"Mean", BinaryKind::kAdd}, {"Pow", BinaryKind::kPow}};
  return table;
}

/// `view` with dimensions of 1 put before its own.
ModelView aligned(ModelView view, size_t rank) {
  while (view.rank() < rank) {
    view.dims.insert(view.dims.begin(), 1);
    view.axes.insert(view.axes.begin(), std::vector<Factor>{});
  }
  return view;
}

/// `values` with dimensions `dims`, as a graph constant whose axes are those of `placement`.
std::vector<float> placed_values(const std::vector<float>& values, const std::vector<int64_t>& dims,
                                 const Placement& placement) {
  Placement all;
  for (size_t i = 0; i < dims.size(); ++i) all[0].push_back(i);
  const Shape flat{1, static_cast<int64_t>(values.size()), 1, 1};
  const auto op = reorder_to(placed_view(0, dims, all), flat, placement);
  if (!op || op->perm.size() == 1) return values;
  std::vector<float> out(values.size());
  std::vector<int64_t> strides(op->dims.size(), 1);
  for (size_t i = op->dims.size(); i-- > 1;) strides[i - 1] = strides[i] * op->dims[i];
  for (size_t i = 0; i < out.size(); ++i) {
    auto rest = static_cast<int64_t>(i);
    int64_t from = 0;
    for (size_t k = op->perm.size(); k-- > 0;) {
      const int64_t size = op->dims[op->perm[k]];
      from += rest % size * strides[op->perm[k]];
      rest /= size;
    }
    out[i] = values[static_cast<size_t>(from)];
  }
  return out;
}

}  // namespace

void Importer::add_elementwise_handlers(HandlerMap& table) {
  for (const auto& [name, make] : made_programs()) table[name] = &Importer::unary;
  for (const auto& [name, kind] : plain_programs()) table[name] = &Importer::unary;
  table["Relu"] = &Importer::relu;
  table["Clip"] = &Importer::clip;
  table["PRelu"] = &Importer::prelu;
  for (const char* name : {"Add", "Sub", "Mul", "Div", "Pow"}) table[name] = &Importer::arithmetic;
  for (const char* name : {"Max", "Min", "Sum", "Mean"}) table[name] = &Importer::variadic;
  table["Expand"] = &Importer::expand;
}

ModelView Importer::apply(const OnnxNode& node, const ModelView& x, UnaryProgram program,
                          const std::string& suffix) {
  return with_id(x, emit(node, UnaryOp{std::move(program)}, {x.id}, suffix));
}

void Importer::relu(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  define(node, with_id(x, emit(node, ReluOp{}, {x.id})));
}

void Importer::clip(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  const auto bound = [&](size_t i, const char* name, float otherwise) {
    // An attribute before opset 11.
    return has_input(node, i) ? scalar(node, i, name) : real(node, name, otherwise);
  };
  const float min = bound(1, "min", -kUnbounded);
  const float max = bound(2, "max", kUnbounded);
  if (!(min <= max)) fail(node, "onnx.attribute", fmt::format("bounds {} to {}", min, max));
  if (min == 0 && max > 0) return define(node, with_id(x, emit(node, ReluOp{max}, {x.id})));
  if (min < std::numeric_limits<float>::lowest() / 2 && max > std::numeric_limits<float>::max() / 2)
    return define(node, ModelView(x));
  define(node, apply(node, x, {{UnaryKind::kClip, double{min}, double{max}}}));
}

void Importer::unary(const OnnxNode& node) {
  const auto plain = plain_programs().find(node.op_type);
  UnaryProgram program = plain != plain_programs().end() ? UnaryProgram{{plain->second, 0, 0}}
                                                         : made_programs().at(node.op_type)(node);
  if (text(node, "approximate", "none") != "none") {
    fail(node, "onnx.attribute",
         fmt::format("approximate '{}' of {}", text(node, "approximate", ""), node.op_type));
  }
  define(node, apply(node, activation(node, 0), std::move(program)));
}

void Importer::prelu(const OnnxNode& node) {
  const Activation& given = activation(node, 0);
  const OnnxTensor& slope = constant(node, 1);
  std::vector<float> values = floats(node, 1);
  if (values.size() == 1) {
    return define(node, apply(node, given, {{UnaryKind::kLeakyRelu, double{values[0]}, 0}}));
  }
  const size_t rank = given.rank();
  for (size_t i = 0; i < slope.dims.size(); ++i) {
    const size_t axis = rank - slope.dims.size() + i;
    const bool channel = slope.dims.size() <= rank && axis == 1;
    if (slope.dims[i] != 1 && !(channel && slope.dims[i] == given.dims[1])) {
      fail(node, "onnx.shape",
           fmt::format("slope [{}] for {}: one value, or one a channel, is supported",
                       fmt::join(slope.dims, "x"), given.text()));
    }
  }
  const ModelView x = with_channel(node, given, 1);
  const TensorId s = add_vector(node, "slope", std::move(values));
  define(node, with_id(x, emit(node, PReluOp{}, {x.id, s})));
}

ModelView Importer::with_scalar(const OnnxNode& node, BinaryKind kind, const ModelView& x, double c,
                                bool reversed, const std::string& suffix) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  UnaryProgram p;
  switch (kind) {
    case BinaryKind::kAdd:
      p = {{UnaryKind::kAffine, 1, c}};
      break;
    case BinaryKind::kSub:
      p = {{UnaryKind::kAffine, reversed ? -1.0 : 1.0, reversed ? c : -c}};
      break;
    case BinaryKind::kMul:
      p = {{UnaryKind::kAffine, c, 0}};
      break;
    case BinaryKind::kDiv:
      if (reversed) {
        p = {{UnaryKind::kReciprocal, 0, 0}, {UnaryKind::kAffine, c, 0}};
      } else {
        if (c == 0) fail(node, "onnx.attribute", "division by the constant 0");
        p = {{UnaryKind::kAffine, 1 / c, 0}};
      }
      break;
    case BinaryKind::kMax:
      p = {{UnaryKind::kClip, c, kInfinity}};
      break;
    case BinaryKind::kMin:
      p = {{UnaryKind::kClip, -kInfinity, c}};
      break;
    case BinaryKind::kPow:
      p = {{reversed ? UnaryKind::kPowOf : UnaryKind::kPow, c, 0}};
      break;
  }
  if (kind == BinaryKind::kMax && c == 0) return with_id(x, emit(node, ReluOp{}, {x.id}, suffix));
  return apply(node, x, std::move(p), suffix);
}

ModelView Importer::with_vector(const OnnxNode& node, BinaryKind kind, const ModelView& x,
                                const std::vector<float>& values, bool reversed,
                                const std::string& suffix) {
  std::vector<float> factor(values.size(), 1.0F);
  std::vector<float> shift(values.size(), 0.0F);
  for (size_t i = 0; i < values.size(); ++i) {
    if (kind == BinaryKind::kAdd) shift[i] = values[i];
    if (kind == BinaryKind::kMul) factor[i] = values[i];
    if (kind == BinaryKind::kSub) {
      shift[i] = reversed ? values[i] : -values[i];
      factor[i] = reversed ? -1.0F : 1.0F;
    }
    if (kind == BinaryKind::kDiv) {
      if (values[i] == 0) fail(node, "onnx.attribute", "division by the constant 0");
      factor[i] = 1.0F / values[i];
    }
  }
  const TensorId f = add_vector(node, "factor", std::move(factor));
  const TensorId b = add_vector(node, "shift", std::move(shift));
  return with_id(x, emit(node, ScaleOp{}, {x.id, f, b}, suffix));
}

ModelView Importer::with_constant(const OnnxNode& node, BinaryKind kind, const ModelView& given,
                                  const OnnxTensor& c, bool reversed, const std::string& suffix) {
  std::vector<float> values =
      c.integral ? std::vector<float>(c.ints.begin(), c.ints.end()) : c.floats;
  if (values.empty()) fail(node, "onnx.shape", "the constant has no values");
  const size_t rank = std::max(given.rank(), c.dims.size());
  ModelView x = aligned(given, rank);
  if (values.size() == 1) return with_scalar(node, kind, x, double{values[0]}, reversed, suffix);
  std::vector<int64_t> dims(rank - c.dims.size(), 1);
  dims.insert(dims.end(), c.dims.begin(), c.dims.end());
  if (!placement_of(x, shape(x))) x = place(node, x, default_placement(x.dims));
  auto placement = placement_of(x, shape(x));
  if (!placement) {
    fail(node, "onnx.shape",
         fmt::format("{}: at most three dimensions above 1 are supported", x.text()));
  }
  // Axes that only the constant has go where they usually are, or to the first one that is free.
  const Placement usual = default_placement(dims);
  for (size_t i = 0; i < rank; ++i) {
    if (dims[i] == 1 || x.dims[i] != 1) continue;
    size_t to = 3;
    for (size_t a = 3; a-- > 0;) {
      if ((*placement)[a].empty() && (to == 3 || usual[a] == std::vector<size_t>{i})) to = a;
    }
    if (to == 3) fail(node, "onnx.shape", "more than three dimensions above 1");
    (*placement)[to] = {i};
  }
  values = placed_values(values, dims, *placement);
  Placement of_constant;
  for (size_t a = 0; a < 3; ++a) {
    for (size_t axis : (*placement)[a]) {
      if (dims[axis] != 1) of_constant[a] = {axis};
    }
  }
  const Shape s = placed_shape(dims, of_constant);
  const bool per_channel = s == Shape{1, shape(x).c, 1, 1};
  const bool affine = kind <= BinaryKind::kMul || (kind == BinaryKind::kDiv && !reversed);
  if (per_channel && affine) return with_vector(node, kind, x, values, reversed, suffix);
  const TensorId k = add_constant(node, "constant", s, std::move(values));
  std::vector<TensorId> operands = {x.id, k};
  if (reversed) std::swap(operands[0], operands[1]);
  const TensorId id = emit(node, BinaryOp{kind}, operands, suffix);
  std::vector<int64_t> out = x.dims;
  for (size_t i = 0; i < rank; ++i) out[i] = std::max(out[i], dims[i]);
  return placed_view(id, out, *placement);
}

ModelView Importer::combine(const OnnxNode& node, BinaryKind kind, const ModelView& left,
                            const ModelView& right, const std::string& suffix) {
  const size_t rank = std::max(left.rank(), right.rank());
  ModelView a = aligned(left, rank);
  ModelView b = aligned(right, rank);
  const auto operation = [&]() -> Operator {
    if (kind == BinaryKind::kAdd && shape(a) == shape(b)) return AddOp{};
    return BinaryOp{kind};
  };
  if (a.dims == b.dims && a.axes == b.axes && shape(a) == shape(b))
    return with_id(a, emit(node, operation(), {a.id, b.id}, suffix));
  // Both follow the layout of the larger one.
  ModelView& large = a.elements() >= b.elements() ? a : b;
  ModelView& small = &large == &a ? b : a;
  if (!placement_of(large, shape(large))) large = place(node, large, default_placement(large.dims));
  auto placement = placement_of(large, shape(large));
  if (!placement) {
    fail(node, "onnx.shape",
         fmt::format("{}: at most three dimensions above 1 are supported", large.text()));
  }
  const Placement usual = default_placement(small.dims);
  for (size_t i = 0; i < rank; ++i) {
    if (small.dims[i] == 1 || large.dims[i] != 1) continue;
    size_t to = 3;
    for (size_t p = 3; p-- > 0;) {
      if ((*placement)[p].empty() && (to == 3 || usual[p] == std::vector<size_t>{i})) to = p;
    }
    if (to == 3) fail(node, "onnx.shape", "more than three dimensions above 1");
    (*placement)[to] = {i};
  }
  Placement of_small;
  for (size_t p = 0; p < 3; ++p) {
    for (size_t axis : (*placement)[p]) {
      if (small.dims[axis] != 1) of_small[p] = {axis};
    }
  }
  small = place(node, small, of_small);
  const TensorId id = emit(node, operation(), {a.id, b.id}, suffix);
  std::vector<int64_t> dims = a.dims;
  for (size_t i = 0; i < rank; ++i) dims[i] = std::max(dims[i], b.dims[i]);
  return placed_view(id, dims, *placement);
}

void Importer::arithmetic(const OnnxNode& node) {
  for (size_t i = 0; i < 2; ++i) {
    if (!has_input(node, i)) fail(node, "onnx.missing", fmt::format("input {} is missing", i));
  }
  const BinaryKind kind = binary_kinds().at(node.op_type);
  for (size_t i = 0; i < 2; ++i) {
    if (!is_constant(node, i)) continue;
    return define(node,
                  with_constant(node, kind, activation(node, 1 - i), constant(node, i), i == 0));
  }
  define(node, combine(node, kind, activation(node, 0), activation(node, 1)));
}

void Importer::variadic(const OnnxNode& node) {
  const BinaryKind kind = binary_kinds().at(node.op_type);
  if (node.inputs.empty()) fail(node, "onnx.missing", "no inputs");
  std::optional<ModelView> sum;
  // Activations first: constants then meet a view that is there.
  const bool mean = node.op_type == "Mean";
  size_t left = node.inputs.size() - 1;
  const auto suffix = [&] { return left-- == 1 && !mean ? "" : fmt::format(".part{}", left); };
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (is_constant(node, i)) continue;
    const Activation& x = activation(node, i);
    sum = sum ? combine(node, kind, *sum, x, suffix()) : ModelView(x);
  }
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (is_constant(node, i))
      sum = with_constant(node, kind, *sum, constant(node, i), false, suffix());
  }
  if (mean)
    sum =
        apply(node, *sum, {{UnaryKind::kAffine, 1.0 / static_cast<double>(node.inputs.size()), 0}});
  define(node, *sum);
}

void Importer::expand(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  const std::vector<int64_t> target = ints(node, 1);
  OnnxTensor ones;
  int64_t elements = 1;
  bool larger = target.size() > x.rank();
  for (size_t i = 0; i < target.size(); ++i) {
    const size_t from_end = target.size() - i;
    const int64_t own = from_end <= x.rank() ? x.dims[x.rank() - from_end] : 1;
    if (target[i] < 1 || (own != 1 && target[i] != 1 && own != target[i])) {
      fail(node, "onnx.shape",
           fmt::format("{} cannot be expanded to [{}]", x.text(), fmt::join(target, "x")));
    }
    larger = larger || own < target[i];
    ones.dims.push_back(own == 1 ? target[i] : 1);
    elements = ones.dims.back() > kLargestRepeat ? ones.dims.back() : elements * ones.dims.back();
    if (elements > kLargestRepeat) {
      fail(node, "onnx.shape",
           fmt::format("[{}] repeats more than {} times", fmt::join(target, "x"), kLargestRepeat));
    }
  }
  if (!larger) return define(node, ModelView(x));
  ones.floats.assign(static_cast<size_t>(elements), 1.0F);
  if (elements == 1) return define(node, aligned(x, target.size()));
  // A product with ones, which repeats what has one element; never folded into a scale.
  define(node, with_constant(node, BinaryKind::kMul, x, ones, false));
}

}  // namespace dlavp::compiler
