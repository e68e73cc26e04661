// Rules and printing of the layer program.
#include "compiler/schedule/layer.hpp"

#include <algorithm>

#include "compiler/schedule/core_verify.hpp"

namespace dlavp::compiler {
namespace {

constexpr unsigned kLargestShift = 63;

size_t values_expected(const SdpStage& stage, int64_t channels) {
  return stage.mode == StageMode::kPerKernel ? static_cast<size_t>(channels) : 1;
}

void verify_stage(const LayerProgram& p, const Layer& layer, const SdpStage& s, const char* name,
                  Diagnostics& out) {
  const Shape& shape = p.tensors[layer.output].shape;
  const auto add = [&](const char* id, const std::string& message) {
    out.add(id, fmt::format("layer '{}' {}", layer.name, name), message);
  };
  if (s.alu_shift > kLargestShift || s.mul_shift > kLargestShift) {
    add("layer.shift",
        fmt::format("shifts {} and {}, at most {}", s.alu_shift, s.mul_shift, kLargestShift));
  }
  if (s.kind == StageKind::kOff) return;
  if (s.prelu && (s.relu || (s.kind != StageKind::kMul && s.kind != StageKind::kBoth)))
    add("layer.prelu", "needs a multiplier and no ReLU");
  if (s.mode == StageMode::kPerPoint && !s.operand)
    return add("layer.operand", "a per-point stage takes one tensor");
  if (s.operand) {
    if (s.kind == StageKind::kBoth || s.mode == StageMode::kPerLayer)
      return add("layer.operand", "a tensor is either adder or multiplier, a point or a kernel");
    const Shape expected = s.mode == StageMode::kPerPoint ? shape : Shape{1, shape.c, 1, 1};
    if (*s.operand >= p.tensors.size() || p.tensors[*s.operand].shape != expected) {
      add("layer.operand", fmt::format("the operand's shape is not {}", expected.text()));
    }
    return;
  }
  const size_t expected = values_expected(s, shape.c);
  const size_t alu = s.kind == StageKind::kMul ? 0 : expected;
  const size_t mul = s.kind == StageKind::kAlu ? 0 : expected;
  if (s.alu.size() != alu || s.mul.size() != mul) {
    add("layer.operand_size", fmt::format("{} alu and {} mul values, expected {} and {}",
                                          s.alu.size(), s.mul.size(), alu, mul));
  }
}

void verify_repeat(const PointLayer& p, const std::string& place, Diagnostics& out) {
  if (p.repeat_h == 1 && p.repeat_w == 1) return;
  const bool points = (p.sdp.x1.operand && p.sdp.x1.mode == StageMode::kPerPoint) ||
                      (p.sdp.x2.operand && p.sdp.x2.mode == StageMode::kPerPoint);
  if (p.repeat_h == 0 || p.repeat_w == 0 || (p.repeat_h > 1 && p.repeat_w > 1) || points)
    out.add("layer.repeat", place,
            fmt::format("{} rows and {} columns an element{}, expected one of them to be 1 and no "
                        "operand a point",
                        p.repeat_h, p.repeat_w, points ? " with an operand a point" : ""));
}

void verify_work(const LayerProgram& p, const Layer& layer, Diagnostics& out) {
  const std::string place = fmt::format("layer '{}'", layer.name);
  const Shape& to = p.tensors[layer.output].shape;
  if (const SdpProgram* sdp = layer.sdp()) {
    verify_stage(p, layer, sdp->x1, "X1", out);
    verify_stage(p, layer, sdp->x2, "X2", out);
    if (sdp->out_shift > kLargestShift) {
      out.add("layer.shift", place,
              fmt::format("out shift {}, at most {}", sdp->out_shift, kLargestShift));
    }
  }
  if (layer.as<CoreLayer>() != nullptr) return out.append(verify_core(p, layer));
  const Shape& from = p.tensors[layer.reads().front()].shape;
  Shape expected = from;
  if (const auto* conv = layer.as<ConvLayer>()) {
    expected = {1, to.c, conv->window.out_h(from.h), conv->window.out_w(from.w)};
    const int64_t weights = to.c * (from.c / std::max<int64_t>(conv->groups, 1)) *
                            conv->window.kernel_h * conv->window.kernel_w;
    if (static_cast<int64_t>(conv->weights.size()) != weights) {
      out.add("layer.weights", place,
              fmt::format("{} weights, expected {}", conv->weights.size(), weights));
    }
  } else if (const auto* pool = layer.as<PoolLayer>()) {
    expected = {1, from.c, pool->window.out_h(from.h), pool->window.out_w(from.w)};
  } else if (const auto* point = layer.as<PointLayer>()) {
    expected = {1, from.c, from.h * point->repeat_h, from.w * point->repeat_w};
    verify_repeat(*point, place, out);
  }
  if (expected != to) {
    out.add("layer.shape", place,
            fmt::format("output {}, expected {}", to.text(), expected.text()));
  }
}

std::string describe(const SdpStage& s) {
  static constexpr const char* kKinds[] = {"off", "mul", "add", "add+mul"};
  static constexpr const char* kModes[] = {"layer", "kernel", "point"};
  if (s.kind == StageKind::kOff) return "off";
  return fmt::format("{}/{} <<{} >>{}{}", kKinds[static_cast<size_t>(s.kind)],
                     kModes[static_cast<size_t>(s.mode)], s.alu_shift, s.mul_shift,
                     s.relu ? " relu" : "");
}

}  // namespace

std::vector<TensorId> Layer::reads() const {
  std::vector<TensorId> out;
  if (const auto* core = as<CoreLayer>()) {
    for (TensorId id : core->inputs) {
      if (std::count(out.begin(), out.end(), id) == 0) out.push_back(id);
    }
    return out;
  }
  std::visit(
      [&](const auto& w) {
        if constexpr (requires { w.input; }) out.push_back(w.input);
      },
      work);
  if (const SdpProgram* p = sdp()) {
    for (const SdpStage* s : {&p->x1, &p->x2}) {
      if (s->operand && std::count(out.begin(), out.end(), *s->operand) == 0)
        out.push_back(*s->operand);
    }
  }
  return out;
}

const SdpProgram* Layer::sdp() const {
  if (const auto* conv = as<ConvLayer>()) return &conv->sdp;
  if (const auto* point = as<PointLayer>()) return &point->sdp;
  return nullptr;
}

namespace {

/// What is computed so far: whole tensors, and of the joined ones which channels.
class Defined {
 public:
  explicit Defined(const LayerProgram& p) : p_(p), channels_(p.tensors.size()) {
    for (TensorId id = 0; id < p.tensors.size(); ++id) {
      const LayerTensor& t = p.tensors[id];
      channels_[id].assign(static_cast<size_t>(t.shape.c), !t.constant.empty());
      for (const auto& [begin, end] : t.gaps)
        std::fill(channels_[id].begin() + begin, channels_[id].begin() + end, true);
    }
  }
  [[nodiscard]] bool all(TensorId id) const {
    const auto [begin, end] = range(id);
    return std::all_of(begin, end, [](bool b) { return b; });
  }
  /// Some channel is written already; those of a tensor with gaps are looked at one by one.
  [[nodiscard]] bool any(TensorId id) const {
    if (!p_.tensors[id].gaps.empty()) return false;
    const auto [begin, end] = range(id);
    return std::any_of(begin, end, [](bool b) { return b; });
  }
  void set(TensorId id) {
    const ChannelView v = p_.place(id);
    std::fill_n(channels_[v.base].begin() + v.channel, p_.tensors[id].shape.c, true);
  }

 private:
  [[nodiscard]] std::pair<std::vector<bool>::const_iterator, std::vector<bool>::const_iterator>
  range(TensorId id) const {
    const ChannelView v = p_.place(id);
    const auto begin = channels_[v.base].begin() + v.channel;
    return {begin, begin + p_.tensors[id].shape.c};
  }
  const LayerProgram& p_;
  std::vector<std::vector<bool>> channels_;  ///< by tensor; those of a view are its base's
};

void verify_views(const LayerProgram& p, Diagnostics& out) {
  for (const LayerTensor& t : p.tensors) {
    for (const auto& [begin, end] : t.gaps) {
      if (begin >= 0 && begin <= end && end <= t.shape.c) continue;
      out.add("layer.view", fmt::format("tensor '{}'", t.name),
              fmt::format("gap [{}, {}) of {} channels", begin, end, t.shape.c));
    }
    if (!t.view) continue;
    const std::string place = fmt::format("tensor '{}'", t.name);
    if (t.view->base >= p.tensors.size()) {
      out.add("layer.tensor", place,
              fmt::format("a view of tensor {} of {}", t.view->base, p.tensors.size()));
      continue;
    }
    const LayerTensor& base = p.tensors[t.view->base];
    const Shape &s = t.shape, &b = base.shape;
    if (base.view || s.h != b.h || s.w != b.w || t.view->channel < 0 ||
        t.view->channel + s.c > b.c || t.type != StoredType::kInt8) {
      out.add("layer.view", place,
              fmt::format("{} at channel {} of '{}' {}", s.text(), t.view->channel, base.name,
                          b.text()));
    } else if (t.quantisation != base.quantisation) {
      out.add("layer.view", place,
              fmt::format("{}, '{}' has {}", t.quantisation.text(), base.name,
                          base.quantisation.text()));
    }
  }
}

}  // namespace

Diagnostics LayerProgram::verify() const {
  Diagnostics out;
  verify_views(*this, out);
  if (!out.empty()) return out;
  Defined defined(*this);
  for (const LayerInput& in : inputs) {
    if (in.tensor >= tensors.size()) {
      out.add("layer.tensor", name,
              fmt::format("input tensor {} of {}", in.tensor, tensors.size()));
      return out;
    }
    defined.set(in.tensor);
  }
  for (const Layer& layer : layers) {
    const std::string place = fmt::format("layer '{}'", layer.name);
    bool known = layer.output < tensors.size();
    for (TensorId id : layer.reads()) {
      known = known && id < tensors.size();
      if (id < tensors.size() && !defined.all(id)) {
        out.add("layer.order", place,
                fmt::format("'{}' is read before it is produced", tensors[id].name));
      }
    }
    if (!known) {
      out.add("layer.tensor", place, fmt::format("a tensor of {} is out of range", tensors.size()));
      return out;
    }
    if (defined.any(layer.output))
      out.add("layer.two_producers", place, fmt::format("'{}'", tensors[layer.output].name));
    defined.set(layer.output);
    verify_work(*this, layer, out);
  }
  for (TensorId id : outputs) {
    if (id >= tensors.size() || !defined.all(id)) {
      out.add("layer.output", name, fmt::format("output {} is never produced", id));
    } else if (tensors[id].view) {
      out.add("layer.output", name,
              fmt::format("output '{}' has no memory of its own", tensors[id].name));
    }
  }
  return out;
}

std::string LayerProgram::text() const {
  std::string out = fmt::format("layers of {}\n", name);
  for (const LayerInput& in : inputs) {
    const LayerTensor& t = tensors[in.tensor];
    out += fmt::format("  input %{} {} {} {}, byte scale {:.6g} zero {} converter -{} *{} >>{}\n",
                       t.name, t.shape.text(), t.quantisation.text(),
                       in.image ? "image" : "feature", in.scale, in.zero_point, in.converter.offset,
                       in.converter.scale, in.converter.truncate);
  }
  for (const Layer& layer : layers) {
    static constexpr const char* kNames[] = {"conv", "point", "pool", "lrn", "core"};
    std::string reads;
    for (TensorId id : layer.reads()) reads += (reads.empty() ? "%" : ", %") + tensors[id].name;
    out += fmt::format(
        "  %{} {} {} = {}({})", tensors[layer.output].name, tensors[layer.output].shape.text(),
        tensors[layer.output].quantisation.text(), kNames[layer.work.index()], reads);
    if (const auto* conv = layer.as<ConvLayer>())
      out += fmt::format(" {} groups {}", conv->window.text(), conv->groups);
    if (const auto* pool = layer.as<PoolLayer>()) out += " " + pool->window.text();
    const auto* point = layer.as<PointLayer>();
    if (point != nullptr && point->repeat_h * point->repeat_w > 1)
      out += fmt::format(" repeated {}x{}", point->repeat_h, point->repeat_w);
    if (const auto* core = layer.as<CoreLayer>())
      out += fmt::format(" {} ({})", core_kernel_name(*core), core->reason);
    if (const SdpProgram* s = layer.sdp()) {
      out += fmt::format(" x1[{}] x2[{}] out -{} *{} >>{}", describe(s->x1), describe(s->x2),
                         s->out_offset, s->out_scale, s->out_shift);
    }
    out += "\n";
  }
  return out;
}

uint64_t macs_of(const LayerProgram& program, const Layer& layer) {
  const auto* conv = layer.as<ConvLayer>();
  if (conv == nullptr || conv->moves) return 0;
  const Shape& o = program.tensors[layer.output].shape;
  return conv->weights.size() * static_cast<uint64_t>(o.h * o.w);
}

}  // namespace dlavp::compiler
