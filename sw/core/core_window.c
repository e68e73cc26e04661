/* Kernels over windows: normalisation across neighbouring channels, pooling of any window. */
#include "core.h"

bool core_lrn_check(const CoreCall* call) {
  if (!core_expect(call, 1, 2, 3, 0) || !core_expect_types(call, CORE_INT8)) return false;
  if (call->params[0] < 1 || call->params[0] > 1 << 16)
    return fw_fail(call->error, FW_E_EMU, "core layer lrn: size %d", (int)call->params[0]);
  if (core_same_size(&call->inputs[0], &call->outputs[0])) return true;
  return fw_fail(call->error, FW_E_EMU, "core layer lrn: input and output differ in size");
}

static int64_t squares_at(const CoreTensor* in, uint32_t c, uint32_t h, uint32_t w) {
  const int32_t q = core_int8(in, c, h, w);
  return q * q;
}

/* Positions [first, end) of a window around `at`; an even size has one position more behind. */
static void around(uint32_t at, uint32_t window, uint32_t size, uint32_t* first, uint32_t* end) {
  const uint32_t before = (window - 1) / 2, after = window / 2;
  *first = at < before ? 0 : at - before;
  *end = size - at > after ? at + after + 1 : size;
}

/* Parameters: size, within (of a channel: size x size pixels; else size channels). Reals: alpha /
 * elements of the window, beta, k. */
void core_lrn_run(const CoreCall* call) {
  const CoreTensor *in = &call->inputs[0], *out = &call->outputs[0];
  const uint32_t size = (uint32_t)call->params[0];
  const bool within = call->params[1] != 0;
  const double alpha = call->reals[0] * in->scale * in->scale, beta = call->reals[1],
               k = call->reals[2];
  for (uint32_t c = 0; c < in->size[0]; ++c)
    for (uint32_t h = 0; h < in->size[1]; ++h)
      for (uint32_t w = 0; w < in->size[2]; ++w) {
        uint32_t first[CORE_AXES] = {c, h, w}, end[CORE_AXES] = {c + 1, h + 1, w + 1};
        const uint32_t at[CORE_AXES] = {c, h, w};
        for (unsigned a = 0; a < CORE_AXES; ++a)
          if ((a != CORE_AXIS_C) == within) around(at[a], size, in->size[a], &first[a], &end[a]);
        int64_t squares = 0;
        for (uint32_t i = first[0]; i < end[0]; ++i)
          for (uint32_t y = first[1]; y < end[1]; ++y)
            for (uint32_t x = first[2]; x < end[2]; ++x) squares += squares_at(in, i, y, x);
        const double value = core_int8(in, c, h, w) * in->scale;
        const double result = value * core_pow(k + alpha * (double)squares, -beta);
        *core_at(out, c, h, w) = (uint8_t)core_to_int8(result / out->scale);
      }
}

enum { POOL_MAX = 0, POOL_AVERAGE = 1, POOL_PARAMS = 13 };

typedef struct {
  int32_t kind, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, top, left, bottom,
      right, count_padding, pad_value;
} Window;

bool core_pool_check(const CoreCall* call) {
  enum { MOST = 1 << 16 };
  if (!core_expect(call, 1, POOL_PARAMS, 0, 0) || !core_expect_types(call, CORE_INT8)) return false;
  const Window* v = (const Window*)call->params;
  const CoreTensor *in = &call->inputs[0], *out = &call->outputs[0];
  for (unsigned i = 1; i < POOL_PARAMS - 1; ++i)
    if (call->params[i] < (i < 7 ? 1 : 0) || call->params[i] > MOST)
      return fw_fail(call->error, FW_E_EMU, "core layer pool: parameter %u is %d", i,
                     (int)call->params[i]);
  if (v->pad_value < INT8_MIN || v->pad_value > INT8_MAX)
    return fw_fail(call->error, FW_E_EMU, "core layer pool: pad value %d", (int)v->pad_value);
  if (v->kind != POOL_MAX && v->kind != POOL_AVERAGE)
    return fw_fail(call->error, FW_E_EMU, "core layer pool: kind %d", (int)v->kind);
  if (in->size[0] != out->size[0])
    return fw_fail(call->error, FW_E_EMU, "core layer pool: %u channels to %u",
                   (unsigned)in->size[0], (unsigned)out->size[0]);
  return true;
}

/* Positions of one window on one axis: those inside of the input, those inside of the padding. */
typedef struct {
  int64_t first, end; /* kernel positions with input */
  int64_t counted;
} Span;

static Span span(int64_t start, int64_t kernel, int64_t dilation, int64_t size, int64_t padding) {
  Span s = {0, kernel, 0};
  while (s.first < kernel && start + s.first * dilation < 0) ++s.first;
  while (s.end > s.first && start + (s.end - 1) * dilation >= size) --s.end;
  for (int64_t i = 0; i < kernel; ++i) s.counted += start + i * dilation < size + padding;
  return s;
}

/* Average: the sum divided by the number of elements (or of positions in the padded input, each of
 * the pad value), nearest with ties away from zero. A window without any element gives that value. */
static uint8_t pool_at(const Window* v, const CoreTensor* in, uint32_t c, int64_t y, int64_t x) {
  const Span rows = span(y, v->kernel_h, v->dilation_h, in->size[1], v->bottom);
  const Span columns = span(x, v->kernel_w, v->dilation_w, in->size[2], v->right);
  int64_t sum = 0;
  int32_t largest = INT8_MIN;
  for (int64_t r = rows.first; r < rows.end; ++r)
    for (int64_t s = columns.first; s < columns.end; ++s) {
      const int32_t q =
          core_int8(in, c, (uint32_t)(y + r * v->dilation_h), (uint32_t)(x + s * v->dilation_w));
      sum += q;
      if (q > largest) largest = q;
    }
  const int64_t inside = (rows.end - rows.first) * (columns.end - columns.first);
  if (inside == 0) return (uint8_t)v->pad_value;
  if (v->kind == POOL_MAX) return (uint8_t)largest;
  const int64_t count = v->count_padding ? rows.counted * columns.counted : inside;
  sum += (count - inside) * v->pad_value;
  return (uint8_t)(sum < 0 ? -((count - 2 * sum) / (2 * count)) : (count + 2 * sum) / (2 * count));
}

void core_pool_run(const CoreCall* call) {
  const CoreTensor *in = &call->inputs[0], *out = &call->outputs[0];
  const Window* v = (const Window*)call->params;
  for (uint32_t c = 0; c < out->size[0]; ++c)
    for (uint32_t h = 0; h < out->size[1]; ++h)
      for (uint32_t w = 0; w < out->size[2]; ++w)
        *core_at(out, c, h, w) = pool_at(v, in, c, (int64_t)h * v->stride_h - v->top,
                                         (int64_t)w * v->stride_w - v->left);
}
