/* Layers that run on the core: tensors as the accelerator lays them out, a kernel by number or a
 * registered function by name, parameters from a block of the loadable (core_block.h). Everything
 * is checked before the first operation of a loadable runs; a kernel then reads and writes inside
 * of its tensors only. Arithmetic is integer, or double with + - * / and square root, so that the
 * same source gives the same bytes on every machine. docs/firmware.md defines each kernel. */
#ifndef DLAVP_SW_CORE_H
#define DLAVP_SW_CORE_H

#include "compiler/loadable/core_block.h"
#include "fw_error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Axes, as parameters name them, and as bits of a mask (1 << axis). */
enum { CORE_AXIS_C = 0, CORE_AXIS_H = 1, CORE_AXIS_W = 2, CORE_AXES = 3 };

typedef struct {
  uint8_t* bytes;
  uint32_t size[CORE_AXES]; /* channels, height, width */
  uint32_t line_stride, surface_stride, atom;
  uint32_t element;   /* CORE_INT8, CORE_INT32, CORE_REAL */
  uint32_t lane_bits; /* log2 of the elements of an atom */
  double scale;
} CoreTensor;

typedef struct {
  const char* name; /* of a custom layer */
  uint32_t num_inputs, num_outputs;
  const CoreTensor* inputs;
  const CoreTensor* outputs;
  const double* reals;
  const int32_t* params;
  const uint8_t* table;
  uint32_t num_reals, num_params, table_bytes;
  FwError* error;
} CoreCall;

/* A layer: `check` says (with fw_fail) what is wrong with sizes and parameters; `run` computes. */
typedef struct {
  const char* name;
  bool (*check)(const CoreCall* call);
  void (*run)(const CoreCall* call);
} CoreKernel;

/* Puts a custom layer into the firmware's table:
 *   DLAVP_CORE_LAYER(my_layer, "MyLayer", my_check, my_run); */
#define DLAVP_CORE_LAYER(identifier, layer_name, check_function, run_function) \
  extern const CoreKernel dlavp_core_layer_##identifier;                       \
  const CoreKernel dlavp_core_layer_##identifier __attribute__((               \
      used, retain, section("dlavp_core_layers"))) = {layer_name, check_function, run_function}

static inline uint8_t* core_at(const CoreTensor* t, uint32_t c, uint32_t h, uint32_t w) {
  const uint32_t lane = c & ((1u << t->lane_bits) - 1);
  return t->bytes + (uint64_t)(c >> t->lane_bits) * t->surface_stride +
         (uint64_t)h * t->line_stride + (uint64_t)w * t->atom + lane * t->element;
}
static inline int8_t core_int8(const CoreTensor* t, uint32_t c, uint32_t h, uint32_t w) {
  return (int8_t)*core_at(t, c, h, w);
}
/* To int8: nearest, ties away from zero, saturated; NaN gives 0. */
int8_t core_to_int8(double x);
/* An element as a real number, whatever it is stored as. */
double core_real(const CoreTensor* t, uint32_t c, uint32_t h, uint32_t w);
/* Stores a real number: divided by the scale, rounded to nearest with ties away, saturated. */
void core_store(const CoreTensor* t, uint32_t c, uint32_t h, uint32_t w, double value);

/* e^x, ln x and x^p, to about 14 digits. */
double core_exp(double x);
double core_log(double x);
double core_pow(double x, double p);

/* Elements of a tensor. */
static inline uint64_t core_elements(const CoreTensor* t) {
  return (uint64_t)t->size[0] * t->size[1] * t->size[2];
}
static inline bool core_same_size(const CoreTensor* a, const CoreTensor* b) {
  return a->size[0] == b->size[0] && a->size[1] == b->size[1] && a->size[2] == b->size[2];
}
/* Wrong numbers of inputs, parameters, reals or table bytes are named. */
bool core_expect(const CoreCall* call, uint32_t inputs, uint64_t params, uint64_t reals,
                 uint64_t table_bytes);
/* All tensors are int8 (the output, if `output` says so, int32). */
bool core_expect_types(const CoreCall* call, uint32_t output);

/* The kernels of core_block.h; index 0 is empty. */
extern const CoreKernel core_kernels[CORE_KERNELS];
bool core_table_check(const CoreCall* call);
void core_table_run(const CoreCall* call);
bool core_binary_check(const CoreCall* call);
void core_binary_run(const CoreCall* call);
bool core_map_check(const CoreCall* call);
void core_map_run(const CoreCall* call);
bool core_resize_check(const CoreCall* call);
void core_resize_run(const CoreCall* call);
bool core_reorder_check(const CoreCall* call);
void core_reorder_run(const CoreCall* call);
bool core_reduce_check(const CoreCall* call);
void core_reduce_run(const CoreCall* call);
bool core_normalise_check(const CoreCall* call);
void core_normalise_run(const CoreCall* call);
bool core_softmax_check(const CoreCall* call);
void core_softmax_run(const CoreCall* call);
bool core_argument_check(const CoreCall* call);
void core_argument_run(const CoreCall* call);
bool core_lrn_check(const CoreCall* call);
void core_lrn_run(const CoreCall* call);
bool core_pool_check(const CoreCall* call);
void core_pool_run(const CoreCall* call);

#ifdef __cplusplus
}
#endif
#endif
