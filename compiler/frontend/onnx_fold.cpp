// Constant folding of one node: what moves elements. Integers stay 64-bit integers (exporters use
// the largest one as "to the end").
#include "compiler/frontend/onnx_fold.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compiler/frontend/fold_common.hpp"

namespace dlavp::compiler {
namespace fold {

void refuse(std::string message) { throw Failure{std::move(message)}; }

int64_t count(const Dims& dims) {
  int64_t n = 1;
  bool none = false;
  for (int64_t d : dims) {
    if (d < 0 || (d > 0 && n > kLargest / d)) refuse(fmt::format("[{}]", fmt::join(dims, "x")));
    none = none || d == 0;
    n *= std::max<int64_t>(d, 1);
  }
  return none ? 0 : n;
}

Dims strides_of(const Dims& dims) {
  Dims out(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) out[i - 1] = out[i] * dims[i];
  return out;
}

const OnnxTensor& need(Inputs in, size_t i) {
  if (i >= in.size() || in[i] == nullptr) refuse(fmt::format("input {} is missing", i));
  return *in[i];
}

const Dims& need_ints(Inputs in, size_t i) {
  const OnnxTensor& t = need(in, i);
  if (!t.integral) refuse(fmt::format("input {} must hold integers", i));
  return t.ints;
}

const OnnxAttribute* attribute(const OnnxNode& node, const char* name) {
  auto it = node.attributes.find(name);
  return it == node.attributes.end() ? nullptr : &it->second;
}

int64_t integer(const OnnxNode& node, const char* name, int64_t otherwise) {
  const OnnxAttribute* a = attribute(node, name);
  return a == nullptr ? otherwise : a->i;
}

size_t axis_of(int64_t axis, size_t rank) {
  const auto n = static_cast<int64_t>(rank);
  if (axis < -n || axis >= n) refuse(fmt::format("axis {} of {} dimensions", axis, rank));
  return static_cast<size_t>(axis < 0 ? axis + n : axis);
}

/// Axes that are an attribute in older opsets and an input in newer ones.
std::optional<Dims> axes_of(const OnnxNode& node, Inputs in, size_t i, const char* name) {
  if (i < in.size() && in[i] != nullptr) return need_ints(in, i);
  const OnnxAttribute* a = attribute(node, name);
  if (a == nullptr) return std::nullopt;
  return a->ints;
}

/// A tensor of the same kind whose element i is element `from(i)`.
OnnxTensor pick(const OnnxTensor& t, Dims dims, const std::function<size_t(size_t)>& from) {
  OnnxTensor out;
  out.integral = t.integral;
  out.is_signed = t.is_signed;
  const auto n = static_cast<size_t>(count(dims));
  const size_t size = t.integral ? t.ints.size() : t.floats.size();
  if (n > std::max(size, static_cast<size_t>(kLargestMade)))
    refuse(fmt::format("{} elements from {}", n, size));
  for (size_t i = 0; i < n; ++i) {
    const size_t at = from(i);
    if (at >= size) refuse(fmt::format("element {} of {}", at, size));
    if (t.integral) {
      out.ints.push_back(t.ints[at]);
    } else {
      out.floats.push_back(t.floats[at]);
    }
  }
  out.dims = std::move(dims);
  return out;
}

Dims broadcast(const Dims& a, const Dims& b) {
  Dims out(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < out.size(); ++i) {
    const size_t from_end = out.size() - i;
    const int64_t x = from_end <= a.size() ? a[a.size() - from_end] : 1;
    const int64_t y = from_end <= b.size() ? b[b.size() - from_end] : 1;
    if (x != y && x != 1 && y != 1)
      refuse(fmt::format("[{}] and [{}]", fmt::join(a, "x"), fmt::join(b, "x")));
    out[i] = x == 1 ? y : x;
  }
  return out;
}

/// Where element `i` of a tensor of `out` dimensions comes from when `dims` is repeated to them.
size_t repeated(size_t i, const Dims& out, const Dims& dims) {
  size_t from = 0;
  size_t stride = 1;
  for (size_t k = out.size(); k-- > 0;) {
    const auto size = static_cast<size_t>(out[k]);
    const size_t at = i % size;
    i /= size;
    const size_t from_end = out.size() - k;
    if (from_end > dims.size()) continue;
    const auto own = static_cast<size_t>(dims[dims.size() - from_end]);
    from += own == 1 ? 0 : at * stride;
    stride *= own;
  }
  return from;
}

OnnxTensor expanded(const OnnxTensor& t, const Dims& dims) {
  return pick(t, dims, [&](size_t i) { return repeated(i, dims, t.dims); });
}

double number(const OnnxTensor& t, size_t i) {
  return t.integral ? static_cast<double>(t.ints[i]) : double{t.floats[i]};
}

int64_t whole(double v) {
  return std::isnan(v) ? 0 : static_cast<int64_t>(std::clamp(v, -9.2e18, 9.2e18));
}

}  // namespace fold

namespace {

using namespace fold;  // this file is its main part

OnnxTensor with_dims(const OnnxTensor& t, Dims dims) {
  if (count(dims) != count(t.dims)) {
    refuse(fmt::format("[{}] as [{}]", fmt::join(t.dims, "x"), fmt::join(dims, "x")));
  }
  OnnxTensor out = t;
  out.dims = std::move(dims);
  out.scales.clear();
  return out;
}

OnnxTensor ints_tensor(Dims values) {
  OnnxTensor out;
  out.integral = true;
  out.dims = {static_cast<int64_t>(values.size())};
  out.ints = std::move(values);
  return out;
}

Outputs fold_identity(const OnnxNode&, Inputs in) { return {need(in, 0)}; }

Outputs fold_cast(const OnnxNode& node, Inputs in) {
  constexpr int64_t kFloats[] = {1, 10, 11, 16};
  constexpr int64_t kBool = 9;
  constexpr int64_t kString = 8;
  OnnxTensor out = need(in, 0);
  const int64_t to = integer(node, "to", 1);
  if (to == kString) refuse("a cast to text");
  const bool floating = std::find(std::begin(kFloats), std::end(kFloats), to) != std::end(kFloats);
  if (floating && out.integral) {
    out.floats.assign(out.ints.begin(), out.ints.end());
    out.ints.clear();
    out.integral = false;
  } else if (!floating && !out.integral) {
    for (float v : out.floats) {
      out.ints.push_back(to == kBool ? v != 0 : whole(double{v}));
    }
    out.floats.clear();
    out.integral = true;
  } else if (to == kBool) {
    for (int64_t& v : out.ints) v = v != 0;
  }
  return {out};
}

Outputs fold_shape(const OnnxNode& node, Inputs in) {
  const Dims& dims = need(in, 0).dims;
  if (node.op_type == "Size") {
    OnnxTensor out = ints_tensor({count(dims)});
    out.dims.clear();
    return {out};
  }
  return {ints_tensor(dims)};
}

Outputs fold_gather(const OnnxNode& node, Inputs in) {
  const OnnxTensor& t = need(in, 0);
  const OnnxTensor& index = need(in, 1);
  const Dims& at = need_ints(in, 1);
  const size_t axis = axis_of(integer(node, "axis", 0), t.dims.size());
  Dims dims(t.dims.begin(), t.dims.begin() + static_cast<std::ptrdiff_t>(axis));
  dims.insert(dims.end(), index.dims.begin(), index.dims.end());
  dims.insert(dims.end(), t.dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, t.dims.end());
  const int64_t size = t.dims[axis];
  const auto inner = static_cast<size_t>(strides_of(t.dims)[axis]);
  const size_t n = at.size();
  return {pick(t, dims, [&](size_t i) {
    int64_t k = at[i / inner % n];
    if (k < 0) k += size;
    if (k < 0 || k >= size) refuse(fmt::format("index {} of {}", k, size));
    return (i / (inner * n) * static_cast<size_t>(size) + static_cast<size_t>(k)) * inner +
           i % inner;
  })};
}

Outputs fold_concat(const OnnxNode& node, Inputs in) {
  const OnnxTensor& first = need(in, 0);
  const size_t axis = axis_of(integer(node, "axis", 0), first.dims.size());
  Dims dims = first.dims;
  OnnxTensor all;
  all.integral = first.integral;
  std::vector<size_t> starts;
  dims[axis] = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    const OnnxTensor& t = need(in, i);
    if (t.dims.size() != dims.size() || t.integral != first.integral) refuse("parts that differ");
    for (size_t k = 0; k < dims.size(); ++k) {
      if (k != axis && t.dims[k] != dims[k]) refuse("parts that differ");
    }
    dims[axis] += t.dims[axis];
    starts.push_back(all.integral ? all.ints.size() : all.floats.size());
    all.ints.insert(all.ints.end(), t.ints.begin(), t.ints.end());
    all.floats.insert(all.floats.end(), t.floats.begin(), t.floats.end());
  }
  const auto inner = static_cast<size_t>(strides_of(dims)[axis]);
  const auto total = static_cast<size_t>(dims[axis]);
  return {pick(all, dims, [&](size_t i) {
    size_t k = i / inner % total;
    size_t part = 0;
    while (k >= static_cast<size_t>(in[part]->dims[axis]))
      k -= static_cast<size_t>(in[part++]->dims[axis]);
    const auto own = static_cast<size_t>(in[part]->dims[axis]);
    return starts[part] + (i / (inner * total) * own + k) * inner + i % inner;
  })};
}

Outputs fold_slice(const OnnxNode& node, Inputs in) {
  OnnxTensor out = need(in, 0);
  const auto starts = axes_of(node, in, 1, "starts");
  const auto ends = axes_of(node, in, 2, "ends");
  if (!starts || !ends || starts->size() != ends->size()) refuse("starts and ends");
  Dims axes(starts->size());
  std::iota(axes.begin(), axes.end(), 0);
  axes = axes_of(node, in, 3, "axes").value_or(axes);
  const Dims steps = in.size() > 4 && in[4] != nullptr ? need_ints(in, 4) : Dims(axes.size(), 1);
  if (axes.size() != starts->size() || steps.size() != axes.size()) refuse("axes and steps");
  for (size_t k = 0; k < axes.size(); ++k) {
    const size_t axis = axis_of(axes[k], out.dims.size());
    const int64_t size = out.dims[axis];
    const int64_t step = steps[k];
    if (step == 0 || std::abs(step) > kLargest) refuse(fmt::format("step {}", step));
    const auto clamp = [&](int64_t v, int64_t low, int64_t high) {
      return std::clamp(v < 0 ? std::max(v, -kLargest) + size : v, low, high);
    };
    const int64_t start = clamp((*starts)[k], 0, step > 0 ? size : size - 1);
    const int64_t end = (*ends)[k] < -size && step < 0
                            ? -1
                            : clamp((*ends)[k], step > 0 ? 0 : -1, step > 0 ? size : size - 1);
    const int64_t n = std::max<int64_t>(0, (end - start + (step > 0 ? step - 1 : step + 1)) / step);
    Dims dims = out.dims;
    dims[axis] = n;
    const auto inner = static_cast<size_t>(strides_of(out.dims)[axis]);
    const auto length = static_cast<size_t>(n);
    out = pick(out, dims, [&](size_t i) {
      const int64_t at = start + static_cast<int64_t>(i / inner % length) * step;
      return (i / (inner * length) * static_cast<size_t>(size) + static_cast<size_t>(at)) * inner +
             i % inner;
    });
  }
  return {out};
}

Outputs fold_reshape(const OnnxNode& node, Inputs in) {
  const OnnxTensor& t = need(in, 0);
  Dims dims = need_ints(in, 1);
  Dims known;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && integer(node, "allowzero", 0) == 0 && i < t.dims.size())
      dims[i] = t.dims[i];
    if (dims[i] > 0) known.push_back(dims[i]);
  }
  for (int64_t& d : dims) {
    if (d == -1) d = count(t.dims) / count(known);
  }
  return {with_dims(t, dims)};
}

Outputs fold_squeeze(const OnnxNode& node, Inputs in) {
  const OnnxTensor& t = need(in, 0);
  const auto axes = axes_of(node, in, 1, "axes");
  const bool add = node.op_type == "Unsqueeze";
  const size_t rank = t.dims.size() + (add && axes ? axes->size() : 0);
  std::vector<bool> chosen(rank, !axes && !add);
  for (int64_t a : axes.value_or(Dims{})) chosen[axis_of(a, rank)] = true;
  Dims dims;
  size_t next = 0;
  for (size_t i = 0; i < rank; ++i) {
    if (add) {
      if (!chosen[i] && next >= t.dims.size()) refuse("axes given twice");
      dims.push_back(chosen[i] ? 1 : t.dims[next++]);
    } else if (!(chosen[i] && t.dims[i] == 1)) {
      dims.push_back(t.dims[i]);
    }
  }
  return {with_dims(t, dims)};
}

Outputs fold_flatten(const OnnxNode& node, Inputs in) {
  const OnnxTensor& t = need(in, 0);
  const int64_t given = integer(node, "axis", 1);
  const auto rank = static_cast<int64_t>(t.dims.size());
  const size_t axis = given == rank ? t.dims.size() : axis_of(given, t.dims.size());
  Dims dims = {1, 1};
  for (size_t i = 0; i < t.dims.size(); ++i) dims[i < axis ? 0 : 1] *= t.dims[i];
  return {with_dims(t, dims)};
}

Outputs fold_transpose(const OnnxNode& node, Inputs in) {
  const OnnxTensor& t = need(in, 0);
  std::vector<size_t> perm;
  if (const OnnxAttribute* a = attribute(node, "perm")) {
    for (int64_t p : a->ints) perm.push_back(axis_of(p, t.dims.size()));
  } else {
    for (size_t i = t.dims.size(); i-- > 0;) perm.push_back(i);
  }
  if (perm.size() != t.dims.size()) refuse("perm of another size");
  const Dims strides = strides_of(t.dims);
  Dims dims;
  for (size_t p : perm) dims.push_back(t.dims[p]);
  OnnxTensor out = pick(t, dims, [&](size_t i) {
    int64_t from = 0;
    for (size_t k = perm.size(); k-- > 0;) {
      const auto size = static_cast<size_t>(dims[k]);
      from += static_cast<int64_t>(i % size) * strides[perm[k]];
      i /= size;
    }
    return static_cast<size_t>(from);
  });
  out.scales = t.scales;
  for (size_t k = 0; k < perm.size(); ++k) {
    if (static_cast<int64_t>(perm[k]) == t.scale_axis) out.scale_axis = static_cast<int64_t>(k);
  }
  return {out};
}

Outputs fold_expand(const OnnxNode&, Inputs in) {
  const OnnxTensor& t = need(in, 0);
  return {expanded(t, broadcast(t.dims, need_ints(in, 1)))};
}

Outputs fold_tile(const OnnxNode&, Inputs in) {
  const OnnxTensor& t = need(in, 0);
  const Dims& repeats = need_ints(in, 1);
  if (repeats.size() != t.dims.size()) refuse("repeats of another size");
  Dims dims = t.dims;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (repeats[i] < 0 || repeats[i] > kLargest) refuse(fmt::format("repeats {}", repeats[i]));
    dims[i] *= repeats[i];
  }
  const Dims strides = strides_of(t.dims);
  return {pick(t, dims, [&](size_t i) {
    int64_t from = 0;
    for (size_t k = dims.size(); k-- > 0;) {
      const auto size = static_cast<size_t>(dims[k]);
      from += static_cast<int64_t>(i % size) % t.dims[k] * strides[k];
      i /= size;
    }
    return static_cast<size_t>(from);
  })};
}

Outputs fold_constant_of_shape(const OnnxNode& node, Inputs in) {
  OnnxTensor value;
  value.floats = {0};
  if (const OnnxAttribute* a = attribute(node, "value")) value = a->tensor;
  return {pick(value, need_ints(in, 0), [](size_t) { return size_t{0}; })};
}

Outputs fold_range(const OnnxNode&, Inputs in) {
  OnnxTensor out;
  out.integral = need(in, 0).integral;
  for (size_t i = 0; i < 3; ++i) {
    const OnnxTensor& t = need(in, i);
    if ((t.integral ? t.ints.size() : t.floats.size()) != 1 || t.integral != out.integral)
      refuse("three single numbers are expected");
  }
  const double start = number(*in[0], 0);
  const double step = number(*in[2], 0);
  const double steps = std::ceil((number(*in[1], 0) - start) / step);
  if (!(steps <= static_cast<double>(kLargestMade)) || step == 0)
    refuse(fmt::format("steps of {}", step));
  const int64_t n = whole(std::max(steps, 0.0));
  for (int64_t i = 0; i < n; ++i) {
    const double v = start + static_cast<double>(i) * step;
    if (out.integral) {
      out.ints.push_back(whole(v));
    } else {
      out.floats.push_back(static_cast<float>(v));
    }
  }
  out.dims = {n};
  return {out};
}

Outputs fold_where(const OnnxNode&, Inputs in) {
  const OnnxTensor& condition = need(in, 0);
  const OnnxTensor& yes = need(in, 1);
  const OnnxTensor& no = need(in, 2);
  if (yes.integral != no.integral) refuse("operands of two kinds");
  const Dims dims = broadcast(condition.dims, broadcast(yes.dims, no.dims));
  const OnnxTensor c = expanded(condition, dims);
  const OnnxTensor a = expanded(yes, dims);
  OnnxTensor out = expanded(no, dims);
  for (size_t i = 0; i < static_cast<size_t>(count(dims)); ++i) {
    if (number(c, i) == 0) continue;
    if (out.integral) {
      out.ints[i] = a.ints[i];
    } else {
      out.floats[i] = a.floats[i];
    }
  }
  return {out};
}

const std::map<std::string, Folder>& folders() {
  static const std::map<std::string, Folder> table = [] {
    std::map<std::string, Folder> out = {
        {"Identity", fold_identity},   {"Dropout", fold_identity},
        {"Cast", fold_cast},           {"Shape", fold_shape},
        {"Size", fold_shape},          {"Gather", fold_gather},
        {"Concat", fold_concat},       {"Slice", fold_slice},
        {"Reshape", fold_reshape},     {"Squeeze", fold_squeeze},
        {"Unsqueeze", fold_squeeze},   {"Flatten", fold_flatten},
        {"Transpose", fold_transpose}, {"Expand", fold_expand},
        {"Tile", fold_tile},           {"ConstantOfShape", fold_constant_of_shape},
        {"Range", fold_range},         {"Where", fold_where}};
    add_math_folders(out);
    return out;
  }();
  return table;
}

}  // namespace

bool can_fold(const std::string& op_type) { return folders().contains(op_type); }

Result<std::vector<OnnxTensor>> fold_constants(const OnnxNode& node, Inputs inputs) {
  try {
    return folders().at(node.op_type)(node, inputs);
  } catch (const Failure& failure) {
    return Error{
        "onnx.fold", "",
        fmt::format("{} of constants cannot be computed: {}", node.op_type, failure.message)};
  }
}

}  // namespace dlavp::compiler
