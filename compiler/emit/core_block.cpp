// Softmax over the channels of int8 in atoms of 8 or 32 bytes is an operation of the published
// format; everything else is an extension with a parameter block (core_block.h).
#include "compiler/emit/core_block.hpp"

#include <cstring>

#include "compiler/loadable/core_block.h"

namespace dlavp::compiler {
namespace {

constexpr size_t kBlockAlignment = 64;

template <typename T>
void append(std::vector<uint8_t>& out, const T* items, size_t count) {
  const size_t at = out.size();
  out.resize(at + count * sizeof(T));
  if (count != 0) std::memcpy(out.data() + at, items, count * sizeof(T));
}

/// The published format has codes for atoms of 8 and 32 bytes only.
bool has_format(const HwConfig& hw) {
  return hw.memory_atomic_size == 32 || hw.memory_atomic_size == 8;
}

bool published(const HwConfig& hw, const CoreLayer& layer) {
  return layer.kernel == CORE_SOFTMAX && layer.params[0] == 0 && layer.params[1] == 0 &&
         layer.params[2] == 0 && has_format(hw);
}

DlaEmuBuffer buffer_of(const HwConfig& hw, const CoreOperand& operand, const Locate& locate) {
  DlaEmuBuffer b{};
  const View& v = operand.view;
  const Location at = locate(v.buffer);
  b.address = at.address;
  b.offset = static_cast<uint32_t>(at.offset + v.offset);
  b.size = static_cast<uint32_t>(v.bytes);
  b.format = hw.memory_atomic_size == 32 ? DLA_EMU_INT8_ATOM32 : DLA_EMU_INT8_ATOM8;
  b.width = static_cast<uint16_t>(v.width);
  b.height = static_cast<uint16_t>(v.height);
  b.channel = static_cast<uint16_t>(v.channels);
  b.line_stride = v.line_stride;
  b.surf_stride = v.surface_stride;
  return b;
}

DlaCoreTensor tensor_of(const HwConfig& hw, const CoreOperand& operand, const Locate& locate) {
  DlaCoreTensor t{};
  const View& v = operand.view;
  const Location at = locate(v.buffer);
  t.address = at.address;
  t.element = static_cast<uint16_t>(v.element);
  t.offset = static_cast<uint32_t>(at.offset + v.offset);
  t.width = v.width;
  t.height = v.height;
  t.channels = v.channels;
  t.line_stride = v.line_stride;
  t.surface_stride = v.surface_stride;
  t.atom = hw.memory_atomic_size;
  t.scale = operand.scale;
  return t;
}

DlaCoreHeader header_of(const CoreLayer& layer) {
  DlaCoreHeader h{};
  h.magic = CORE_MAGIC;
  h.version = CORE_VERSION;
  h.kernel = layer.kernel;
  h.num_inputs = static_cast<uint16_t>(layer.inputs.size());
  h.num_outputs = 1;
  h.num_reals = static_cast<uint32_t>(layer.reals.size());
  h.num_params = static_cast<uint32_t>(layer.params.size());
  h.table_bytes = static_cast<uint32_t>(layer.table.size());
  DLAVP_CHECK(layer.custom.size() < CORE_NAME_BYTES, "custom layer '{}'", layer.custom);
  std::memcpy(h.name, layer.custom.data(), layer.custom.size());
  return h;
}

}  // namespace

DescribedCore describe_core(const HwConfig& hw, const LayerProgram& layers,
                            const std::vector<CoreOperation>& operations, int16_t block_address,
                            const Locate& locate) {
  DescribedCore out;
  for (const CoreOperation& op : operations) {
    const CoreLayer& layer = *layers.layers[op.layer].as<CoreLayer>();
    DlaEmuOp emu{};
    emu.input_scale_factor = static_cast<float>(op.inputs[0].scale);
    emu.output_scale_factor = static_cast<float>(op.output.scale);
    out.buffers.push_back({buffer_of(hw, op.inputs[0], locate), buffer_of(hw, op.output, locate)});
    if (published(hw, layer)) {
      emu.op_type = DLA_EMU_SOFTMAX;
      emu.u.axis = 1;
      out.operations.push_back(emu);
      continue;
    }
    out.blocks.resize((out.blocks.size() + kBlockAlignment - 1) / kBlockAlignment *
                      kBlockAlignment);
    const size_t begin = out.blocks.size();
    const DlaCoreHeader header = header_of(layer);
    append(out.blocks, &header, 1);
    std::vector<DlaCoreTensor> tensors;
    for (const CoreOperand& in : op.inputs) tensors.push_back(tensor_of(hw, in, locate));
    tensors.push_back(tensor_of(hw, op.output, locate));
    if (layer.kernel == CORE_SOFTMAX)  // the same bytes as the published operation's
      for (DlaCoreTensor& t : tensors) t.scale = static_cast<float>(t.scale);
    append(out.blocks, tensors.data(), tensors.size());
    append(out.blocks, layer.reals.data(), layer.reals.size());
    append(out.blocks, layer.params.data(), layer.params.size());
    append(out.blocks, layer.table.data(), layer.table.size());
    emu.op_type = DLA_EMU_CORE;
    const DlaCoreReference reference{block_address, 0, static_cast<uint32_t>(begin),
                                     static_cast<uint32_t>(out.blocks.size() - begin)};
    std::memcpy(&emu.u, &reference, sizeof reference);
    out.operations.push_back(emu);
  }
  return out;
}

}  // namespace dlavp::compiler
