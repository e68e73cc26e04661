// Memory, arithmetic and the CPU's operations for the reference interpreter, and what it refuses.
#include "tests/reference/loadable_ops.hpp"

#include <algorithm>
#include <cmath>

namespace dlavp::reference {

int8_t Region::get(uint64_t at) const {
  if (memory_ == nullptr || start_ + at >= memory_->size()) {
    outside_ = true;
    return 0;
  }
  return static_cast<int8_t>((*memory_)[start_ + at]);
}

int16_t Region::get16(uint64_t at) const {
  const auto low = static_cast<uint8_t>(get(at));
  return static_cast<int16_t>(low + 256 * get(at + 1));
}

void Region::put(uint64_t at, int64_t value) {
  if (memory_ == nullptr || start_ + at >= memory_->size())
    outside_ = true;
  else
    (*memory_)[start_ + at] = static_cast<uint8_t>(value & 0xff);
}

Region AddressSpace::region(int address, uint64_t offset) const {
  if (address < 0 || static_cast<size_t>(address) >= task_.address_list.size()) return {};
  const loadable::Address* a = loadable_.address(task_.address_list[static_cast<size_t>(address)]);
  return {&memories_.at(a->mem_id), a->offset + offset};
}

int64_t divide_pow2(int64_t x, unsigned shift) {
  if (shift == 0) return x;
  if (shift > 62) return 0;
  // On the magnitude, adding a half and cutting off is rounding halves away from zero.
  const uint64_t magnitude =
      x < 0 ? uint64_t{0} - static_cast<uint64_t>(x) : static_cast<uint64_t>(x);
  const uint64_t rounded = (magnitude + (uint64_t{1} << (shift - 1))) >> shift;
  return x < 0 ? -static_cast<int64_t>(rounded) : static_cast<int64_t>(rounded);
}

int64_t limit(int64_t x, unsigned bits) {
  const int64_t largest = (int64_t{1} << (bits - 1)) - 1;
  return std::clamp(x, -largest - 1, largest);
}

int64_t low_bits(int64_t x, unsigned bits) {
  const int64_t range = int64_t{1} << bits;
  const int64_t rest = ((x % range) + range) % range;
  return rest >= range / 2 ? rest - range : rest;
}

namespace {

uint64_t feature_offset(const Machine& m, const DlaCube& cube, uint32_t x, uint32_t y, uint32_t c) {
  return uint64_t{c / m.atom} * cube.surf_stride + uint64_t{y} * cube.line_stride +
         uint64_t{x} * m.atom + c % m.atom;
}

}  // namespace

Grid read_feature(const Machine& m, const DlaCube& cube, Region& from, bool all_lanes) {
  const uint32_t lanes = round_up(cube.channel, m.atom);
  Grid out(cube.width, cube.height, lanes);
  for (uint32_t y = 0; y < cube.height; ++y)
    for (uint32_t x = 0; x < cube.width; ++x)
      for (uint32_t c = 0; c < (all_lanes ? lanes : cube.channel); ++c)
        out.values[out.index(x, y, c)] = from.get(feature_offset(m, cube, x, y, c));
  return out;
}

void write_feature(const Machine& m, const DlaCube& cube, const Grid& grid, Region& to) {
  for (uint32_t y = 0; y < cube.height; ++y)
    for (uint32_t x = 0; x < cube.width; ++x)
      for (uint32_t c = 0; c < grid.lanes; ++c)
        to.put(feature_offset(m, cube, x, y, c), grid.values[grid.index(x, y, c)]);
}

namespace {

void refuse(Diagnostics& errors, bool wrong, const char* id, const std::string& place,
            const std::string& what) {
  if (wrong) errors.add(id, place, what);
}

void check_conv(const loadable::DlaEntry& e, const std::string& place, Diagnostics& errors) {
  const char* id = "reference.unsupported_conv";
  const DlaConvOp& op = e.operation.conv;
  const DlaCube src = e.surface.conv.src_data, dst = e.surface.conv.dst_data;
  refuse(errors, op.conv_mode != DLA_CONV_DIRECT, id, place, "Winograd");
  refuse(errors, op.weight_format != DLA_WEIGHTS_PLAIN, id, place, "compressed weights");
  refuse(errors, op.in_precision != DLA_INT8 || op.out_precision != DLA_INT8, id, place,
         "not int8");
  refuse(errors, op.batch > 1, id, place, "batch");
  refuse(errors, dst.type != DLA_CUBE_STREAM, id, place, "an output to memory");
  refuse(errors, op.post_extension > 2, id, place, "post-extension over 2");
  const bool sizes = src.width != 0 && src.height != 0 && src.channel != 0 && dst.width != 0 &&
                     dst.height != 0 && dst.channel != 0 && op.kernel_channel_csc != 0 &&
                     op.kernel_height_csc != 0 && op.kernel_width_csc != 0;
  refuse(errors, !sizes, id, place, "a size of zero");
  const unsigned f = op.data_format;
  if (f == DLA_FORMAT_FEATURE) {
    refuse(errors, op.kernel_channel_csc != src.channel, id, place, "kernel channels");
    return;
  }
  const bool planar = f == DLA_FORMAT_Y8_U8V8 || f == DLA_FORMAT_Y8_V8U8;
  const bool packed = (f >= DLA_FORMAT_A8B8G8R8 && f <= DLA_FORMAT_R8G8B8X8) ||
                      f == DLA_FORMAT_A8Y8U8V8 || f == DLA_FORMAT_V8U8Y8A8;
  const unsigned components = f == DLA_FORMAT_R8 ? 1 : planar ? 3 : 4;
  refuse(errors, f != DLA_FORMAT_R8 && !planar && !packed, id, place,
         fmt::format("pixel format {}", f));
  refuse(errors, src.channel > components, id, place, fmt::format("{} channels", src.channel));
  refuse(errors, sizes && op.kernel_channel_csc % src.channel != 0, id, place,
         "kernel channels that are no whole pixels");
}

}  // namespace

Diagnostics unsupported(const loadable::DlaEntry& e, const std::string& place) {
  Diagnostics errors;
  switch (e.dependency.op_type) {
    case DLA_ENGINE_CONV:
      check_conv(e, place, errors);
      break;
    case DLA_ENGINE_SDP: {
      const DlaSdpOp& op = e.operation.sdp;
      const char* id = "reference.unsupported_sdp";
      refuse(errors, op.src_precision != DLA_INT8 || op.dst_precision != DLA_INT8, id, place,
             "not int8");
      refuse(errors, op.conv_mode != DLA_CONV_DIRECT || op.batch_num > 1, id, place,
             "Winograd or batch");
      refuse(
          errors,
          op.y_op.enable != 0 && op.y_op.type >= DLA_SDP_ALU && op.y_op.alu_type == DLA_ALU_EQUAL,
          id, place, "equal mode");
      refuse(errors, op.y_op.enable != 0 && op.y_op.act == DLA_ACT_LUT && op.lut_index < 0, id,
             place, "a LUT that is not there");
      break;
    }
    case DLA_ENGINE_PDP:
      refuse(errors, e.operation.pdp.precision != DLA_INT8, "reference.unsupported_pdp", place,
             "not int8");
      break;
    case DLA_ENGINE_CDP:
      refuse(errors, e.operation.cdp.in_precision != DLA_INT8, "reference.unsupported_cdp", place,
             "not int8");
      break;
    default:
      refuse(errors, true, "reference.unsupported_engine", place,
             loadable::engine_name(e.dependency.op_type));
  }
  return errors;
}

namespace {

/// Softmax over the channels of one pixel, or power of each.
std::vector<double> emulate(const DlaEmuOp& op, const std::vector<double>& in) {
  std::vector<double> out(in.size());
  if (op.op_type == DLA_EMU_POWER) {
    for (size_t i = 0; i < in.size(); ++i)
      out[i] = std::pow(op.u.power.shift + op.u.power.scale * in[i], +op.u.power.power);
    return out;
  }
  const double largest = *std::max_element(in.begin(), in.end());
  double sum = 0;
  for (size_t i = 0; i < in.size(); ++i) sum += out[i] = std::exp(in[i] - largest);
  for (double& v : out) v /= sum;
  return out;
}

}  // namespace

void run_emu(const loadable::EmuEntry& e, Region& input, Region& output) {
  const DlaEmuBuffer& src = e.buffers.src_data;
  const DlaEmuBuffer& dst = e.buffers.dst_data;
  const uint32_t atom = src.format == DLA_EMU_INT8_ATOM8 ? 8 : 32;
  const auto at = [atom](const DlaEmuBuffer& b, uint32_t x, uint32_t y, uint32_t c) {
    return uint64_t{c / atom} * b.surf_stride + uint64_t{y} * b.line_stride + uint64_t{x} * atom +
           c % atom;
  };
  for (uint32_t y = 0; y < src.height; ++y)
    for (uint32_t x = 0; x < src.width; ++x) {
      std::vector<double> values(src.channel);
      for (uint32_t c = 0; c < src.channel; ++c)
        values[c] = input.get(at(src, x, y, c)) * double{e.operation.input_scale_factor};
      values = emulate(e.operation, values);
      for (uint32_t c = 0; c < src.channel; ++c) {
        const double scaled = std::round(values[c] / double{e.operation.output_scale_factor});
        output.put(at(dst, x, y, c), std::isfinite(scaled)
                                         ? static_cast<int64_t>(std::clamp(scaled, -128.0, 127.0))
                                         : 0);
      }
    }
}

}  // namespace dlavp::reference
