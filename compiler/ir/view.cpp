// Views: factor lists and what transposing and reshaping do to them.
#include "compiler/ir/view.hpp"

#include <algorithm>

namespace dlavp::compiler {
namespace {

int64_t product(const std::vector<int64_t>& dims) {
  int64_t out = 1;
  for (int64_t d : dims) out *= d;
  return out;
}

int64_t stride_of(const Shape& s, uint32_t axis) {
  return axis == 1 ? s.h * s.w : axis == 2 ? s.w : 1;
}

void append_merged(std::vector<Factor>& to, const Factor& f) {
  if (f.size == 1) return;
  if (!to.empty() && to.back().stride == f.size * f.stride) {
    to.back() = {to.back().size * f.size, f.stride};
  } else {
    to.push_back(f);
  }
}

}  // namespace

int64_t ModelView::elements() const { return product(dims); }

std::string ModelView::text() const { return fmt::format("[{}]", fmt::join(dims, "x")); }

Shape placed_shape(const std::vector<int64_t>& dims, const Placement& placement) {
  std::array<int64_t, 4> size = {1, 1, 1, 1};
  for (size_t a = 0; a < 3; ++a) {
    for (size_t axis : placement[a]) size[a + 1] *= dims[axis];
  }
  return Shape::of(size);
}

ModelView placed_view(TensorId id, std::vector<int64_t> dims, const Placement& placement) {
  ModelView out{id, std::move(dims), {}};
  out.axes.resize(out.rank());
  int64_t stride = 1;
  for (size_t a = 3; a-- > 0;) {
    for (size_t i = placement[a].size(); i-- > 0;) {
      const size_t axis = placement[a][i];
      if (out.dims[axis] != 1) out.axes[axis] = {{out.dims[axis], stride}};
      stride *= out.dims[axis];
    }
  }
  return out;
}

Placement default_placement(const std::vector<int64_t>& dims) {
  // The usual N C H W, N C L and N C keep their places whatever their sizes are.
  if (dims.size() == 4 && dims[0] == 1) return {{{1}, {2}, {3}}};
  if (dims.size() == 3 && dims[0] == 1) return {{{1}, {}, {2}}};
  if (dims.size() == 2 && dims[0] == 1) return {{{1}, {}, {}}};
  std::vector<size_t> axes;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] != 1) axes.push_back(i);
  }
  Placement out;
  const size_t n = axes.size();
  for (size_t i = 0; i < n; ++i) {
    const size_t from_end = n - 1 - i;
    out[n == 1 || from_end >= 2 ? 0
        : n == 2                ? (from_end == 1 ? 0 : 2)
                                : 2 - from_end]
        .push_back(axes[i]);
  }
  return out;
}

Placement channel_placement(const std::vector<int64_t>& dims, size_t channel) {
  std::vector<size_t> others;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i != channel && dims[i] != 1) others.push_back(i);
  }
  Placement out;
  out[0] = {channel};
  if (others.size() == 2) {
    out[1] = {others[0]};
    out[2] = {others[1]};
  } else if (others.size() == 1) {
    out[2] = others;
  } else {
    out[1] = others;
  }
  return out;
}

uint32_t graph_axis(const ModelView& view, const Shape& shape, size_t axis) {
  if (view.axes[axis].size() != 1) return 0;
  const Factor& f = view.axes[axis][0];
  for (uint32_t a = 1; a <= 3; ++a) {
    if (shape[a] != 1 && f.size == shape[a] && f.stride == stride_of(shape, a)) return a;
  }
  return 0;
}

bool lies_as(const ModelView& view, const Shape& shape, const Placement& placement) {
  if (placed_shape(view.dims, placement) != shape) return false;
  return placed_view(view.id, view.dims, placement).axes == view.axes;
}

std::optional<Placement> placement_of(const ModelView& view, const Shape& shape) {
  Placement out;
  for (size_t i = 0; i < view.rank(); ++i) {
    if (view.dims[i] == 1) continue;
    const uint32_t a = graph_axis(view, shape, i);
    if (a == 0) return std::nullopt;
    out[a - 1] = {i};
  }
  return out;
}

ModelView transposed(const ModelView& view, const std::vector<size_t>& perm) {
  ModelView out{view.id, {}, {}};
  for (size_t p : perm) {
    out.dims.push_back(view.dims[p]);
    out.axes.push_back(view.axes[p]);
  }
  return out;
}

std::optional<ModelView> reshaped(const ModelView& view, std::vector<int64_t> dims) {
  std::vector<Factor> flat;
  for (const auto& axis : view.axes) {
    for (const Factor& f : axis) append_merged(flat, f);
  }
  ModelView out{view.id, std::move(dims), {}};
  out.axes.resize(out.rank());
  size_t next = flat.size();
  // From the innermost dimension outwards, cutting factors where dimensions begin.
  for (size_t i = out.rank(); i-- > 0;) {
    int64_t need = out.dims[i];
    std::vector<Factor> inner_first;
    while (need != 1) {
      if (next == 0) return std::nullopt;
      Factor& f = flat[next - 1];
      if (need % f.size == 0) {
        inner_first.push_back(f);
        need /= f.size;
        --next;
      } else if (f.size % need == 0) {
        inner_first.push_back({need, f.stride});
        f = {f.size / need, f.stride * need};
        need = 1;
      } else {
        return std::nullopt;
      }
    }
    for (size_t k = inner_first.size(); k-- > 0;) append_merged(out.axes[i], inner_first[k]);
  }
  return out;
}

ModelView resized_axis(const ModelView& view, const Shape& shape, TensorId id, uint32_t axis,
                       size_t model_axis, int64_t size) {
  ModelView out = view;
  out.id = id;
  const int64_t stride = stride_of(shape, axis);
  const int64_t above = stride * shape[axis];
  for (size_t i = 0; i < out.rank(); ++i) {
    if (i == model_axis) continue;
    for (Factor& f : out.axes[i]) {
      if (f.stride >= above) f.stride = f.stride / shape[axis] * size;
    }
  }
  out.dims[model_axis] = size;
  out.axes[model_axis].clear();
  if (size != 1) out.axes[model_axis] = {{size, stride}};
  return out;
}

std::optional<ReorderOp> reorder_to(const ModelView& view, const Shape& shape,
                                    const Placement& placement) {
  const Shape target = placed_shape(view.dims, placement);
  std::vector<Factor> order;
  for (const auto& axes : placement) {
    for (size_t axis : axes) {
      for (const Factor& f : view.axes[axis]) append_merged(order, f);
    }
  }
  ReorderOp op;
  op.shape = target;
  std::vector<Factor> memory = order;
  std::sort(memory.begin(), memory.end(),
            [](const Factor& a, const Factor& b) { return a.stride > b.stride; });
  for (const Factor& f : memory) op.dims.push_back(f.size);
  for (const Factor& f : order) {
    op.perm.push_back(
        static_cast<uint32_t>(std::find(memory.begin(), memory.end(), f) - memory.begin()));
  }
  if (op.dims.size() <= 1) {
    if (target == shape) return std::nullopt;
    op.dims = {target.elements()};
    op.perm = {0};
  }
  return op;
}

}  // namespace dlavp::compiler
