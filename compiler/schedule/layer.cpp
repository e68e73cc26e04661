// Rules and printing of the layer program.
#include "compiler/schedule/layer.hpp"

#include <algorithm>

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
  if (s.mode == StageMode::kPerPoint) {
    if (!s.operand || s.kind != StageKind::kAlu)
      return add("layer.operand", "a per-point stage adds one tensor");
    if (*s.operand >= p.tensors.size() || p.tensors[*s.operand].shape != shape) {
      add("layer.operand", fmt::format("the operand's shape is not {}", shape.text()));
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
  std::visit([&](const auto& w) { out.push_back(w.input); }, work);
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

Diagnostics LayerProgram::verify() const {
  Diagnostics out;
  std::vector<bool> defined(tensors.size());
  for (const LayerInput& in : inputs) {
    if (in.tensor >= tensors.size()) {
      out.add("layer.tensor", name,
              fmt::format("input tensor {} of {}", in.tensor, tensors.size()));
      return out;
    }
    defined[in.tensor] = true;
  }
  for (const Layer& layer : layers) {
    const std::string place = fmt::format("layer '{}'", layer.name);
    bool known = layer.output < tensors.size();
    for (TensorId id : layer.reads()) {
      known = known && id < tensors.size();
      if (id < tensors.size() && !defined[id]) {
        out.add("layer.order", place,
                fmt::format("'{}' is read before it is produced", tensors[id].name));
      }
    }
    if (!known) {
      out.add("layer.tensor", place, fmt::format("a tensor of {} is out of range", tensors.size()));
      return out;
    }
    if (defined[layer.output])
      out.add("layer.two_producers", place, fmt::format("'{}'", tensors[layer.output].name));
    defined[layer.output] = true;
    verify_work(*this, layer, out);
  }
  for (TensorId id : outputs) {
    if (id >= tensors.size() || !defined[id])
      out.add("layer.output", name, fmt::format("output {} is never produced", id));
  }
  return out;
}

std::string LayerProgram::text() const {
  std::string out = fmt::format("layers of {}\n", name);
  for (const LayerInput& in : inputs) {
    const LayerTensor& t = tensors[in.tensor];
    out += fmt::format(
        "  input %{} {} scale {:.6g} {}, byte scale {:.6g} zero {} converter -{} *{} >>{}\n",
        t.name, t.shape.text(), t.scale, in.image ? "image" : "feature", in.scale, in.zero_point,
        in.converter.offset, in.converter.scale, in.converter.truncate);
  }
  for (const Layer& layer : layers) {
    static constexpr const char* kNames[] = {"conv", "point", "pool", "softmax"};
    std::string reads;
    for (TensorId id : layer.reads()) reads += (reads.empty() ? "%" : ", %") + tensors[id].name;
    out += fmt::format("  %{} {} scale {:.6g} = {}({})", tensors[layer.output].name,
                       tensors[layer.output].shape.text(), tensors[layer.output].scale,
                       kNames[layer.work.index()], reads);
    if (const auto* conv = layer.as<ConvLayer>())
      out += fmt::format(" {} groups {}", conv->window.text(), conv->groups);
    if (const auto* pool = layer.as<PoolLayer>()) out += " " + pool->window.text();
    if (const SdpProgram* s = layer.sdp()) {
      out += fmt::format(" x1[{}] x2[{}] out *{} >>{}", describe(s->x1), describe(s->x2),
                         s->out_scale, s->out_shift);
    }
    out += "\n";
  }
  return out;
}

uint64_t macs_of(const LayerProgram& program, const Layer& layer) {
  const auto* conv = layer.as<ConvLayer>();
  if (conv == nullptr) return 0;
  const Shape& o = program.tensors[layer.output].shape;
  return conv->weights.size() * static_cast<uint64_t>(o.h * o.w);
}

}  // namespace dlavp::compiler
