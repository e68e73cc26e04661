// ONNX import: operators that move, join, cut and resample elements.
#include <algorithm>
#include <cmath>
#include <map>

#include "compiler/frontend/importer.hpp"

namespace dlavp::compiler {

void Importer::add_layout_handlers(HandlerMap& table) {
  table["Flatten"] = &Importer::flatten;
  table["Reshape"] = &Importer::reshape;
  table["Squeeze"] = &Importer::squeeze;
  table["Unsqueeze"] = &Importer::unsqueeze;
  table["Transpose"] = &Importer::transpose;
  table["Dropout"] = &Importer::identity;
  table["Identity"] = &Importer::identity;
  table["Cast"] = &Importer::identity;
  table["Concat"] = &Importer::concat;
  table["Split"] = &Importer::split;
  table["Slice"] = &Importer::slice;
  table["Gather"] = &Importer::gather;
  table["Pad"] = &Importer::pad;
  table["Resize"] = &Importer::resize;
  table["Upsample"] = &Importer::resize;
  table["DepthToSpace"] = &Importer::depth_to_space;
  table["SpaceToDepth"] = &Importer::depth_to_space;
  table["Constant"] = &Importer::constant_node;
  table["Shape"] = &Importer::shape_node;
  table["Size"] = &Importer::shape_node;
}

void Importer::flatten(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  const int64_t given = integer(node, "axis", 1);
  const size_t axis =
      given == static_cast<int64_t>(x.rank()) ? x.rank() : axis_of(node, given, x.rank());
  std::vector<int64_t> dims = {1, 1};
  for (size_t i = 0; i < x.rank(); ++i) dims[i < axis ? 0 : 1] *= x.dims[i];
  define(node, Activation{reshape_view(node, x, dims), x.quantised}, 0);
}

void Importer::reshape(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  std::vector<int64_t> dims = ints(node, 1);
  const bool keep_zero = integer(node, "allowzero", 0) != 0;
  constexpr int64_t kMost = int64_t{1} << 40;  // more than any tensor has
  int64_t known = 1;
  size_t unknown = 0;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && !keep_zero && i < x.rank()) dims[i] = x.dims[i];
    if (dims[i] == -1) {
      ++unknown;
    } else if (dims[i] > 0) {
      known = dims[i] > kMost / known ? kMost : known * dims[i];
    }
  }
  if (unknown > 1)
    fail(node, "onnx.shape", fmt::format("[{}] has two unknown sizes", fmt::join(dims, "x")));
  std::replace(dims.begin(), dims.end(), int64_t{-1}, x.elements() / known);
  define(node, Activation{reshape_view(node, x, dims), x.quantised}, 0);
}

void Importer::squeeze(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  const auto given = ints_or_attribute(node, 1, "axes");
  std::vector<size_t> axes = axes_of(node, given.value_or(std::vector<int64_t>{}), x.rank());
  if (!given) {
    for (size_t i = 0; i < x.rank(); ++i) {
      if (x.dims[i] == 1) axes.push_back(i);
    }
  }
  std::vector<int64_t> dims;
  for (size_t i = 0; i < x.rank(); ++i) {
    if (std::find(axes.begin(), axes.end(), i) == axes.end()) {
      dims.push_back(x.dims[i]);
    } else if (x.dims[i] != 1) {
      fail(node, "onnx.shape", fmt::format("axis {} of {} is not 1", i, x.text()));
    }
  }
  define(node, Activation{reshape_view(node, x, dims), x.quantised}, 0);
}

void Importer::unsqueeze(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  const auto given = ints_or_attribute(node, 1, "axes");
  if (!given) fail(node, "onnx.missing", "axes are missing");
  const size_t rank = x.rank() + given->size();
  const std::vector<size_t> axes = axes_of(node, *given, rank);
  std::vector<int64_t> dims;
  size_t next = 0;
  for (size_t i = 0; i < rank; ++i) {
    dims.push_back(std::find(axes.begin(), axes.end(), i) != axes.end() ? 1 : x.dims[next++]);
  }
  define(node, Activation{reshape_view(node, x, dims), x.quantised}, 0);
}

void Importer::transpose(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  const OnnxAttribute* given = attribute(node, "perm");
  std::vector<size_t> perm;
  if (given == nullptr) {
    for (size_t i = x.rank(); i-- > 0;) perm.push_back(i);
  } else {
    perm = axes_of(node, given->ints, x.rank());
  }
  if (perm.size() != x.rank()) {
    fail(node, "onnx.attribute", fmt::format("perm has {} values for {}", perm.size(), x.text()));
  }
  define(node, Activation{transposed(x, perm), x.quantised}, 0);
}

void Importer::identity(const OnnxNode& node) {
  if (node.op_type == "Dropout" && has_input(node, 2) && is_constant(node, 2) &&
      scalar(node, 2, "training_mode") != 0) {
    fail(node, "onnx.attribute", "training_mode 1; export the model for inference");
  }
  constexpr int64_t kFloat = 1;
  constexpr int64_t kHalf = 10;
  constexpr int64_t kDouble = 11;
  const int64_t to = integer(node, "to", kFloat);
  if (node.op_type == "Cast" && to != kFloat && to != kHalf && to != kDouble) {
    fail(node, "onnx.attribute",
         fmt::format("a cast of an activation to element type {}: only floating-point types are "
                     "supported",
                     to));
  }
  define(node, activation(node, 0), 0);
}

void Importer::concat(const OnnxNode& node) {
  if (node.inputs.empty()) fail(node, "onnx.missing", "no inputs");
  std::vector<Activation> parts;
  for (size_t i = 0; i < node.inputs.size(); ++i) parts.push_back(activation(node, i));
  const size_t rank = parts[0].rank();
  const size_t axis = axis_of(node, integer(node, "axis", 1), rank);
  for (const Activation& p : parts) {
    bool fits = p.rank() == rank;
    for (size_t i = 0; fits && i < rank; ++i) fits = i == axis || p.dims[i] == parts[0].dims[i];
    if (!fits) {
      fail(node, "onnx.shape",
           fmt::format("{} and {} differ beside axis {}", parts[0].text(), p.text(), axis));
    }
  }
  std::vector<int64_t> dims = parts[0].dims;
  dims[axis] = 0;
  for (const Activation& p : parts) dims[axis] += p.dims[axis];
  // The layout that the first part with the axis above 1 has, if `axis` is alone there.
  std::optional<Placement> placement;
  for (const Activation& p : parts) {
    if (p.dims[axis] == 1 || placement) continue;
    placement = placement_of(p, shape(p));
  }
  if (!placement) {
    placement = placement_of(parts[0], shape(parts[0]));
    const Placement usual = default_placement(dims);
    size_t to = 3;
    for (size_t a = 3; placement && parts[0].dims[axis] == 1 && a-- > 0;) {
      if ((*placement)[a].empty() && (to == 3 || usual[a] == std::vector<size_t>{axis})) to = a;
    }
    if (to == 3) placement = std::nullopt;
    if (placement) (*placement)[to] = {axis};
  }
  if (!placement) placement = channel_placement(dims, axis);
  uint32_t graph_axis_of = 0;
  for (uint32_t a = 0; a < 3; ++a) {
    if ((*placement)[a] == std::vector<size_t>{axis}) graph_axis_of = a + 1;
  }
  DLAVP_CHECK(graph_axis_of != 0, "concat axis {} of {}", axis, parts[0].text());
  std::vector<TensorId> inputs;
  bool same = true;
  for (size_t i = 0; i < parts.size(); ++i) {
    same = same && parts[i].quantised == parts[0].quantised;
    OnnxNode named = node;  // reorders of several inputs need names of their own
    named.outputs[0] += fmt::format(".in{}", i);
    inputs.push_back(place(named, parts[i], *placement).id);
  }
  const TensorId id = emit(node, ConcatOp{graph_axis_of}, std::move(inputs));
  define(node,
         Activation{placed_view(id, dims, *placement), same ? parts[0].quantised : std::nullopt},
         0);
}

ModelView Importer::cut(const OnnxNode& node, const ModelView& x, size_t axis, int64_t start,
                        int64_t step, int64_t count, const std::string& suffix) {
  if (start == 0 && step == 1 && count == x.dims[axis]) return x;
  const auto [placed, a] = with_axis(node, x, axis);
  SliceOp op;
  op.start[a] = start;
  op.step[a] = step;
  const Shape& s = shape(placed);
  std::array<int64_t, 4> size = {1, s.c, s.h, s.w};
  size[a] = count;
  op.size = Shape::of(size);
  const Shape before = s;
  const TensorId id = emit(node, op, {placed.id}, suffix);
  return resized_axis(placed, before, id, a, axis, count);
}

void Importer::split(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  const size_t axis = axis_of(node, integer(node, "axis", 0), x.rank());
  auto sizes = ints_or_attribute(node, 1, "split");
  const auto parts = static_cast<int64_t>(node.outputs.size());
  if (!sizes || sizes->empty()) {
    if (parts == 0 || x.dims[axis] % parts != 0) {
      fail(node, "onnx.shape",
           fmt::format("axis {} of {} does not divide into {} equal parts", axis, x.text(), parts));
    }
    sizes = std::vector<int64_t>(static_cast<size_t>(parts), x.dims[axis] / parts);
  }
  int64_t sum = 0;
  bool positive = true;
  for (int64_t s : *sizes) {
    positive = positive && s > 0 && s <= x.dims[axis];
    sum += positive ? s : 0;
  }
  if (!positive || sum != x.dims[axis] || static_cast<int64_t>(sizes->size()) != parts) {
    fail(node, "onnx.shape",
         fmt::format("{} outputs of sizes {} from axis {} of {}", parts, fmt::join(*sizes, ", "),
                     axis, x.text()));
  }
  int64_t start = 0;
  const ModelView from = with_axis(node, x, axis).first;
  for (size_t i = 0; i < sizes->size(); ++i) {
    OnnxNode one = node;
    one.outputs = {node.outputs[i].empty() ? fmt::format("{}.{}", node.name, i) : node.outputs[i]};
    one.name = fmt::format("{}.{}", node.name, i);
    define(node, Activation{cut(one, from, axis, start, 1, (*sizes)[i], ""), x.quantised}, i);
    start += (*sizes)[i];
  }
}

void Importer::slice(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  const auto starts = ints_or_attribute(node, 1, "starts");
  const auto ends = ints_or_attribute(node, 2, "ends");
  if (!starts || !ends || starts->size() != ends->size())
    fail(node, "onnx.attribute", "starts and ends are missing or differ in number");
  std::vector<int64_t> all;
  for (size_t i = 0; i < starts->size(); ++i) all.push_back(static_cast<int64_t>(i));
  const auto axes = axes_of(node, ints_or_attribute(node, 3, "axes").value_or(all), x.rank());
  const std::vector<int64_t> steps =
      has_input(node, 4) ? ints(node, 4) : std::vector<int64_t>(starts->size(), 1);
  if (axes.size() != starts->size() || steps.size() != starts->size())
    fail(node, "onnx.attribute", "axes or steps differ in number from starts");
  ModelView out = x;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t size = out.dims[axes[i]];
    const auto clamp = [&](int64_t v) {
      if (v < -(int64_t{1} << 40)) v = -size;
      return std::clamp<int64_t>(v < 0 ? v + size : v, 0, size);
    };
    if (steps[i] < 1) {
      fail(node, "onnx.attribute",
           fmt::format("step {}: only positive steps are supported", steps[i]));
    }
    const int64_t start = clamp((*starts)[i]);
    const int64_t end = clamp((*ends)[i]);
    const int64_t count = start < end ? (end - start - 1) / std::min(steps[i], size) + 1 : 0;
    if (count < 1) {
      fail(
          node, "onnx.shape",
          fmt::format("nothing is left of axis {} of {}: {} to {}", axes[i], x.text(), start, end));
    }
    out = cut(node, out, axes[i], start, std::min(steps[i], size), count,
              i + 1 == axes.size() ? "" : fmt::format(".{}", i));
  }
  define(node, Activation{out, x.quantised}, 0);
}

void Importer::gather(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  const size_t axis = axis_of(node, integer(node, "axis", 0), x.rank());
  const OnnxTensor& index = constant(node, 1);
  std::vector<int64_t> at = ints(node, 1);
  const int64_t size = x.dims[axis];
  for (int64_t& i : at) {
    if (i < 0) i += size;
    if (i < 0 || i >= size) {
      fail(node, "onnx.attribute", fmt::format("index {} of axis {} of {}", i, axis, x.text()));
    }
  }
  int64_t step = at.size() > 1 ? at[1] - at[0] : 1;
  bool even = !at.empty() && step > 0;
  for (size_t i = 1; even && i < at.size(); ++i) even = at[i] - at[i - 1] == step;
  if (!even || index.dims.size() > 1) {
    fail(node, "onnx.attribute",
         fmt::format("{} indices: one index, or indices with equal steps upwards, are supported",
                     at.size()));
  }
  ModelView out = cut(node, x, axis, at[0], step, static_cast<int64_t>(at.size()), "");
  if (index.dims.empty()) {
    std::vector<int64_t> dims = out.dims;
    dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
    out = reshape_view(node, out, dims);
  }
  define(node, Activation{out, x.quantised}, 0);
}

void Importer::pad(const OnnxNode& node) {
  const Activation& given = activation(node, 0);
  const auto pads = ints_or_attribute(node, 1, "pads");
  const size_t rank = given.rank();
  if (!pads || pads->size() != 2 * rank) {
    fail(node, "onnx.attribute",
         fmt::format("{} pads for {}", pads ? pads->size() : 0, given.text()));
  }
  const std::string mode = text(node, "mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge")
    fail(node, "onnx.attribute", fmt::format("mode '{}'", mode));
  PadOp op;
  op.mode = mode == "reflect" ? PadMode::kReflect
            : mode == "edge"  ? PadMode::kEdge
                              : PadMode::kConstant;
  op.value = has_input(node, 2) ? scalar(node, 2, "value") : real(node, "value", 0);
  ModelView x = given;
  bool pads_at_all = false;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t before = (*pads)[i];
    const int64_t after = (*pads)[i + rank];
    if (std::max(std::abs(before), std::abs(after)) > 1 << 20)
      fail(node, "onnx.attribute", fmt::format("pads {} and {}", before, after));
    const int64_t left = x.dims[i] + std::min<int64_t>(before, 0) + std::min<int64_t>(after, 0);
    if (left < 1) fail(node, "onnx.shape", fmt::format("nothing is left of axis {}", i));
    x = cut(node, x, i, -std::min<int64_t>(before, 0), 1, left, fmt::format(".cut{}", i));
    pads_at_all = pads_at_all || before > 0 || after > 0;
  }
  if (!pads_at_all) return define(node, x);
  if (!placement_of(x, shape(x)) || (rank == 4 && x.dims[0] == 1))
    x = placement_of(x, shape(x)) ? x : place(node, x, default_placement(x.dims));
  std::array<int64_t, 4> taken = {0, 0, 0, 0};
  std::vector<int64_t> dims = x.dims;
  auto placement = placement_of(x, shape(x));
  if (!placement) fail(node, "onnx.shape", fmt::format("{} has too many dimensions", x.text()));
  const Placement usual = default_placement(std::vector<int64_t>(x.dims));
  for (size_t i = 0; i < rank; ++i) {
    const int64_t before = std::max<int64_t>((*pads)[i], 0);
    const int64_t after = std::max<int64_t>((*pads)[i + rank], 0);
    if (before + after == 0) continue;
    uint32_t a = graph_axis(x, shape(x), i);
    if (a == 0) {
      for (uint32_t k = 3; k >= 1; --k) {
        const bool free = (*placement)[k - 1].empty() && taken[k] == 0;
        if (free && (a == 0 || usual[k - 1] == std::vector<size_t>{i})) a = k;
      }
      if (a == 0) fail(node, "onnx.shape", fmt::format("axis {} of {}", i, x.text()));
      (*placement)[a - 1] = {i};
    }
    taken[a] = 1;
    op.before[a] = before;
    op.after[a] = after;
    dims[i] += before + after;
  }
  define(node, placed_view(emit(node, op, {x.id}), dims, *placement));
}

void Importer::resize_modes(const OnnxNode& node, bool old, ResizeOp& op) const {
  const std::string mode = text(node, "mode", "nearest");
  if (mode != "nearest" && mode != "linear" && mode != "bilinear") {
    fail(node, "onnx.attribute",
         fmt::format("mode '{}' is not supported; nearest and linear are", mode));
  }
  op.kind = mode == "nearest" ? ResizeKind::kNearest : ResizeKind::kLinear;
  static const std::map<std::string, CoordinateMode> coordinates = {
      {"half_pixel", CoordinateMode::kHalfPixel},
      {"pytorch_half_pixel", CoordinateMode::kPytorchHalfPixel},
      {"align_corners", CoordinateMode::kAlignCorners},
      {"asymmetric", CoordinateMode::kAsymmetric},
      {"tf_half_pixel_for_nn", CoordinateMode::kTfHalfPixelForNearest}};
  static const std::map<std::string, NearestMode> nearest = {
      {"round_prefer_floor", NearestMode::kRoundPreferFloor},
      {"round_prefer_ceil", NearestMode::kRoundPreferCeil},
      {"floor", NearestMode::kFloor},
      {"ceil", NearestMode::kCeil}};
  const std::string transform = text(node, "coordinate_transformation_mode", "half_pixel");
  const std::string rounding = text(node, "nearest_mode", "round_prefer_floor");
  if (!coordinates.contains(transform) || !nearest.contains(rounding)) {
    fail(node, "onnx.attribute",
         fmt::format("coordinate mode '{}' with nearest mode '{}'", transform, rounding));
  }
  op.coordinates = old ? CoordinateMode::kAsymmetric : coordinates.at(transform);
  op.nearest = old ? NearestMode::kFloor : nearest.at(rounding);
}

void Importer::resize(const OnnxNode& node) {
  const ModelView x = as_image(node, activation(node, 0));
  if (x.rank() != 4) fail(node, "onnx.shape", "only N C H W can be resized");
  const bool old = node.op_type == "Upsample" || model_.opset < 11;  // no coordinate modes yet
  const Shape& in = shape(x);
  ResizeOp op;
  resize_modes(node, old, op);
  std::vector<float> scales;
  if (const OnnxAttribute* a = attribute(node, "scales"); a != nullptr && old) scales = a->floats;
  const size_t at = old ? 1 : 2;
  if (scales.empty() && has_input(node, at)) scales = floats(node, at);
  if (scales.empty() && has_input(node, 3)) {
    const std::vector<int64_t> sizes = ints(node, 3);
    if (sizes.size() != 4 || sizes[0] != 1 || sizes[1] != in.c || sizes[2] < 1 || sizes[3] < 1 ||
        std::max(sizes[2], sizes[3]) > 1 << 20) {
      fail(node, "onnx.shape",
           fmt::format("sizes [{}] for {}: only H and W can change", fmt::join(sizes, "x"),
                       x.text()));
    }
    op.out_h = sizes[2];
    op.out_w = sizes[3];
    op.scale_h = static_cast<double>(op.out_h) / static_cast<double>(in.h);
    op.scale_w = static_cast<double>(op.out_w) / static_cast<double>(in.w);
  } else {
    if (scales.size() != 4 || scales[0] != 1 || scales[1] != 1 || !(scales[2] > 0) ||
        !(scales[3] > 0) || std::max(scales[2], scales[3]) > 4096) {
      fail(node, "onnx.shape",
           fmt::format("scales [{}]: four positive ones are expected, of which only those of H and "
                       "W differ from 1",
                       fmt::join(scales, ", ")));
    }
    op.scale_h = double{scales[2]};
    op.scale_w = double{scales[3]};
    op.out_h = static_cast<int64_t>(std::floor(static_cast<double>(in.h) * op.scale_h));
    op.out_w = static_cast<int64_t>(std::floor(static_cast<double>(in.w) * op.scale_w));
  }
  const TensorId id = emit(node, op, {x.id});
  const Shape& s = graph_.tensor(id).shape;
  define(node, placed_view(id, {1, s.c, s.h, s.w}, default_placement({1, s.c, s.h, s.w})));
}

void Importer::depth_to_space(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  const int64_t b = integer(node, "blocksize", 0);
  const bool to_space = node.op_type == "DepthToSpace";
  const std::string mode = text(node, "mode", "DCR");
  const auto& d = x.dims;
  const bool fits = x.rank() == 4 && b > 0 && b < 1 << 12 &&
                    (to_space ? d[1] % (b * b) == 0 : d[2] % b == 0 && d[3] % b == 0);
  if (!fits || (mode != "DCR" && mode != "CRD")) {
    fail(node, "onnx.attribute", fmt::format("blocks of {} of {}, mode {}", b, x.text(), mode));
  }
  ModelView out;
  if (!to_space) {
    out = reshape_view(node, x, {1, d[1], d[2] / b, b, d[3] / b, b});
    out = transposed(out, {0, 3, 5, 1, 2, 4});
    out = reshape_view(node, out, {1, d[1] * b * b, d[2] / b, d[3] / b});
  } else {
    const int64_t c = d[1] / (b * b);
    out = mode == "DCR"
              ? transposed(reshape_view(node, x, {1, b, b, c, d[2], d[3]}), {0, 3, 4, 1, 5, 2})
              : transposed(reshape_view(node, x, {1, c, b, b, d[2], d[3]}), {0, 1, 4, 2, 5, 3});
    out = reshape_view(node, out, {1, c, d[2] * b, d[3] * b});
  }
  define(node, Activation{out, x.quantised}, 0);
}

void Importer::constant_node(const OnnxNode& node) {
  OnnxTensor value;
  if (const OnnxAttribute* a = attribute(node, "value")) {
    value = a->tensor;
  } else if (const OnnxAttribute* f = attribute(node, "value_float")) {
    value.floats = {f->f};
  } else if (const OnnxAttribute* i = attribute(node, "value_int")) {
    value.integral = true;
    value.ints = {i->i};
  } else if (const OnnxAttribute* fs = attribute(node, "value_floats")) {
    value.floats = fs->floats;
    value.dims = {static_cast<int64_t>(fs->floats.size())};
  } else if (const OnnxAttribute* is = attribute(node, "value_ints")) {
    value.integral = true;
    value.ints = is->ints;
    value.dims = {static_cast<int64_t>(is->ints.size())};
  } else {
    fail(node, "onnx.attribute", "only a Constant of numbers is supported");
  }
  define_constant(node, std::move(value));
}

void Importer::shape_node(const OnnxNode& node) {
  const Activation& x = activation(node, 0);
  OnnxTensor value;
  value.integral = true;
  if (node.op_type == "Size") {
    value.ints = {x.elements()};
  } else {
    const auto rank = static_cast<int64_t>(x.rank());
    const auto clamp = [&](int64_t v) {
      return std::clamp<int64_t>(v < 0 ? v + rank : v, 0, rank);
    };
    const int64_t start = clamp(integer(node, "start", 0));
    const int64_t end = std::max(start, clamp(integer(node, "end", rank)));
    value.ints.assign(x.dims.begin() + start, x.dims.begin() + end);
    value.dims = {end - start};
  }
  define_constant(node, std::move(value));
}

}  // namespace dlavp::compiler
