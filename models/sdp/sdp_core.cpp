// Walks an operation line by line: gathers the operands of each line, runs the stages over it.
#include "models/sdp/sdp_core.hpp"

#include <algorithm>

#include "models/sdp/sdp_stages.hpp"

namespace dlavp::sdp {

namespace {

uint32_t surfaces(const CubeSize& size, unsigned atom) { return (size.channels + atom - 1) / atom; }

/// Copies the lines of a cube, `atoms_per_pixel` atoms a pixel, one after another.
bool read_cube(const CubeRef& src, const CubeSize& size, unsigned atoms_per_pixel, unsigned atom,
               const MemorySpaces& memory, std::vector<uint8_t>& out) {
  const size_t line_bytes = size_t{size.width} * atoms_per_pixel * atom;
  const uint32_t count = surfaces(size, atom);
  out.resize(line_bytes * size.height * count);
  if (packed_1x1(size)) return memory.of(src.ram).read(src.address, out);
  for (uint32_t s = 0; s < count; ++s)
    for (uint32_t y = 0; y < size.height; ++y) {
      const uint64_t at = src.address + s * src.surface_stride + y * src.line_stride;
      const size_t offset = (size_t{s} * size.height + y) * line_bytes;
      if (!memory.of(src.ram).read(at, std::span(out).subspan(offset, line_bytes))) return false;
    }
  return true;
}

Error unmapped(const char* what, const char* id, unsigned group, const CubeRef& cube) {
  return {id, fmt::format("SDP group {}", group),
          fmt::format("{} at {:#x} (line stride {:#x}, surface stride {:#x}) leaves mapped memory",
                      what, cube.address, cube.line_stride, cube.surface_stride)};
}

/// Value `index` of a stream of one- or two-byte operands.
int16_t element(const std::vector<uint8_t>& bytes, unsigned size, size_t index) {
  if (size == 1) return static_cast<int8_t>(bytes[index]);
  return static_cast<int16_t>(bytes[2 * index] | (bytes[2 * index + 1] << 8));
}

/// The operands of one half of one stage, for the line at hand.
class OperandLine {
 public:
  OperandLine(const SdpOp& op, unsigned stage, bool is_alu, const OperandRead* read,
              const std::vector<uint8_t>& bytes, unsigned atom)
      : op_(op), stage_(stage), is_alu_(is_alu), read_(read), bytes_(bytes), atom_(atom) {
    const StageOp& s = op.stage[stage];
    unary_ = is_alu ? &s.alu : &s.mul;
    if (!s.enabled || !unary_->enabled) {
      unary_ = nullptr;
    } else if (!unary_->from_memory) {
      values_.assign(atom, register_value());
    } else {
      values_.resize(read->per_element ? size_t{op.size.width} * atom : atom);
    }
  }
  /// Moves to line `y` of surface `s`.
  void go_to(uint32_t s, uint32_t y) {
    if (!unary_ || !unary_->from_memory) return;
    if (!read_->per_element && y != 0) return;
    const unsigned stream = read_->alu && read_->mul ? 2 : 1;
    const unsigned offset = stream == 2 && !is_alu_ ? 1 : 0;
    const size_t block = read_->per_element ? size_t{s} * op_.size.height + y : s;
    const size_t first = block * values_.size();
    for (size_t i = 0; i < values_.size(); ++i)
      values_[i] =
          convert_one(element(bytes_, read_->element_bytes, (first + i) * stream + offset));
  }
  [[nodiscard]] Values values() const {
    if (!unary_) return {};
    return {values_.data(), unary_->from_memory && read_->per_element ? atom_ : 0u};
  }

 private:
  [[nodiscard]] int32_t register_value() const {
    return stage_ == kY ? unary_->operand : convert_one(static_cast<int16_t>(unary_->operand));
  }
  [[nodiscard]] int32_t convert_one(int16_t value) const {
    if (stage_ == kY) return y_operand(value, unary_->cvt);
    return is_alu_ ? x_alu_operand(value, op_.stage[stage_].alu_shift) : value;
  }

  const SdpOp& op_;
  unsigned stage_;
  bool is_alu_;
  const OperandRead* read_;
  const std::vector<uint8_t>& bytes_;
  unsigned atom_;
  const Unary* unary_ = nullptr;
  std::vector<int32_t> values_;
};

}  // namespace

Result<Inputs> capture(const RdmaOp& rdma, const HwConfig& hw, const MemorySpaces& memory) {
  const unsigned atom = hw.memory_atomic_size;
  Inputs inputs;
  if (rdma.main && !read_cube(rdma.src, rdma.size, 1, atom, memory, inputs.main))
    return unmapped("input cube", "sdp.unmapped_read", rdma.group, rdma.src);
  for (unsigned s = 0; s < kStages; ++s) {
    const OperandRead& o = rdma.operand[s];
    if (!o.enabled) continue;
    const CubeSize size = o.per_element ? rdma.size : CubeSize{1, 1, rdma.size.channels};
    if (!read_cube(o.src, size, o.atoms_per_atom(), atom, memory, inputs.operand[s]))
      return unmapped("operands", "sdp.unmapped_read", rdma.group, o.src);
  }
  return inputs;
}

Outcome compute(const SdpOp& op, const RdmaOp* rdma, const Inputs& inputs,
                const AtomCube<int32_t>* from_conv, const LutTables& tables, unsigned atom) {
  Outcome out;
  out.cube = AtomCube<int8_t>(op.size, atom);
  const size_t line_elems = size_t{op.size.width} * atom;
  std::vector<int32_t> line(line_elems);
  std::vector<OperandLine> alu, mul;
  for (unsigned s = 0; s < kStages; ++s) {
    const OperandRead* read = rdma ? &rdma->operand[s] : nullptr;
    alu.emplace_back(op, s, true, read, inputs.operand[s], atom);
    mul.emplace_back(op, s, false, read, inputs.operand[s], atom);
  }
  const StageOp& y_op = op.stage[kY];
  for (uint32_t s = 0; s < out.cube.surfaces(); ++s)
    for (uint32_t y = 0; y < op.size.height; ++y) {
      const size_t first = (size_t{s} * op.size.height + y) * line_elems;
      if (from_conv)
        std::copy_n(from_conv->values.begin() + static_cast<ptrdiff_t>(first), line_elems,
                    line.begin());
      else
        for (size_t i = 0; i < line_elems; ++i)
          line[i] = static_cast<int8_t>(inputs.main[first + i]);
      const Line view{line.data(), op.size.width, atom};
      for (unsigned stage = 0; stage < kStages; ++stage) {
        if (!op.stage[stage].enabled) continue;
        alu[stage].go_to(s, y);
        mul[stage].go_to(s, y);
        (stage == kY ? run_y : run_x)(op.stage[stage], view, alu[stage].values(),
                                      mul[stage].values());
      }
      if (y_op.enabled && y_op.lut)
        for (int32_t& x : line) x = look_up(x, op.lut, tables, out.lut);
      int8_t* bytes = out.cube.values.data() + first;
      if (op.compare)
        std::transform(line.begin(), line.end(), bytes,
                       [](int32_t x) { return static_cast<int8_t>(x); });
      else
        out.saturated += convert(op.out, line, bytes);
    }
  out.unequal = !op.to_pdp && std::any_of(out.cube.values.begin(), out.cube.values.end(),
                                          [](int8_t v) { return v != 0; });
  return out;
}

Diagnostics store(const SdpOp& op, const AtomCube<int8_t>& cube, const MemorySpaces& memory) {
  const std::span bytes(reinterpret_cast<const uint8_t*>(cube.values.data()), cube.values.size());
  const size_t line_bytes = size_t{op.size.width} * cube.atom;
  Memory& target = memory.of(op.dst.ram);
  bool good = true;
  if (packed_1x1(op.size)) {
    good = target.write(op.dst.address, bytes);
  } else {
    for (uint32_t s = 0; s < cube.surfaces() && good; ++s)
      for (uint32_t y = 0; y < op.size.height && good; ++y)
        good =
            target.write(op.dst.address + s * op.dst.surface_stride + y * op.dst.line_stride,
                         bytes.subspan((size_t{s} * op.size.height + y) * line_bytes, line_bytes));
  }
  if (good) return {};
  return Diagnostics(unmapped("output cube", "sdp.unmapped_write", op.group, op.dst));
}

}  // namespace dlavp::sdp
