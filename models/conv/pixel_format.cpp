// The table of pixel formats, one line a code of CDMA.D_DATAIN_FORMAT.PIXEL_FORMAT. Hardware
// manual: "Pixel Format". A name lists the channels from the most to the least significant byte.
#include "models/conv/pixel_format.hpp"

#include "registers.hpp"

namespace dlavp::conv {

namespace {

namespace r = regs::cdma;

constexpr PixelFormat wide(std::string_view name) { return {name, false, 1, 0, {}}; }
constexpr PixelFormat packed(std::string_view name, std::array<uint8_t, 4> bytes) {
  return {name, true, 1, 4, bytes};
}
constexpr PixelFormat semi_planar(std::string_view name, uint8_t u, uint8_t v) {
  return {name, true, 2, 3, {0, u, v, 0}};
}

struct Row {
  uint32_t code;
  PixelFormat format;
};

constexpr Row kFormats[] = {
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R8, PixelFormat{"T_R8", true, 1, 1, {0, 0, 0, 0}}},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R10, wide("T_R10")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R12, wide("T_R12")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R16, wide("T_R16")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R16_I, wide("T_R16_I")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R16_F, wide("T_R16_F")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A16B16G16R16, wide("T_A16B16G16R16")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_X16B16G16R16, wide("T_X16B16G16R16")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A16B16G16R16_F, wide("T_A16B16G16R16_F")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A16Y16U16V16, wide("T_A16Y16U16V16")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_V16U16Y16A16, wide("T_V16U16Y16A16")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A16Y16U16V16_F, wide("T_A16Y16U16V16_F")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A8B8G8R8, packed("T_A8B8G8R8", {0, 1, 2, 3})},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A8R8G8B8, packed("T_A8R8G8B8", {2, 1, 0, 3})},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_B8G8R8A8, packed("T_B8G8R8A8", {1, 2, 3, 0})},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R8G8B8A8, packed("T_R8G8B8A8", {3, 2, 1, 0})},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_X8B8G8R8, packed("T_X8B8G8R8", {0, 1, 2, 3})},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_X8R8G8B8, packed("T_X8R8G8B8", {2, 1, 0, 3})},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_B8G8R8X8, packed("T_B8G8R8X8", {1, 2, 3, 0})},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R8G8B8X8, packed("T_R8G8B8X8", {3, 2, 1, 0})},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A2B10G10R10, wide("T_A2B10G10R10")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A2R10G10B10, wide("T_A2R10G10B10")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_B10G10R10A2, wide("T_B10G10R10A2")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_R10G10B10A2, wide("T_R10G10B10A2")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A2Y10U10V10, wide("T_A2Y10U10V10")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_V10U10Y10A2, wide("T_V10U10Y10A2")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_A8Y8U8V8, packed("T_A8Y8U8V8", {2, 1, 0, 3})},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_V8U8Y8A8, packed("T_V8U8Y8A8", {1, 2, 3, 0})},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_Y8___U8V8_N444, semi_planar("T_Y8___U8V8_N444", 1, 0)},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_Y8___V8U8_N444, semi_planar("T_Y8___V8U8_N444", 0, 1)},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_Y10___U10V10_N444, wide("T_Y10___U10V10_N444")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_Y10___V10U10_N444, wide("T_Y10___V10U10_N444")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_Y12___U12V12_N444, wide("T_Y12___U12V12_N444")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_Y12___V12U12_N444, wide("T_Y12___V12U12_N444")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_Y16___U16V16_N444, wide("T_Y16___U16V16_N444")},
    {r::D_DATAIN_FORMAT_PIXEL_FORMAT_T_Y16___V16U16_N444, wide("T_Y16___V16U16_N444")},
};

}  // namespace

std::optional<PixelFormat> pixel_format(uint32_t code) {
  for (const Row& row : kFormats) {
    if (row.code == code) return row.format;
  }
  return std::nullopt;
}

}  // namespace dlavp::conv
