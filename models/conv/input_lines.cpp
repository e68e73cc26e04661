// Capturing and converting CDMA's input: feature cubes line by line over all surfaces, images plane
// by plane with pixel reordering, mean, convertor and left and right padding; and its weights.
// Hardware manual: "Convolution DMA", "Pixel Format"; arithmetic as the RTL's convertor cell.
#include "models/conv/input_lines.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/common/fixed_point.hpp"

namespace dlavp::conv {

int8_t convert(const Convertor& c, int32_t value, unsigned channel) {
  if (!c.enable) return static_cast<int8_t>(value & 0xff);
  const int64_t offset = c.mean ? c.means[channel] : c.offset;
  constexpr unsigned kProductBits = 34, kShiftedBits = 17;
  const int64_t product = (value - offset) * c.scale;
  return static_cast<int8_t>(saturate(rshr(product, c.truncate, kShiftedBits, kProductBits), 8));
}

std::vector<Footprint> footprints(const CdmaOp& op, uint32_t atom) {
  std::vector<Footprint> out;
  if (!op.cbuf.image) {
    // Lines of one grain lie one after another, so that a last grain of one line ends first.
    const uint64_t run = uint64_t{op.width} * atom, surfaces = (op.channels + atom - 1) / atom;
    const uint64_t grains = op.height / op.grain_lines, rest = op.height % op.grain_lines;
    const Plane& p = op.planes[0];
    if (grains > 0)
      out.push_back({op.data_ram, p.address, run * op.grain_lines, grains,
                     uint64_t{op.grain_lines} * p.line_stride, surfaces, op.surface_stride});
    if (rest > 0)
      out.push_back({op.data_ram, p.address + grains * op.grain_lines * p.line_stride, run * rest,
                     1, 0, surfaces, op.surface_stride});
    return out;
  }
  for (unsigned p = 0; p < op.format.planes; ++p) {
    const uint64_t pixel = op.format.pixel_bytes(p);
    out.push_back({op.data_ram, op.planes[p].address + op.x_offset[p] * pixel, op.width * pixel,
                   op.height, op.planes[p].line_stride, 1, 0});
  }
  return out;
}

namespace {

Error unmapped(const CdmaOp& op) {
  return {"cdma.datain_unmapped", "CDMA",
          fmt::format("the input at {:#x} ({}x{}x{}, line stride {}) is not all in memory",
                      op.planes[0].address, op.width, op.height, op.channels,
                      op.planes[0].line_stride)};
}

}  // namespace

Result<std::shared_ptr<InputLines>> InputLines::capture(const CdmaOp& op, Memory& memory,
                                                        const HwConfig& hw, bool function) {
  for (const Footprint& f : footprints(op, hw.memory_atomic_size))
    if (mapping(f, memory) == Mapping::kTooLarge)
      return Error{
          "cdma.unsupported_size", "CDMA",
          fmt::format("the input at {:#x} moves {} bytes over {} bytes of memory, at most "
                      "{} are modelled",
                      f.address, f.bytes(), f.extent(), std::max(f.extent(), kMostOverlapping))};
    else if (mapping(f, memory) == Mapping::kUnmapped)
      return unmapped(op);
  std::shared_ptr<InputLines> lines(new InputLines(op, hw.memory_atomic_size));
  if (!function) return lines;
  if (!(op.cbuf.image ? lines->read_image(memory) : lines->read_feature(memory)))
    return unmapped(op);
  return lines;
}

bool InputLines::read_feature(Memory& memory) {
  const uint32_t surfaces = (op_.channels + atom_ - 1) / atom_;
  const size_t run = size_t{op_.width} * atom_;
  line_bytes_ = raw_line_[0] = run * surfaces;
  raw_[0].resize(raw_line_[0] * op_.height);
  for (uint32_t y = 0; y < op_.height; ++y) {
    // Lines of one grain are fetched as one run of atoms, whatever the line stride says.
    const uint32_t first = y / op_.grain_lines * op_.grain_lines;
    const uint64_t line =
        op_.planes[0].address + uint64_t{first} * op_.planes[0].line_stride + (y - first) * run;
    for (uint32_t s = 0; s < surfaces; ++s)
      if (!memory.read(line + uint64_t{s} * op_.surface_stride,
                       {raw_[0].data() + y * raw_line_[0] + s * run, run}))
        return false;
  }
  return true;
}

bool InputLines::read_image(Memory& memory) {
  line_bytes_ = size_t{op_.stored_width()} * op_.channels;
  for (unsigned p = 0; p < op_.format.planes; ++p) {
    const uint32_t pixel = op_.format.pixel_bytes(p);
    raw_line_[p] = size_t{op_.width} * pixel;
    raw_[p].resize(raw_line_[p] * op_.height);
    for (uint32_t y = 0; y < op_.height; ++y) {
      const uint64_t from = op_.planes[p].address + uint64_t{y} * op_.planes[p].line_stride +
                            uint64_t{op_.x_offset[p]} * pixel;
      if (!memory.read(from, {raw_[p].data() + y * raw_line_[p], raw_line_[p]})) return false;
    }
  }
  return true;
}

void InputLines::convert_image_line(uint32_t y, int8_t* out) const {
  const uint32_t channels = op_.channels;
  std::fill_n(out, size_t{op_.pad_left} * channels, op_.pad_value);
  out += size_t{op_.pad_left} * channels;
  for (unsigned c = 0; c < channels; ++c) {
    const unsigned plane = op_.format.planes == 2 && c > 0 ? 1 : 0;
    const uint32_t pixel = op_.format.pixel_bytes(plane);
    const uint8_t* in = raw_[plane].data() + y * raw_line_[plane] + op_.format.byte[c];
    for (uint32_t x = 0; x < op_.width; ++x) {
      const uint8_t byte = in[size_t{x} * pixel];
      const int32_t value = op_.signed_pixels ? static_cast<int8_t>(byte) : byte;
      out[size_t{x} * channels + c] = convert(op_.convertor, value, c);
    }
  }
  std::fill_n(out + size_t{op_.width} * channels, size_t{op_.pad_right} * channels, op_.pad_value);
}

void InputLines::convert_all() {
  converted_.resize(line_bytes_ * op_.height);
  if (op_.cbuf.image) {
    for (uint32_t y = 0; y < op_.height; ++y)
      convert_image_line(y, converted_.data() + y * line_bytes_);
  } else {
    std::transform(raw_[0].begin(), raw_[0].end(), converted_.begin(), [this](uint8_t byte) {
      return convert(op_.convertor, static_cast<int8_t>(byte), 0);
    });
  }
  for (std::vector<uint8_t>& raw : raw_) raw = {};
}

std::span<const int8_t> InputLines::line(uint32_t y) {
  if (converted_.empty()) convert_all();
  return {converted_.data() + y * line_bytes_, line_bytes_};
}

// Piece by piece: a size that memory does not back costs no room here.
Result<std::vector<int8_t>> capture_weights(const CdmaOp& op, Memory& memory, bool function) {
  constexpr uint64_t kPieceBytes = uint64_t{1} << 20;
  const auto missing = [&op] {
    return Error{"cdma.weight_unmapped", "CDMA",
                 fmt::format("the {} weight bytes at {:#x} are not all in memory", op.weight_bytes,
                             op.weight_address)};
  };
  std::vector<int8_t> bytes;
  if (!function) {
    const Footprint all{op.weight_ram, op.weight_address, op.weight_bytes};
    if (mapping(all, memory) != Mapping::kMapped) return missing();
    return bytes;
  }
  for (uint64_t at = 0; at < op.weight_bytes; at = bytes.size()) {
    bytes.resize(std::min(op.weight_bytes, at + kPieceBytes));
    if (!memory.read(op.weight_address + at,
                     {reinterpret_cast<uint8_t*>(bytes.data()) + at, bytes.size() - at}))
      return missing();
  }
  return bytes;
}

}  // namespace dlavp::conv
