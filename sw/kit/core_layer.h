/* What a layer that runs on the core is: a C function over tensors, and a check of what it is
 * given. The firmware's own kernels and layers that a user adds (docs/custom_layers.md) are the
 * same. The source is compiled twice: for the core, with int8 tensors; for the machine that the
 * compiler runs on, with int8 tensors (the interpreter) and with real ones (calibration).
 * Arithmetic with
 * + - * / and square root, and the functions below, gives the same bytes on both. */
#ifndef DLAVP_SW_KIT_CORE_LAYER_H
#define DLAVP_SW_KIT_CORE_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Axes, as parameters name them, and as bits of a mask (1 << axis). */
enum { CORE_AXIS_C = 0, CORE_AXIS_H = 1, CORE_AXIS_W = 2, CORE_AXES = 3 };
/* CoreTensor.element: bytes of an element. Real ones (double) exist on the host only. */
enum { CORE_INT8 = 1, CORE_INT32 = 4, CORE_REAL = 8 };
enum { CORE_MAX_TENSORS = 64, CORE_NAME_BYTES = 32 };

/* Real value = scale x stored value; real elements have scale 1. */
typedef struct {
  uint8_t* bytes;
  uint32_t size[CORE_AXES]; /* channels, height, width */
  uint32_t line_stride, surface_stride, atom;
  uint32_t element;   /* CORE_INT8, CORE_INT32, CORE_REAL */
  uint32_t lane_bits; /* log2 of the elements of an atom */
  double scale;
} CoreTensor;

struct FwError;

typedef struct {
  const char* name; /* of the layer */
  uint32_t num_inputs, num_outputs;
  const CoreTensor* inputs;
  const CoreTensor* outputs;
  const double* reals;
  const int32_t* params;
  const uint8_t* table;
  uint32_t num_reals, num_params, table_bytes;
  struct FwError* error;
} CoreCall;

/* `check` says (with core_fail) what is wrong with sizes and parameters, before anything runs; it
 * may be 0. `run` computes. */
typedef struct {
  const char* name;
  bool (*check)(const CoreCall* call);
  void (*run)(const CoreCall* call);
} CoreKernel;

/* Registers a layer under a name of up to 31 characters:
 *   DLAVP_CORE_LAYER(my_layer, "MyLayer", my_check, my_run); */
#define DLAVP_CORE_LAYER(identifier, layer_name, check_function, run_function) \
  extern const CoreKernel dlavp_core_layer_##identifier;                       \
  const CoreKernel dlavp_core_layer_##identifier                               \
      __attribute__((used, aligned(8), section("dlavp_core_layers"))) = {      \
          layer_name, check_function, run_function}

/* Says what is wrong; returns false. */
bool core_fail(const CoreCall* call, const char* format, ...) __attribute__((format(printf, 2, 3)));

/* To int8: nearest, ties away from zero, saturated; NaN gives 0. */
int8_t core_to_int8(double x);
/* An element as a real number, whatever it is stored as. */
double core_real(const CoreTensor* t, uint32_t c, uint32_t h, uint32_t w);
/* Stores a real number: divided by the scale, rounded to nearest with ties away, saturated. */
void core_store(const CoreTensor* t, uint32_t c, uint32_t h, uint32_t w, double value);

/* e^x, ln x and x^p, to about 14 digits; the square root, exact. */
double core_exp(double x);
double core_log(double x);
double core_pow(double x, double p);
#define core_sqrt(x) __builtin_sqrt(x)

#ifndef __cplusplus
/* Where an element lies. */
static inline uint8_t* core_at(const CoreTensor* t, uint32_t c, uint32_t h, uint32_t w) {
  const uint32_t lane = c & ((1u << t->lane_bits) - 1);
  return t->bytes + (uint64_t)(c >> t->lane_bits) * t->surface_stride +
         (uint64_t)h * t->line_stride + (uint64_t)w * t->atom + lane * t->element;
}
static inline int8_t core_int8(const CoreTensor* t, uint32_t c, uint32_t h, uint32_t w) {
  return (int8_t)*core_at(t, c, h, w);
}
/* Copies an element between tensors of the same element and scale. */
static inline void core_copy(const CoreTensor* to, uint32_t c, uint32_t h, uint32_t w,
                             const CoreTensor* from, uint32_t c2, uint32_t h2, uint32_t w2) {
  __builtin_memcpy(core_at(to, c, h, w), core_at(from, c2, h2, w2), to->element);
}
static inline uint64_t core_elements(const CoreTensor* t) {
  return (uint64_t)t->size[0] * t->size[1] * t->size[2];
}
static inline bool core_same_size(const CoreTensor* a, const CoreTensor* b) {
  return a->size[0] == b->size[0] && a->size[1] == b->size[1] && a->size[2] == b->size[2];
}
#endif

#ifdef __cplusplus
}
#endif
#endif
