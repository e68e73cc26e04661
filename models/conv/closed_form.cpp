#include "models/conv/closed_form.hpp"

#include <algorithm>

#include "models/common/conv_estimate.hpp"
#include "models/conv/sequencer.hpp"

namespace dlavp::conv {

using sim::Cycle;

namespace {

uint64_t ceil_div(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

/// Padding takes the response side as long as pixels do, and a line a cycle to begin.
LineFetch image_fetch(const CdmaOp& op, uint32_t atom, uint64_t lines) {
  LineFetch line{0, 1};
  for (unsigned p = 0; p < op.format.planes; ++p) {
    const uint32_t in_atom = atom / op.format.pixel_bytes(p);
    line.atoms += (op.width - 1 + op.x_offset[p]) / in_atom + 1;
    line.cycles += (op.stored_width() - 1) / in_atom + 2;
  }
  return {line.atoms * lines, line.cycles * lines};
}

}  // namespace

LineFetch line_fetch(const CdmaOp& op, const HwConfig& hw, uint64_t lines) {
  const uint32_t atom = hw.memory_atomic_size;
  if (op.cbuf.image) return image_fetch(op, atom, lines);
  const uint64_t surfaces = ceil_div(op.channels, atom);
  const uint64_t atoms = lines * op.width * surfaces;
  if (op.one_pixel) return {atoms, conv_fill_cycles(surfaces, 1, lines)};
  return {atoms, conv_fill_cycles(op.width, surfaces, lines)};
}

StepTimes step_times(const CscOp& op, const HwConfig& hw, Cycle atom_cycles) {
  const uint64_t rows = ceil_div(op.kernel_height, op.y_extension);
  const uint64_t steps =
      ceil_div(op.kernel_channels, hw.mac_atomic_c_size) * rows * op.kernel_width;
  const ConvWork work{.atoms = op.out_pixels(),
                      .line = op.cbuf.image ? op.out_width : 0,
                      .kernels = op.kernels,
                      .steps = steps,
                      .atom_cycles = atom_cycles};
  StepTimes out;
  out.groups = static_cast<uint32_t>(ceil_div(op.kernels, hw.mac_atomic_k_size));
  out.group = conv_group_cycles(hw, work);
  out.atoms = op.out_pixels() * out.groups;
  const uint64_t stripe_atoms = op.cbuf.image ? op.out_width : op.out_pixels();
  out.first_length = stripe_length(op, hw, 0, stripe_atoms);
  const uint64_t full = op.cbuf.image ? delivery_atoms(hw) : hw.mac_atomic_k_size;
  out.last_length = static_cast<uint32_t>((stripe_atoms - 1) % full + 1);
  out.first_stripe = (steps - 1) * std::max<uint64_t>(out.first_length, hw.mac_atomic_k_size);
  return out;
}

uint64_t atoms_in_the_way(const CscOp& op, const HwConfig& hw) {
  const uint64_t bytes = std::min(op.kernels, hw.mac_atomic_k_size) * op.bytes_per_kernel();
  const uint64_t banks = op.cbuf.weight_banks * hw.bank_bytes();
  return 2 * bytes > banks ? (2 * bytes - banks) / hw.memory_atomic_size : 0;
}

Cycle steps_end(const StepTimes& times, Cycle first, const sim::Stream::Pace& pace,
                uint32_t credits) {
  // The last atoms wait in the delivery buffer while those before them are taken.
  const Cycle buffered = std::min<uint64_t>(credits, times.atoms) * pace.atom;
  const Cycle taken = pace.all > buffered ? pace.all - buffered : 0;
  return std::max(first + times.all(), first + times.first_stripe + taken);
}

}  // namespace dlavp::conv
