/* Kernels that move elements: map (joining, cutting, padding, repeating), resize between
 * neighbours, reorder. */
#include <string.h>

#include "core.h"

enum { VALUES = 256, MAP_AXIS = 0, MAP_FILL = 1, MAP_FIRST = 2, RESIZE_BITS = 11 };

/* The input that holds index `index` of the joined axis; `index` becomes the one inside of it. */
static uint32_t joined(const CoreCall* call, unsigned axis, uint32_t* index) {
  uint32_t i = 0;
  while (*index >= call->inputs[i].size[axis]) *index -= call->inputs[i++].size[axis];
  return i;
}

bool core_map_check(const CoreCall* call) {
  const CoreTensor* out = &call->outputs[0];
  const uint64_t indices = (uint64_t)out->size[0] + out->size[1] + out->size[2];
  const uint64_t tables = call->table_bytes == 0 ? 0 : (uint64_t)call->num_inputs * VALUES;
  if (!core_expect(call, call->num_inputs, MAP_FIRST + indices, 0, tables) ||
      !core_expect_types(call, CORE_INT8))
    return false;
  const int32_t axis = call->params[MAP_AXIS];
  if (axis < 0 || axis >= CORE_AXES)
    return fw_fail(call->error, FW_E_EMU, "core layer map: axis %d", (int)axis);
  const int32_t* index = call->params + MAP_FIRST;
  for (unsigned a = 0; a < CORE_AXES; ++a) {
    uint64_t room = call->inputs[0].size[a];
    for (uint32_t i = 1; i < call->num_inputs; ++i) {
      if ((int32_t)a == axis)
        room += call->inputs[i].size[a];
      else if (call->inputs[i].size[a] != room)
        return fw_fail(call->error, FW_E_EMU, "core layer map: inputs differ on axis %u", a);
    }
    for (uint32_t i = 0; i < out->size[a]; ++i, ++index)
      if (*index < -1 || (int64_t)*index >= (int64_t)room)
        return fw_fail(call->error, FW_E_EMU, "core layer map: index %d of %llu on axis %u",
                       (int)*index, (unsigned long long)room, a);
  }
  for (uint32_t i = 0; i < call->num_inputs; ++i)
    if (call->inputs[i].atom != out->atom)
      return fw_fail(call->error, FW_E_EMU, "core layer map: atoms differ");
  return true;
}

typedef struct {
  const CoreCall* call;
  const CoreTensor* out;
  unsigned axis;
  uint8_t fill;
  bool straight;       /* columns of one input, one after the other */
  bool straight_lines; /* lines too, and the columns from the first on */
  const int32_t *c, *h, *w;
} Map;

/* Channels [first, first + count) of the output are channels of one input, one after the other,
 * and start an atom there as well. */
static bool whole_atoms(const Map* m, uint32_t first, uint32_t count) {
  const int32_t from = m->c[first];
  if (from < 0) return false;
  for (uint32_t i = 1; i < count; ++i)
    if (m->c[first + i] != from + (int32_t)i) return false;
  uint32_t inside = (uint32_t)from, last = inside + count - 1;
  if (m->axis == CORE_AXIS_C && joined(m->call, 0, &inside) != joined(m->call, 0, &last))
    return false;
  return inside % m->out->atom == 0;
}

/* Whole atoms: multiples of eight bytes. Not memcpy: a bad loadable may let them overlap. */
static void copy_atoms(uint8_t* to, const uint8_t* from, uint32_t bytes, const uint8_t* table) {
  typedef uint64_t __attribute__((may_alias, aligned(1))) Word;
  enum { TURN = 4 * sizeof(Word) };
  if (table) {
    for (uint32_t i = 0; i < bytes; ++i) to[i] = table[from[i]];
    return;
  }
  for (; bytes >= TURN; bytes -= TURN, to += TURN, from += TURN) {
    Word* w = (Word*)(void*)to;
    const Word* v = (const Word*)(const void*)from;
    const Word a = v[0], b = v[1], c = v[2], d = v[3];
    w[0] = a, w[1] = b, w[2] = c, w[3] = d;
  }
  for (; bytes; bytes -= sizeof(Word), to += sizeof(Word), from += sizeof(Word))
    *(Word*)(void*)to = *(const Word*)(const void*)from;
}

static void copy_lane(uint8_t* to, const uint8_t* from, uint32_t width, uint32_t atom) {
  const size_t second = atom, third = 2 * second, fourth = 3 * second;
  for (; width >= 4; width -= 4, to += 4 * second, from += 4 * second) {
    const uint8_t a = from[0], b = from[second], c = from[third], d = from[fourth];
    to[0] = a;
    to[second] = b;
    to[third] = c;
    to[fourth] = d;
  }
  for (; width; --width, to += second, from += second) *to = *from;
}

static void translate_lane(uint8_t* to, const uint8_t* from, uint32_t width, uint32_t atom,
                           const uint8_t* table) {
  for (; width; --width, to += atom, from += atom) *to = table[*from];
}

/* Where a line comes from. */
typedef struct {
  const CoreTensor* in;
  const uint8_t* table;
  uint32_t c, h;
} Line;

/* The input that holds index `*index` of the joined axis. */
static void choose_input(const Map* m, uint32_t* index, Line* line) {
  const uint32_t i = joined(m->call, m->axis, index);
  line->in = &m->call->inputs[i];
  line->table = m->call->table_bytes ? m->call->table + VALUES * i : 0;
}

/* `width` columns one after the other, of one channel or (`bytes` above 1) of a whole atom. */
static void copy_columns(uint8_t* to, const uint8_t* from, uint32_t width, uint32_t atom,
                         uint32_t bytes, const uint8_t* table) {
  if (bytes > 1)
    copy_atoms(to, from, width * atom, table);
  else if (table)
    translate_lane(to, from, width, atom, table);
  else
    copy_lane(to, from, width, atom);
}

static void map_line(const Map* m, Line line, uint8_t* to, uint32_t bytes) {
  const uint32_t width = m->out->size[2], atom = m->out->atom;
  if (m->straight) {
    copy_columns(to, core_at(line.in, line.c, line.h, (uint32_t)m->w[0]), width, atom, bytes,
                 line.table);
    return;
  }
  for (uint32_t w = 0; w < width; ++w, to += atom) {
    if (m->w[w] < 0) {
      memset(to, m->fill, bytes);
      continue;
    }
    uint32_t inside = (uint32_t)m->w[w];
    if (m->axis == CORE_AXIS_W) choose_input(m, &inside, &line);
    const uint8_t* at = core_at(line.in, line.c, line.h, inside);
    if (bytes == 1)
      *to = line.table ? line.table[*at] : *at;
    else
      copy_atoms(to, at, bytes, line.table);
  }
}

/* All lines at once, if they lie one after the other on both sides. */
static bool map_plane(const Map* m, const Line* line, uint8_t* to, uint32_t bytes) {
  const CoreTensor *in = line->in, *out = m->out;
  if (!m->straight_lines || in->line_stride != out->line_stride ||
      out->line_stride != out->size[2] * out->atom)
    return false;
  copy_columns(to, core_at(in, line->c, (uint32_t)m->h[0], 0), out->size[1] * out->size[2],
               out->atom, bytes, line->table);
  return true;
}

/* One channel, or (`bytes` above 1) the atom that begins with it. */
static void map_channel(const Map* m, uint32_t c, uint32_t bytes) {
  const uint32_t width = m->out->size[2], atom = m->out->atom;
  uint8_t* to = core_at(m->out, c, 0, 0);
  Line line = {&m->call->inputs[0], m->call->table_bytes ? m->call->table : 0, (uint32_t)m->c[c],
               0};
  if (m->c[c] >= 0 && m->axis == CORE_AXIS_C) choose_input(m, &line.c, &line);
  if (m->c[c] >= 0 && map_plane(m, &line, to, bytes)) return;
  for (uint32_t h = 0; h < m->out->size[1]; ++h, to += m->out->line_stride) {
    if (m->c[c] < 0 || m->h[h] < 0) {
      for (uint32_t w = 0; w < width; ++w) memset(to + (size_t)w * atom, m->fill, bytes);
      continue;
    }
    line.h = (uint32_t)m->h[h];
    if (m->axis == CORE_AXIS_H) choose_input(m, &line.h, &line);
    map_line(m, line, to, bytes);
  }
}

static bool one_after_the_other(const int32_t* index, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i)
    if (index[0] < 0 || index[i] != index[0] + (int32_t)i) return false;
  return true;
}

void core_map_run(const CoreCall* call) {
  const CoreTensor* out = &call->outputs[0];
  Map m = {0};
  m.call = call;
  m.out = out;
  m.axis = (unsigned)call->params[MAP_AXIS];
  m.fill = (uint8_t)call->params[MAP_FILL];
  m.c = call->params + MAP_FIRST;
  m.h = m.c + out->size[0];
  m.w = m.h + out->size[1];
  m.straight = m.axis != CORE_AXIS_W && one_after_the_other(m.w, out->size[2]);
  m.straight_lines =
      m.straight && m.w[0] == 0 && m.axis == CORE_AXIS_C && one_after_the_other(m.h, out->size[1]);
  for (uint32_t first = 0; first < out->size[0]; first += out->atom) {
    const uint32_t rest = out->size[0] - first, count = rest < out->atom ? rest : out->atom;
    if (whole_atoms(&m, first, count)) {
      map_channel(&m, first, out->atom);
      continue;
    }
    for (uint32_t c = first; c < first + count; ++c) map_channel(&m, c, 1);
  }
}

/* Triples (first, second, weight of the second in 1/2048) for each line, then each column. */
bool core_resize_check(const CoreCall* call) {
  const CoreTensor *in = &call->inputs[0], *out = &call->outputs[0];
  if (!core_expect(call, 1, 3 * ((uint64_t)out->size[1] + out->size[2]), 0, 0) ||
      !core_expect_types(call, CORE_INT8))
    return false;
  if (in->size[0] != out->size[0])
    return fw_fail(call->error, FW_E_EMU, "core layer resize: %u channels to %u",
                   (unsigned)in->size[0], (unsigned)out->size[0]);
  const int32_t* p = call->params;
  for (unsigned a = CORE_AXIS_H; a <= CORE_AXIS_W; ++a)
    for (uint32_t i = 0; i < out->size[a]; ++i, p += 3)
      if (p[0] < 0 || p[1] < 0 || (uint32_t)p[0] >= in->size[a] || (uint32_t)p[1] >= in->size[a] ||
          p[2] < 0 || p[2] > 1 << RESIZE_BITS)
        return fw_fail(call->error, FW_E_EMU, "core layer resize: %d, %d of %u, weight %d",
                       (int)p[0], (int)p[1], (unsigned)in->size[a], (int)p[2]);
  return true;
}

void core_resize_run(const CoreCall* call) {
  const CoreTensor *in = &call->inputs[0], *out = &call->outputs[0];
  const int32_t *lines = call->params, *columns = lines + 3 * out->size[1];
  const int32_t one = 1 << RESIZE_BITS, half = 1 << (2 * RESIZE_BITS - 1);
  for (uint32_t c = 0; c < out->size[0]; ++c)
    for (uint32_t h = 0; h < out->size[1]; ++h) {
      const int32_t* y = lines + 3 * h;
      const uint8_t* upper = core_at(in, c, (uint32_t)y[0], 0);
      const uint8_t* lower = core_at(in, c, (uint32_t)y[1], 0);
      uint8_t* to = core_at(out, c, h, 0);
      const int32_t* x = columns;
      for (uint32_t w = 0; w < out->size[2]; ++w, x += 3, to += out->atom) {
        const size_t left = (size_t)x[0] * in->atom, right = (size_t)x[1] * in->atom;
        const int32_t top = (int8_t)upper[left] * (one - x[2]) + (int8_t)upper[right] * x[2];
        const int32_t bottom = (int8_t)lower[left] * (one - x[2]) + (int8_t)lower[right] * x[2];
        const int32_t sum = top * (one - y[2]) + bottom * y[2];
        *to = (uint8_t)((sum < 0 ? -((half - sum) >> (2 * RESIZE_BITS))
                                 : (half + sum) >> (2 * RESIZE_BITS)));
      }
    }
}

/* Rank, sizes, permutation. */
bool core_reorder_check(const CoreCall* call) {
  const uint32_t rank = call->num_params > 0 ? (uint32_t)call->params[0] : 0;
  if (rank == 0 || rank > CORE_MAX_RANK)
    return fw_fail(call->error, FW_E_EMU, "core layer reorder: rank %u, expected 1 to %u",
                   (unsigned)rank, (unsigned)CORE_MAX_RANK);
  if (!core_expect(call, 1, 1 + 2 * rank, 0, 0) || !core_expect_types(call, CORE_INT8))
    return false;
  uint64_t elements = 1;
  uint32_t seen = 0;
  for (uint32_t i = 0; i < rank; ++i) {
    const int32_t size = call->params[1 + i], from = call->params[1 + rank + i];
    if (size < 1 || from < 0 || (uint32_t)from >= rank || elements > UINT32_MAX)
      return fw_fail(call->error, FW_E_EMU, "core layer reorder: size %d, axis %d", (int)size,
                     (int)from);
    elements *= (uint64_t)size;
    seen |= 1u << from;
  }
  if (seen == (1u << rank) - 1 && elements == core_elements(&call->inputs[0]) &&
      elements == core_elements(&call->outputs[0]) && elements <= UINT32_MAX)
    return true;
  return fw_fail(call->error, FW_E_EMU, "core layer reorder: axes or numbers of elements differ");
}

void core_reorder_run(const CoreCall* call) {
  const CoreTensor *in = &call->inputs[0], *out = &call->outputs[0];
  const uint32_t rank = (uint32_t)call->params[0];
  uint32_t stride[CORE_MAX_RANK], size[CORE_MAX_RANK], step[CORE_MAX_RANK];
  uint32_t at[CORE_MAX_RANK] = {0};
  uint32_t next = 1;
  for (uint32_t i = rank; i-- > 0; next *= (uint32_t)call->params[1 + i]) stride[i] = next;
  for (uint32_t i = 0; i < rank; ++i) { /* the output's axes in terms of the input */
    const uint32_t from = (uint32_t)call->params[1 + rank + i];
    size[i] = (uint32_t)call->params[1 + from];
    step[i] = stride[from];
  }
  const uint32_t plane = in->size[1] * in->size[2];
  uint32_t source = 0;
  for (uint32_t c = 0; c < out->size[0]; ++c)
    for (uint32_t h = 0; h < out->size[1]; ++h)
      for (uint32_t w = 0; w < out->size[2]; ++w) {
        const uint32_t inside = source % plane;
        *core_at(out, c, h, w) =
            *core_at(in, source / plane, inside / in->size[2], inside % in->size[2]);
        for (uint32_t i = rank; i-- > 0;) { /* the next element of the output */
          source += step[i];
          if (++at[i] < size[i]) break;
          source -= step[i] * size[i];
          at[i] = 0;
        }
      }
}
