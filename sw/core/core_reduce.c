/* Kernels over axes: sums and extremes, normalisation, softmax, the place of the largest. */
#include <string.h>

#include "core.h"
#include "core_softmax.h"

enum { REDUCE_SUM = 0, REDUCE_MAX = 1, REDUCE_MIN = 2, REDUCE_ROOT = 3, REDUCE_PRODUCT = 4 };

/* The part of a tensor that one result comes from: all of the axes in `mask`, one position of the
 * others. */
typedef struct {
  uint32_t first[CORE_AXES], end[CORE_AXES];
} Part;

static Part part_at(const CoreTensor* t, uint32_t mask, uint32_t c, uint32_t h, uint32_t w) {
  const uint32_t at[CORE_AXES] = {c, h, w};
  Part p;
  for (unsigned a = 0; a < CORE_AXES; ++a) {
    p.first[a] = mask >> a & 1 ? 0 : at[a];
    p.end[a] = mask >> a & 1 ? t->size[a] : at[a] + 1;
  }
  return p;
}

#define FOR_PART(p, c, h, w)                             \
  for (uint32_t c = (p).first[0]; c < (p).end[0]; ++c)   \
    for (uint32_t h = (p).first[1]; h < (p).end[1]; ++h) \
      for (uint32_t w = (p).first[2]; w < (p).end[2]; ++w)

/* Each position of the axes that are not in `mask`. */
#define FOR_OTHERS(t, mask, c, h, w)                                    \
  for (uint32_t c = 0; c < ((mask)&1 ? 1 : (t)->size[0]); ++c)          \
    for (uint32_t h = 0; h < ((mask) >> 1 & 1 ? 1 : (t)->size[1]); ++h) \
      for (uint32_t w = 0; w < ((mask) >> 2 & 1 ? 1 : (t)->size[2]); ++w)

static bool check_mask(const CoreCall* call, int32_t mask) {
  if (mask >= 1 && mask <= 7) return true;
  return fw_fail(call->error, FW_E_EMU, "core layer %s: axes %d, expected 1 to 7", call->name,
                 (int)mask);
}

static bool check_reduced(const CoreCall* call, uint32_t mask) {
  const CoreTensor *in = &call->inputs[0], *out = &call->outputs[0];
  for (unsigned a = 0; a < CORE_AXES; ++a) {
    const uint32_t expected = mask >> a & 1 ? 1 : in->size[a];
    if (out->size[a] != expected)
      return fw_fail(call->error, FW_E_EMU, "core layer %s: output size %u on axis %u, expected %u",
                     call->name, (unsigned)out->size[a], a, (unsigned)expected);
  }
  return true;
}

bool core_reduce_check(const CoreCall* call) {
  if (!core_expect(call, 1, 2, 1, 0) || !core_expect_types(call, CORE_INT8) ||
      !check_mask(call, call->params[1]))
    return false;
  if (call->params[0] < REDUCE_SUM || call->params[0] > REDUCE_PRODUCT)
    return fw_fail(call->error, FW_E_EMU, "core layer reduce: kind %d", (int)call->params[0]);
  return check_reduced(call, (uint32_t)call->params[1]);
}

/* Sum (of squares: its root), largest, smallest, or product of the real values; times the real. */
static double reduce_part(const CoreTensor* in, const Part* p, int32_t kind) {
  int64_t sum = 0;
  int32_t largest = INT8_MIN, smallest = INT8_MAX;
  double product = 1;
  FOR_PART(*p, c, h, w) {
    const int32_t q = core_int8(in, c, h, w);
    sum += kind == REDUCE_ROOT ? q * q : q;
    if (q > largest) largest = q;
    if (q < smallest) smallest = q;
    if (kind == REDUCE_PRODUCT) product = product * (q * in->scale);
  }
  switch (kind) {
    case REDUCE_MAX:
      return largest;
    case REDUCE_MIN:
      return smallest;
    case REDUCE_ROOT:
      return __builtin_sqrt((double)sum);
    case REDUCE_PRODUCT:
      return product;
    default:
      return (double)sum;
  }
}

void core_reduce_run(const CoreCall* call) {
  const CoreTensor *in = &call->inputs[0], *out = &call->outputs[0];
  const uint32_t mask = (uint32_t)call->params[1];
  FOR_OTHERS(in, mask, c, h, w) {
    const Part p = part_at(in, mask, c, h, w);
    const double result = reduce_part(in, &p, call->params[0]);
    *core_at(out, c, h, w) = (uint8_t)core_to_int8(result * call->reals[0]);
  }
}

/* Parameters: axes, groups of channels (1, or with the channel axis any number that divides them).
 * Reals: epsilon, a factor for each channel, a shift for each channel. */
bool core_normalise_check(const CoreCall* call) {
  const CoreTensor *in = &call->inputs[0], *out = &call->outputs[0];
  if (!core_expect(call, 1, 2, 1 + 2 * (uint64_t)in->size[0], 0) ||
      !core_expect_types(call, CORE_INT8) || !check_mask(call, call->params[0]))
    return false;
  const int32_t groups = call->params[1];
  if (groups < 1 || in->size[0] % (uint32_t)groups || (groups > 1 && !(call->params[0] & 1)))
    return fw_fail(call->error, FW_E_EMU, "core layer normalise: %d groups of %u channels",
                   (int)groups, (unsigned)in->size[0]);
  if (core_same_size(in, out)) return true;
  return fw_fail(call->error, FW_E_EMU, "core layer normalise: input and output differ in size");
}

static void normalise_part(const CoreCall* call, const Part* p) {
  const CoreTensor *in = &call->inputs[0], *out = &call->outputs[0];
  const double *gamma = call->reals + 1, *beta = gamma + in->size[0];
  int64_t sum = 0, squares = 0;
  uint64_t count = 0;
  FOR_PART(*p, c, h, w) {
    const int32_t q = core_int8(in, c, h, w);
    sum += q;
    squares += q * q;
    ++count;
  }
  const double mean = (double)sum / (double)count;
  const double variance = (double)squares / (double)count - mean * mean;
  const double step = in->scale / __builtin_sqrt(variance * in->scale * in->scale + call->reals[0]);
  FOR_PART(*p, c, h, w) {
    const double normal = ((double)core_int8(in, c, h, w) - mean) * step;
    *core_at(out, c, h, w) = (uint8_t)core_to_int8((normal * gamma[c] + beta[c]) / out->scale);
  }
}

void core_normalise_run(const CoreCall* call) {
  const CoreTensor* in = &call->inputs[0];
  const uint32_t mask = (uint32_t)call->params[0], groups = (uint32_t)call->params[1];
  const uint32_t channels = in->size[0] / groups;
  FOR_OTHERS(in, mask, c, h, w) {
    Part p = part_at(in, mask, c, h, w);
    if (!(mask & 1)) {
      normalise_part(call, &p);
      continue;
    }
    for (uint32_t g = 0; g < groups; ++g) {
      p.first[0] = g * channels;
      p.end[0] = p.first[0] + channels;
      normalise_part(call, &p);
    }
  }
}

static bool check_axis(const CoreCall* call, uint32_t output) {
  if (!core_expect(call, 1, 3, 0, 0) || !core_expect_types(call, output)) return false;
  if (call->params[0] >= 0 && call->params[0] < CORE_AXES) return true;
  return fw_fail(call->error, FW_E_EMU, "core layer %s: axis %d, expected 0 to 2", call->name,
                 (int)call->params[0]);
}

bool core_softmax_check(const CoreCall* call) {
  if (!check_axis(call, CORE_INT8)) return false;
  if (call->params[2] < INT8_MIN || call->params[2] > INT8_MAX)
    return fw_fail(call->error, FW_E_EMU, "core layer softmax: zero point %d",
                   (int)call->params[2]);
  if (core_same_size(&call->inputs[0], &call->outputs[0]) &&
      call->inputs[0].atom == call->outputs[0].atom)
    return true;
  return fw_fail(call->error, FW_E_EMU, "core layer softmax: input and output differ in size");
}

void core_softmax_run(const CoreCall* call) {
  const CoreTensor *in = &call->inputs[0], *out = &call->outputs[0];
  const uint32_t axis = (uint32_t)call->params[0];
  const uint32_t from_step[CORE_AXES] = {in->surface_stride, in->line_stride, in->atom};
  const uint32_t to_step[CORE_AXES] = {out->surface_stride, out->line_stride, out->atom};
  SoftmaxPart part = {
      0, 0, in->size[axis], axis == CORE_AXIS_C ? in->atom : 1, from_step[axis], to_step[axis]};
  Softmax softmax;
  softmax_open(&softmax, in->scale, out->scale, call->params[1] != 0, call->params[2]);
  FOR_OTHERS(in, 1u << axis, c, h, w) {
    part.in = core_at(in, c, h, w);
    part.out = core_at(out, c, h, w);
    softmax_part(&softmax, &part);
  }
}

bool core_argument_check(const CoreCall* call) {
  return check_axis(call, CORE_INT32) && check_reduced(call, 1u << call->params[0]);
}

/* The place of the largest (parameter 2: smallest) value on an axis; of equal ones the first, or
 * (parameter 1) the last. */
void core_argument_run(const CoreCall* call) {
  const CoreTensor *in = &call->inputs[0], *out = &call->outputs[0];
  const uint32_t mask = 1u << call->params[0];
  const bool last = call->params[1] != 0;
  FOR_OTHERS(in, mask, c, h, w) {
    const Part p = part_at(in, mask, c, h, w);
    int32_t largest = INT16_MIN, at = 0, i = 0;
    FOR_PART(p, pc, ph, pw) {
      const int32_t q = call->params[2] ? -core_int8(in, pc, ph, pw) : core_int8(in, pc, ph, pw);
      if (q > largest || (last && q == largest)) {
        largest = q;
        at = i;
      }
      ++i;
    }
    memcpy(core_at(out, c, h, w), &at, sizeof at);
  }
}
