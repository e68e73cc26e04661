/* Kernels that treat each element by itself: a table of one input, a table of two. */
#include "core.h"

enum { VALUES = 256 };

bool core_table_check(const CoreCall* call) {
  if (!core_expect(call, 1, 0, 0, VALUES) || !core_expect_types(call, CORE_INT8)) return false;
  if (core_same_size(&call->inputs[0], &call->outputs[0]) &&
      call->inputs[0].atom == call->outputs[0].atom)
    return true;
  return fw_fail(call->error, FW_E_EMU, "core layer table: input and output differ in size");
}

/* Whole atoms: the lanes behind the last channel hold nothing that anybody reads. */
static void table_line(const uint8_t* table, const uint8_t* from, uint8_t* to, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i += 8, from += 8, to += 8) {
    const uint8_t a = table[from[0]], b = table[from[1]], c = table[from[2]], d = table[from[3]];
    const uint8_t e = table[from[4]], f = table[from[5]], g = table[from[6]], h = table[from[7]];
    to[0] = a, to[1] = b, to[2] = c, to[3] = d;
    to[4] = e, to[5] = f, to[6] = g, to[7] = h;
  }
}

void core_table_run(const CoreCall* call) {
  const CoreTensor *in = &call->inputs[0], *out = &call->outputs[0];
  const uint32_t surfaces = (in->size[0] + in->atom - 1) / in->atom;
  for (uint32_t s = 0; s < surfaces; ++s)
    for (uint32_t h = 0; h < in->size[1]; ++h)
      table_line(call->table, core_at(in, s * in->atom, h, 0), core_at(out, s * in->atom, h, 0),
                 in->size[2] * in->atom);
}

bool core_binary_check(const CoreCall* call) {
  if (!core_expect(call, 2, 0, 0, VALUES * VALUES) || !core_expect_types(call, CORE_INT8))
    return false;
  for (unsigned i = 0; i < 2; ++i)
    for (unsigned a = 0; a < CORE_AXES; ++a) {
      const uint32_t size = call->inputs[i].size[a];
      if (size == 1 || size == call->outputs[0].size[a]) continue;
      return fw_fail(call->error, FW_E_EMU,
                     "core layer binary: input %u has size %u on axis %u, expected 1 or %u", i,
                     (unsigned)size, a, (unsigned)call->outputs[0].size[a]);
    }
  return true;
}

void core_binary_run(const CoreCall* call) {
  const CoreTensor *a = &call->inputs[0], *b = &call->inputs[1], *out = &call->outputs[0];
  const uint32_t step_a = a->size[2] == 1 ? 0 : a->atom, step_b = b->size[2] == 1 ? 0 : b->atom;
  for (uint32_t c = 0; c < out->size[0]; ++c)
    for (uint32_t h = 0; h < out->size[1]; ++h) {
      const uint8_t* from_a = core_at(a, a->size[0] == 1 ? 0 : c, a->size[1] == 1 ? 0 : h, 0);
      const uint8_t* from_b = core_at(b, b->size[0] == 1 ? 0 : c, b->size[1] == 1 ? 0 : h, 0);
      uint8_t* to = core_at(out, c, h, 0);
      for (uint32_t w = 0; w < out->size[2]; ++w) {
        *to = call->table[(uint32_t)*from_a << 8 | *from_b];
        from_a += step_a;
        from_b += step_b;
        to += out->atom;
      }
    }
}
