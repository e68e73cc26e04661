// Counts and shapes of every kernel of core_block.h.
#include "compiler/schedule/core_verify.hpp"

#include <algorithm>

#include "compiler/loadable/task_view.hpp"

namespace dlavp::compiler {
namespace {

constexpr size_t kTable = 256;

class Check {
 public:
  Check(const LayerProgram& p, const Layer& layer)
      : p_(p), layer_(layer), core_(*layer.as<CoreLayer>()) {}

  Diagnostics run() {
    if (core_.kernel >= CORE_KERNELS) {
      add(fmt::format("kernel {} of {}", core_.kernel, int{CORE_KERNELS}));
      return out_;
    }
    if (core_.inputs.empty() || core_.inputs.size() >= CORE_MAX_TENSORS) {
      add(fmt::format("{} inputs, expected 1 to {}", core_.inputs.size(), CORE_MAX_TENSORS - 1));
      return out_;
    }
    const bool wide = core_.kernel == CORE_ARGUMENT;
    if (core_.kernel != CORE_CUSTOM && (to().type == StoredType::kInt32) != wide)
      add(wide ? "the output is int8" : "the output is int32");
    for (TensorId id : core_.inputs) {
      if (p_.tensors[id].type != StoredType::kInt8)
        add(fmt::format("'{}' is int32", p_.tensors[id].name));
    }
    counts();
    if (out_.empty()) shapes();
    return out_;
  }

 private:
  void add(const std::string& message) {
    out_.add("layer.core", fmt::format("layer '{}' ({})", layer_.name, core_kernel_name(core_)),
             message);
  }
  [[nodiscard]] const LayerTensor& to() const { return p_.tensors[layer_.output]; }
  [[nodiscard]] const Shape& in(size_t i = 0) const { return p_.tensors[core_.inputs[i]].shape; }

  void expect(size_t inputs, size_t params, size_t reals, size_t table) {
    if (core_.inputs.size() == inputs && core_.params.size() == params &&
        core_.reals.size() == reals && core_.table.size() == table)
      return;
    add(fmt::format("{} inputs, {} parameters, {} reals, {} table bytes; expected {}, {}, {}, {}",
                    core_.inputs.size(), core_.params.size(), core_.reals.size(),
                    core_.table.size(), inputs, params, reals, table));
  }
  void counts() {
    const auto sides = static_cast<size_t>(to().shape.h + to().shape.w);
    const auto channels = static_cast<size_t>(to().shape.c);
    const size_t inputs = core_.inputs.size();
    switch (core_.kernel) {
      case CORE_TABLE:
        return expect(1, 0, 0, kTable);
      case CORE_BINARY:
        return expect(2, 0, 0, kTable * kTable);
      case CORE_MAP:
        return expect(inputs, 2 + channels + sides, 0, core_.table.empty() ? 0 : inputs * kTable);
      case CORE_RESIZE:
        return expect(1, 3 * sides, 0, 0);
      case CORE_REORDER:
        return expect(1, core_.params.empty() ? 1 : 1 + 2 * static_cast<size_t>(core_.params[0]), 0,
                      0);
      case CORE_REDUCE:
        return expect(1, 2, 1, 0);
      case CORE_NORMALISE:
        return expect(1, 2, 1 + 2 * static_cast<size_t>(in().c), 0);
      case CORE_SOFTMAX:
      case CORE_ARGUMENT:
        return expect(1, 3, 0, 0);
      case CORE_LRN:
        return expect(1, 2, 3, 0);
      case CORE_POOL:
        return expect(1, 13, 0, 0);
      default:
        return;  // a custom layer's own check says what it takes
    }
  }
  [[nodiscard]] Shape reduced(int32_t mask) const {
    return {1, (mask & 1) != 0 ? 1 : in().c, (mask & 2) != 0 ? 1 : in().h,
            (mask & 4) != 0 ? 1 : in().w};
  }
  void shapes() {
    Shape expected = to().shape;
    switch (core_.kernel) {
      case CORE_TABLE:
      case CORE_NORMALISE:
      case CORE_SOFTMAX:
      case CORE_LRN:
        expected = in();
        break;
      case CORE_RESIZE:
      case CORE_POOL:
        expected.c = in().c;
        break;
      case CORE_REDUCE:
        expected = reduced(core_.params[1]);
        break;
      case CORE_ARGUMENT:
        expected = reduced(1 << core_.params[0]);
        break;
      case CORE_REORDER:
        if (in().elements() != to().shape.elements())
          add(fmt::format("{} elements to {}", in().elements(), to().shape.elements()));
        break;
      case CORE_BINARY:
        for (size_t i = 0; i < 2; ++i) broadcast(in(i));
        break;
      case CORE_MAP:
        indices();
        break;
      default:
        break;
    }
    if (expected != to().shape)
      add(fmt::format("output {}, expected {}", to().shape.text(), expected.text()));
  }
  void broadcast(const Shape& s) {
    const Shape& o = to().shape;
    const auto fits = [](int64_t a, int64_t b) { return a == b || a == 1; };
    if (!fits(s.c, o.c) || !fits(s.h, o.h) || !fits(s.w, o.w))
      add(fmt::format("{} does not broadcast to {}", s.text(), o.text()));
  }
  void indices() {
    const int32_t axis = core_.params[0];
    std::array<int64_t, 3> room = {in().c, in().h, in().w};
    for (size_t i = 1; i < core_.inputs.size(); ++i)
      room[static_cast<size_t>(axis)] += axis == 0 ? in(i).c : axis == 1 ? in(i).h : in(i).w;
    const std::array<int64_t, 3> size = {to().shape.c, to().shape.h, to().shape.w};
    auto p = core_.params.begin() + 2;
    for (size_t a = 0; a < 3; ++a) {
      for (int64_t i = 0; i < size[a]; ++i, ++p) {
        if (*p >= -1 && *p < room[a]) continue;
        return add(fmt::format("index {} of {} on axis {}", *p, room[a], a));
      }
    }
  }

  const LayerProgram& p_;
  const Layer& layer_;
  const CoreLayer& core_;
  Diagnostics out_;
};

}  // namespace

std::string core_kernel_name(const CoreLayer& layer) {
  if (layer.kernel == CORE_CUSTOM) return layer.custom;
  return loadable::core_kernel_name(layer.kernel);
}

Diagnostics verify_core(const LayerProgram& program, const Layer& layer) {
  return Check(program, layer).run();
}

}  // namespace dlavp::compiler
