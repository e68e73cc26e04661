// Accessors, layouts and printing of the scheduled program.
#include "compiler/schedule/hw_program.hpp"

#include "compiler/schedule/schedule.hpp"

namespace dlavp::compiler {

Engine HwOperation::engine() const {
  static constexpr Engine kEngineOf[] = {Engine::kConv, Engine::kSdp, Engine::kPdp, Engine::kCdp};
  return kEngineOf[work.index()];
}

bool HwOperation::fused() const {
  if (const auto* sdp = std::get_if<HwSdp>(&work)) return sdp->src.stream;
  const auto* pdp = std::get_if<HwPdp>(&work);
  return pdp != nullptr && pdp->src.stream;
}

std::vector<View> HwOperation::read_views() const {
  if (fused() && std::holds_alternative<HwPdp>(work)) return {};
  if (const auto* conv = std::get_if<HwConv>(&work)) return {conv->lines.value_or(conv->src)};
  if (const auto* pdp = std::get_if<HwPdp>(&work)) return {pdp->src};
  if (const auto* cdp = std::get_if<HwCdp>(&work)) return {cdp->src};
  std::vector<View> out;
  const auto& sdp = std::get<HwSdp>(work);
  if (!sdp.src.stream) out.push_back(sdp.src);
  for (const HwStage* s : {&sdp.x1, &sdp.x2}) {
    if (s->data) out.push_back(*s->data);
  }
  return out;
}

std::vector<BufferId> HwOperation::reads() const {
  std::vector<BufferId> out;
  for (const View& v : read_views()) out.push_back(v.buffer);
  if (const auto* conv = std::get_if<HwConv>(&work)) out.push_back(conv->weights);
  return out;
}

std::optional<View> HwOperation::written_view() const {
  if (const auto* sdp = std::get_if<HwSdp>(&work))
    return sdp->dst.stream ? std::nullopt : std::optional(sdp->dst);
  if (const auto* pdp = std::get_if<HwPdp>(&work)) return pdp->dst;
  if (const auto* cdp = std::get_if<HwCdp>(&work)) return cdp->dst;
  return std::nullopt;
}

std::optional<BufferId> HwOperation::writes() const {
  const auto v = written_view();
  return v ? std::optional(v->buffer) : std::nullopt;
}

bool overlap(const View& a, const View& b) {
  if (a.stream || b.stream || a.buffer != b.buffer || a.bytes == 0 || b.bytes == 0) return false;
  if (a.offset >= b.offset + b.bytes || b.offset >= a.offset + a.bytes) return false;
  const uint64_t stride = a.surface_stride;
  if (stride == 0 || stride != b.surface_stride) return true;
  // The same run of bytes in each surface, none across a surface's end.
  struct Run {
    uint64_t first_surface, surfaces, begin, end;
  };
  const auto run = [&](const View& v) {
    const uint64_t surfaces = (v.bytes + stride - 1) / stride;
    const uint64_t begin = v.offset % stride;
    return Run{v.offset / stride, surfaces, begin, begin + v.bytes - (surfaces - 1) * stride};
  };
  const Run x = run(a), y = run(b);
  if (x.end > stride || y.end > stride) return true;
  return x.begin < y.end && y.begin < x.end && x.first_surface < y.first_surface + y.surfaces &&
         y.first_surface < x.first_surface + x.surfaces;
}

View feature_view(BufferId buffer, const Shape& shape, uint32_t atom) {
  View v;
  v.buffer = buffer;
  v.width = static_cast<uint32_t>(shape.w);
  v.height = static_cast<uint32_t>(shape.h);
  v.channels = static_cast<uint32_t>(shape.c);
  v.line_stride = v.width * atom;
  v.surface_stride = v.line_stride * v.height;
  v.bytes = uint64_t{v.surface_stride} * ((v.channels + atom - 1) / atom);
  return v;
}

namespace {

std::string describe(const HwProgram& p, const View& v) {
  if (v.stream) return fmt::format("stream {}x{}x{}", v.channels, v.height, v.width);
  return fmt::format("{}+{:#x} {}x{}x{}", p.buffers[v.buffer].name, v.offset, v.channels, v.height,
                     v.width);
}

std::string describe(const HwProgram& p, const HwOperation& op) {
  if (const auto* c = std::get_if<HwConv>(&op.work)) {
    return fmt::format("conv {} kernel {} weights {} B{}{} banks {}+{}{}", describe(p, c->src),
                       c->window.text(), c->weight_bytes, c->reuse_weights ? " reused" : "",
                       c->keep_weights ? " kept" : "", c->data_banks, c->weight_banks,
                       c->image ? fmt::format(" image, {} rows a step", c->y_extension) : "");
  }
  if (const auto* s = std::get_if<HwSdp>(&op.work))
    return fmt::format("sdp {} -> {}", describe(p, s->src), describe(p, s->dst));
  if (const auto* d = std::get_if<HwCdp>(&op.work)) {
    return fmt::format("cdp {} over {} -> {}", describe(p, d->src), d->lrn.size,
                       describe(p, d->dst));
  }
  const auto& d = std::get<HwPdp>(op.work);
  return fmt::format("pdp {} {} -> {}{}", describe(p, d.src), d.window.text(), describe(p, d.dst),
                     d.split.parts > 1 ? fmt::format(" in {} parts", d.split.parts) : "");
}

}  // namespace

std::string text(const HwProgram& program) {
  std::string out = fmt::format("program: {} bytes of constants, {} of activations\n",
                                program.constants.size(), program.activation_bytes);
  for (size_t t = 0; t < program.tasks.size(); ++t) {
    out += fmt::format("  task {}\n", t);
    const HwTask& task = program.tasks[t];
    for (size_t i = 0; i < task.operations.size(); ++i) {
      const HwOperation& op = task.operations[i];
      out += fmt::format("    {:3} {:24} waits {} {}\n", i, op.name, op.dependencies,
                         describe(program, op));
    }
    for (const CoreOperation& op : task.cpu) {
      std::string from;
      for (const CoreOperand& in : op.inputs)
        from += (from.empty() ? "" : ", ") + describe(program, in.view);
      out +=
          fmt::format("    core {} {} -> {}\n", op.name, from, describe(program, op.output.view));
    }
  }
  return out;
}

}  // namespace dlavp::compiler
