/* Softmax and power on the core. */
#include "emu.h"

#include <string.h>

#include "core_run.h"
#include "core_softmax.h"

/* Formats of a CPU buffer; half floats lie in atoms of 32 bytes. */
enum { FORMAT_INT8_ATOM32 = 0, FORMAT_INT8_ATOM8 = 1, FORMAT_FP16 = 3 };

typedef struct {
  const DlaEmuBuffer* buffer;
  uint8_t* bytes;
  uint32_t atom, element;
  uint32_t lane_bits; /* log2 of the elements in an atom */
} Tensor;

static uint8_t* element_at(const Tensor* t, uint32_t w, uint32_t h, uint32_t c) {
  const uint32_t lane = c & ((1u << t->lane_bits) - 1);
  return t->bytes + (uint64_t)(c >> t->lane_bits) * t->buffer->surf_stride +
         (uint64_t)h * t->buffer->line_stride + (uint64_t)w * t->atom + lane * t->element;
}

static float half_to_float(uint16_t h) {
  const uint32_t exponent = h >> 10 & 31, fraction = h & 1023;
  float magnitude;
  if (exponent == 0) {
    magnitude = (float)fraction / 16777216.0f;
  } else {
    const uint32_t bits = (exponent == 31 ? 255u : exponent + 112u) << 23 | fraction << 13;
    memcpy(&magnitude, &bits, sizeof magnitude);
  }
  return h & 0x8000 ? -magnitude : magnitude;
}

static uint16_t float_to_half(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  bits &= 0x7fffffff;
  if (bits > 0x7f800000) return sign | 0x7e00;
  if (bits >= 0x477ff000) return sign | 0x7c00; /* 65520 and above round to infinity */
  if (bits < 0x38800000) { /* below the smallest normal number: steps of 2^-24 */
    float magnitude;
    memcpy(&magnitude, &bits, sizeof magnitude);
    const float steps = magnitude * 16777216.0f;
    uint32_t whole = (uint32_t)steps;
    const float rest = steps - (float)whole;
    whole += rest > 0.5f || (rest == 0.5f && (whole & 1));
    return (uint16_t)(sign | whole);
  }
  bits += 0xfff + (bits >> 13 & 1);
  return (uint16_t)(sign | ((bits >> 13) - (112u << 10)));
}

static double load(const Tensor* t, uint32_t w, uint32_t h, uint32_t c, double scale) {
  const uint8_t* at = element_at(t, w, h, c);
  return t->element == 1 ? (int8_t)*at * scale : half_to_float((uint16_t)(at[0] | at[1] << 8));
}

static void store(const Tensor* t, uint32_t w, uint32_t h, uint32_t c, double value, double scale) {
  uint8_t* at = element_at(t, w, h, c);
  if (t->element == 1) {
    *at = (uint8_t)emu_to_int8(value / scale);
    return;
  }
  const uint16_t half = float_to_half((float)value);
  at[0] = (uint8_t)half;
  at[1] = (uint8_t)(half >> 8);
}

static bool open_tensor(const Task* task, const DlaEmuBuffer* b, const char* what, Tensor* out,
                        FwError* error) {
  out->buffer = b;
  out->atom = b->format == FORMAT_INT8_ATOM8 ? 8 : 32;
  out->element = b->format == FORMAT_FP16 ? 2 : 1;
  out->lane_bits = b->format == FORMAT_INT8_ATOM8 ? 3 : b->format == FORMAT_FP16 ? 4 : 5;
  if (b->format != FORMAT_INT8_ATOM32 && b->format != FORMAT_INT8_ATOM8 && b->format != FORMAT_FP16)
    return fw_fail(error, FW_E_EMU, "%s: format %u, expected 0, 1 or 3", what, (unsigned)b->format);
  if (b->width == 0 || b->width > 8192 || b->height == 0 || b->height > 8192 || b->channel == 0 ||
      b->channel > 8192)
    return fw_fail(error, FW_E_EMU, "%s: %u x %u x %u, expected 1 to 8192 each", what,
                   (unsigned)b->width, (unsigned)b->height, (unsigned)b->channel);
  const uint32_t lanes = out->atom / out->element;
  const uint32_t last = (uint32_t)(b->channel - 1) % lanes + 1;
  const uint64_t extent = (uint64_t)((b->channel - 1) / lanes) * b->surf_stride +
                          (uint64_t)(b->height - 1) * b->line_stride +
                          (uint64_t)(b->width - 1) * out->atom + (uint64_t)last * out->element;
  return task_bytes(task, b->address, b->offset, extent, what, &out->bytes, error);
}

/* Softmax over the channels of one pixel. Each exponential is computed twice rather than stored;
 * its largest argument is 0. */
static void softmax_pixel(const Tensor* in, const Tensor* out, uint32_t w, uint32_t h,
                          double in_scale, double out_scale) {
  const uint32_t channels = in->buffer->channel;
  double largest = load(in, w, h, 0, in_scale), sum = 0;
  for (uint32_t c = 1; c < channels; ++c) {
    const double x = load(in, w, h, c, in_scale);
    if (x > largest) largest = x;
  }
  for (uint32_t c = 0; c < channels; ++c) sum += emu_exp(load(in, w, h, c, in_scale) - largest);
  for (uint32_t c = 0; c < channels; ++c)
    store(out, w, h, c, emu_exp(load(in, w, h, c, in_scale) - largest) / sum, out_scale);
}

static void softmax_int8(const Tensor* in, const Tensor* out, double in_scale, double out_scale) {
  const DlaEmuBuffer* b = in->buffer;
  Softmax softmax;
  softmax_open(&softmax, in_scale, out_scale, false, 0);
  for (uint32_t h = 0; h < b->height; ++h)
    for (uint32_t w = 0; w < b->width; ++w) {
      const SoftmaxPart part = {
          element_at(in, w, h, 0), element_at(out, w, h, 0), b->channel, in->atom,
          b->surf_stride,          out->buffer->surf_stride};
      softmax_part(&softmax, &part);
    }
}

static void softmax(const Tensor* in, const Tensor* out, double in_scale, double out_scale) {
  const DlaEmuBuffer* b = in->buffer;
  if (in->element == 1) {
    softmax_int8(in, out, in_scale, out_scale);
    return;
  }
  for (uint32_t h = 0; h < b->height; ++h)
    for (uint32_t w = 0; w < b->width; ++w) softmax_pixel(in, out, w, h, in_scale, out_scale);
}

static void power(const Tensor* in, const Tensor* out, const DlaEmuOp* op) {
  const DlaEmuBuffer* b = in->buffer;
  for (uint32_t c = 0; c < b->channel; ++c)
    for (uint32_t h = 0; h < b->height; ++h)
      for (uint32_t w = 0; w < b->width; ++w) {
        const double x = load(in, w, h, c, op->input_scale_factor);
        store(out, w, h, c, emu_pow(op->u.power.shift + op->u.power.scale * x, op->u.power.power),
              op->output_scale_factor);
      }
}

bool emu_operation(const Task* task, uint32_t index, bool apply, FwError* error) {
  DlaEmuOp op;
  DlaEmuBuffer src = {0}, dst = {0};
  memcpy(&op, task->emu_operations + (size_t)index * sizeof op, sizeof op);
  const uint8_t* buffers = task->emu_buffers + (size_t)index * sizeof(DlaEmuBuffers);
  memcpy(&src, buffers, offsetof(DlaEmuBuffer, padding));
  memcpy(&dst, buffers + sizeof src, offsetof(DlaEmuBuffer, padding));
  Tensor in, out;
  if (op.op_type == DLA_EMU_CORE) return core_operation(task, &op, apply, error);
  if (op.op_type != DLA_EMU_SOFTMAX && op.op_type != DLA_EMU_POWER)
    return fw_fail(error, FW_E_EMU, "CPU operation type %u, expected 0, 1 or 64",
                   (unsigned)op.op_type);
  if (!open_tensor(task, &src, "CPU input", &in, error) ||
      !open_tensor(task, &dst, "CPU output", &out, error))
    return false;
  if (src.format != dst.format || src.width != dst.width || src.height != dst.height ||
      src.channel != dst.channel)
    return fw_fail(
        error, FW_E_EMU, "CPU operation: input %ux%ux%u of format %u, output %ux%ux%u of format %u",
        (unsigned)src.width, (unsigned)src.height, (unsigned)src.channel, (unsigned)src.format,
        (unsigned)dst.width, (unsigned)dst.height, (unsigned)dst.channel, (unsigned)dst.format);
  if (in.element == 1 && !(op.output_scale_factor > 0 && op.input_scale_factor > 0))
    return fw_fail(error, FW_E_EMU, "CPU operation: a scale factor is not positive");
  if (!apply) return true;
  if (op.op_type == DLA_EMU_SOFTMAX)
    softmax(&in, &out, op.input_scale_factor, op.output_scale_factor);
  else
    power(&in, &out, &op);
  return true;
}
