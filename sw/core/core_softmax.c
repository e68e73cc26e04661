/* Softmax of int8 values: there are 256 stored values, so each power, and in a long part each
 * result, is computed once. What is left are two look-ups a value. */
#include "core_softmax.h"

#include <string.h>

#include "core_math.h"

/* Powers of e relative to the largest value that int8 has need no pass over the values, as long as
 * the smallest of them is a normal number. */
static const double kLargestFixedScale = 2;
/* Shorter parts compute a result for each value rather than for each of the 256. */
enum { TABLE_FROM = 64 };

static void fill_powers(Softmax* s, int32_t reference) {
  s->reference = reference;
  const uint32_t first = (uint8_t)reference;
  double power = 1;
  /* Downwards as bytes; behind the byte 0 comes 255. */
  for (uint32_t q = first + 1; q-- > 0; power *= s->step) s->power[q] = power;
  for (uint32_t q = SOFTMAX_VALUES; q-- > first + 1; power *= s->step) s->power[q] = power;
}

void softmax_open(Softmax* s, double in_scale, double out_scale, bool logarithm,
                  int32_t zero_point) {
  s->in_scale = in_scale;
  s->out_scale = out_scale;
  s->logarithm = logarithm;
  s->zero_point = zero_point;
  s->step = emu_exp(-in_scale);
  fill_powers(s, INT8_MAX);
}

static uint32_t run_at(const SoftmaxPart* p, uint32_t done) {
  return p->count - done < p->run ? p->count - done : p->run;
}

static int32_t largest_of(const SoftmaxPart* p) {
  const uint8_t* q = p->in;
  int32_t largest = INT8_MIN;
  for (uint32_t done = 0; done < p->count; done += p->run, q += p->in_step)
    for (uint32_t i = 0; i < run_at(p, done); ++i)
      if ((int8_t)q[i] > largest) largest = (int8_t)q[i];
  return largest;
}

/* In the order of the values. */
static double sum_of(const double* power, const SoftmaxPart* p) {
  const uint8_t* from = p->in;
  double sum = 0;
  for (uint32_t done = 0; done < p->count; done += p->run, from += p->in_step) {
    const uint8_t* q = from;
    uint32_t left = run_at(p, done);
    for (; left >= 8; left -= 8, q += 8) {
      sum += power[q[0]];
      sum += power[q[1]];
      sum += power[q[2]];
      sum += power[q[3]];
      sum += power[q[4]];
      sum += power[q[5]];
      sum += power[q[6]];
      sum += power[q[7]];
    }
    for (; left; --left) sum += power[*q++];
  }
  return sum;
}

/* The nearest step, ties away from zero, from the zero point on. */
static uint8_t stored(const Softmax* s, double steps) {
  const double most = 512; /* beyond any int8 value, whatever the zero point */
  if (steps != steps) steps = 0;
  if (steps > most) steps = most;
  if (steps < -most) steps = -most;
  const int32_t q = s->zero_point + (int32_t)(steps < 0 ? steps - 0.5 : steps + 0.5);
  return (uint8_t)(q < INT8_MIN ? INT8_MIN : q > INT8_MAX ? INT8_MAX : q);
}

/* factor: 1 / (sum x output scale); of a logarithm the sum's. */
static uint8_t result_of(const Softmax* s, uint8_t q, double factor) {
  if (!s->logarithm) return stored(s, s->power[q] * factor);
  return stored(s, (((int8_t)q - s->reference) * s->in_scale - factor) / s->out_scale);
}

static void fill_results(const Softmax* s, double factor, uint8_t* result) {
  if (s->logarithm) {
    for (uint32_t q = 0; q < SOFTMAX_VALUES; ++q) result[q] = result_of(s, (uint8_t)q, factor);
    return;
  }
  /* They fall with the value: behind the first zero all are zero. */
  memset(result, (uint8_t)s->zero_point, SOFTMAX_VALUES);
  const double most = INT8_MAX - s->zero_point;
  for (int32_t d = 0; d < SOFTMAX_VALUES; ++d) {
    const uint8_t q = (uint8_t)(s->reference - d);
    const double steps = s->power[q] * factor + 0.5;
    if (steps < 1) break;
    result[q] = (uint8_t)(steps >= most ? INT8_MAX : s->zero_point + (int32_t)steps);
  }
}

static void store_from_table(const uint8_t* result, const SoftmaxPart* p) {
  const uint8_t* from = p->in;
  uint8_t* to = p->out;
  for (uint32_t done = 0; done < p->count; done += p->run, from += p->in_step, to += p->out_step) {
    const uint8_t* q = from;
    uint8_t* r = to;
    uint32_t left = run_at(p, done);
    for (; left >= 8; left -= 8, q += 8, r += 8) {
      const uint8_t a = result[q[0]], b = result[q[1]], c = result[q[2]], d = result[q[3]];
      const uint8_t e = result[q[4]], f = result[q[5]], g = result[q[6]], h = result[q[7]];
      r[0] = a, r[1] = b, r[2] = c, r[3] = d;
      r[4] = e, r[5] = f, r[6] = g, r[7] = h;
    }
    for (; left; --left) *r++ = result[*q++];
  }
}

void softmax_part(Softmax* s, const SoftmaxPart* part) {
  SoftmaxPart p = *part;
  if (p.in_step == p.run && p.out_step == p.run) p.run = p.count; /* one pixel: nothing between */
  if (s->in_scale > kLargestFixedScale) fill_powers(s, largest_of(&p));
  const double sum = sum_of(s->power, &p);
  const double factor = s->logarithm ? emu_log(sum) : 1 / (sum * s->out_scale);
  if (p.count >= TABLE_FROM) {
    uint8_t result[SOFTMAX_VALUES];
    fill_results(s, factor, result);
    store_from_table(result, &p);
    return;
  }
  const uint8_t* from = p.in;
  uint8_t* to = p.out;
  for (uint32_t done = 0; done < p.count; done += p.run, from += p.in_step, to += p.out_step)
    for (uint32_t i = 0; i < run_at(&p, done); ++i) to[i] = result_of(s, from[i], factor);
}
