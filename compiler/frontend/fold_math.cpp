// Constant folding of one node: what computes. Floating-point numbers are computed in double and
// kept as float.
#include <algorithm>
#include <cmath>

#include "compiler/frontend/fold_common.hpp"

namespace dlavp::compiler::fold {
namespace {

using FloatFunction = double (*)(double, double);
using IntFunction = int64_t (*)(int64_t, int64_t);

struct BinaryFunction {
  FloatFunction real;
  IntFunction whole;
  bool logical = false;  ///< the result is a truth value
};

int64_t divide(int64_t a, int64_t b) {
  if (b == 0) refuse("division by 0");
  return b == -1 ? static_cast<int64_t>(0 - static_cast<uint64_t>(a)) : a / b;
}
int64_t wrap(uint64_t v) { return static_cast<int64_t>(v); }

const std::map<std::string, BinaryFunction>& binary_functions() {
  using D = double;
  using I = int64_t;
  using U = uint64_t;
  static const std::map<std::string, BinaryFunction> table = {
      {"Add", {[](D a, D b) { return a + b; }, [](I a, I b) { return wrap(U(a) + U(b)); }}},
      {"Sub", {[](D a, D b) { return a - b; }, [](I a, I b) { return wrap(U(a) - U(b)); }}},
      {"Mul", {[](D a, D b) { return a * b; }, [](I a, I b) { return wrap(U(a) * U(b)); }}},
      {"Div", {[](D a, D b) { return a / b; }, divide}},
      {"Mod",
       {[](D a, D b) { return std::fmod(a, b); },
        [](I a, I b) {
          const I rest = a - wrap(U(divide(a, b)) * U(b));
          return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
        }}},
      {"Pow",
       {[](D a, D b) { return std::pow(a, b); },
        [](I a, I b) { return whole(std::pow(static_cast<D>(a), static_cast<D>(b))); }}},
      {"Max", {[](D a, D b) { return std::max(a, b); }, [](I a, I b) { return std::max(a, b); }}},
      {"Min", {[](D a, D b) { return std::min(a, b); }, [](I a, I b) { return std::min(a, b); }}},
      {"Equal", {[](D a, D b) { return D(a == b); }, [](I a, I b) { return I(a == b); }, true}},
      {"Greater", {[](D a, D b) { return D(a > b); }, [](I a, I b) { return I(a > b); }, true}},
      {"GreaterOrEqual",
       {[](D a, D b) { return D(a >= b); }, [](I a, I b) { return I(a >= b); }, true}},
      {"Less", {[](D a, D b) { return D(a < b); }, [](I a, I b) { return I(a < b); }, true}},
      {"LessOrEqual",
       {[](D a, D b) { return D(a <= b); }, [](I a, I b) { return I(a <= b); }, true}},
      {"And",
       {[](D a, D b) { return D(a != 0 && b != 0); }, [](I a, I b) { return I(a != 0 && b != 0); },
        true}},
      {"Or",
       {[](D a, D b) { return D(a != 0 || b != 0); }, [](I a, I b) { return I(a != 0 || b != 0); },
        true}},
  };
  return table;
}

const std::map<std::string, double (*)(double)>& unary_functions() {
  using D = double;
  static const std::map<std::string, double (*)(double)> table = {
      {"Neg", [](D x) { return -x; }},
      {"Abs", [](D x) { return std::abs(x); }},
      {"Floor", [](D x) { return std::floor(x); }},
      {"Ceil", [](D x) { return std::ceil(x); }},
      {"Round", [](D x) { return std::nearbyint(x); }},
      {"Sqrt", [](D x) { return std::sqrt(x); }},
      {"Reciprocal", [](D x) { return 1 / x; }},
      {"Exp", [](D x) { return std::exp(x); }},
      {"Log", [](D x) { return std::log(x); }},
      {"Erf", [](D x) { return std::erf(x); }},
      {"Tanh", [](D x) { return std::tanh(x); }},
      {"Sigmoid", [](D x) { return 1 / (1 + std::exp(-x)); }},
      {"Relu", [](D x) { return std::max(x, 0.0); }},
      {"Not", [](D x) { return D(x == 0); }},
  };
  return table;
}

OnnxTensor binary(const OnnxNode& node, const OnnxTensor& a, const OnnxTensor& b) {
  const BinaryFunction& f = binary_functions().at(node.op_type);
  const Dims dims = broadcast(a.dims, b.dims);
  const OnnxTensor x = expanded(a, dims);
  const OnnxTensor y = expanded(b, dims);
  OnnxTensor out;
  out.dims = dims;
  out.integral = f.logical || (x.integral && y.integral);
  const auto n = static_cast<size_t>(count(dims));
  for (size_t i = 0; i < n; ++i) {
    if (x.integral && y.integral) {
      out.ints.push_back(f.whole(x.ints[i], y.ints[i]));
    } else if (f.logical) {
      out.ints.push_back(static_cast<int64_t>(f.real(number(x, i), number(y, i))));
    } else {
      out.floats.push_back(static_cast<float>(f.real(number(x, i), number(y, i))));
    }
  }
  return out;
}

Outputs fold_arithmetic(const OnnxNode& node, Inputs in) {
  OnnxTensor out = need(in, 0);
  for (size_t i = 1; i < in.size(); ++i) out = binary(node, out, need(in, i));
  out.scales.clear();
  return {out};
}

Outputs fold_unary(const OnnxNode& node, Inputs in) {
  OnnxTensor out = need(in, 0);
  const auto f = unary_functions().at(node.op_type);
  for (int64_t& v : out.ints) v = whole(f(static_cast<double>(v)));
  for (float& v : out.floats) v = static_cast<float>(f(double{v}));
  out.scales.clear();
  return {out};
}

Outputs fold_reduce(const OnnxNode& node, Inputs in) {
  const OnnxTensor& t = need(in, 0);
  const size_t rank = t.dims.size();
  const auto axes = axes_of(node, in, 1, "axes");
  std::vector<bool> over(rank, !axes || axes->empty());
  for (int64_t a : axes.value_or(Dims{})) over[axis_of(a, rank)] = true;
  Dims kept = t.dims;
  for (size_t i = 0; i < rank; ++i) {
    if (over[i]) kept[i] = 1;
  }
  std::vector<std::vector<double>> groups(static_cast<size_t>(count(kept)));
  if (count(t.dims) == 0) refuse("nothing to reduce");
  for (size_t i = 0; i < static_cast<size_t>(count(t.dims)); ++i)
    groups[repeated(i, t.dims, kept)].push_back(number(t, i));
  OnnxTensor out;
  out.integral = t.integral;
  const std::string& op = node.op_type;
  for (const auto& g : groups) {
    double v = op == "ReduceProd" ? 1 : op == "ReduceSum" || op == "ReduceMean" ? 0 : g[0];
    for (double x : g) {
      v = op == "ReduceProd"  ? v * x
          : op == "ReduceMax" ? std::max(v, x)
          : op == "ReduceMin" ? std::min(v, x)
                              : v + x;
    }
    if (op == "ReduceMean") v /= static_cast<double>(g.size());
    if (out.integral) {
      out.ints.push_back(whole(v));
    } else {
      out.floats.push_back(static_cast<float>(v));
    }
  }
  for (size_t i = 0; i < rank; ++i) {
    if (!over[i] || integer(node, "keepdims", 1) != 0) out.dims.push_back(kept[i]);
  }
  return {out};
}

/// Scale or zero point for element i of a tensor that is quantised along `axis` or as a whole.
double along(const OnnxTensor& t, size_t i, const Dims& dims, size_t axis) {
  const size_t n = t.integral ? t.ints.size() : t.floats.size();
  if (n == 1) return number(t, 0);
  const auto size = static_cast<size_t>(dims[axis]);
  if (n != size)
    refuse(fmt::format("{} scales for axis {} of [{}]", n, axis, fmt::join(dims, "x")));
  return number(t, i / static_cast<size_t>(strides_of(dims)[axis]) % size);
}

Outputs fold_quantise(const OnnxNode& node, Inputs in) {
  const OnnxTensor& t = need(in, 0);
  const OnnxTensor& scale = need(in, 1);
  const OnnxTensor* zero = in.size() > 2 ? in[2] : nullptr;
  const int64_t wanted = integer(node, "axis", 1);
  const bool quantises = node.op_type == "QuantizeLinear";
  const bool vector = (scale.integral ? scale.ints.size() : scale.floats.size()) > 1;
  const size_t axis = vector ? axis_of(wanted, t.dims.size()) : 0;
  OnnxTensor out;
  out.dims = t.dims;
  out.integral = quantises;
  out.is_signed = zero != nullptr && zero->is_signed;
  const double low = out.is_signed ? -128 : 0;
  bool centred = true;
  for (size_t i = 0; i < static_cast<size_t>(count(t.dims)); ++i) {
    const double s = along(scale, i, t.dims, axis);
    const double z = zero == nullptr ? 0 : along(*zero, i, t.dims, axis);
    if (!(s > 0)) refuse(fmt::format("scale {}", s));
    centred = centred && z == 0;
    if (quantises) {
      out.ints.push_back(
          static_cast<int64_t>(std::clamp(std::nearbyint(number(t, i) / s) + z, low, low + 255)));
    } else {
      out.floats.push_back(static_cast<float>((number(t, i) - z) * s));
    }
  }
  if (!quantises && centred && t.is_signed) {
    out.scales.assign(scale.floats.begin(), scale.floats.end());
    out.scale_axis = static_cast<int64_t>(axis);
  }
  return {out};
}

}  // namespace

void add_math_folders(std::map<std::string, Folder>& table) {
  for (const char* name : {"ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean"})
    table[name] = fold_reduce;
  table["QuantizeLinear"] = fold_quantise;
  table["DequantizeLinear"] = fold_quantise;
  for (const auto& [name, f] : binary_functions()) table[name] = fold_arithmetic;
  for (const auto& [name, f] : unary_functions()) table[name] = fold_unary;
}

}  // namespace dlavp::compiler::fold
