/* memcpy and memset in words: the C library's are written for size, and laying out a network moves
 * tens of megabytes. */
#include <stddef.h>
#include <stdint.h>

typedef uint64_t __attribute__((may_alias)) Word;

/* The loops must not become calls of the functions that they are. */
#define KEEP_LOOP __attribute__((optimize("no-tree-loop-distribute-patterns")))

KEEP_LOOP void* memset(void* to, int value, size_t bytes) {
  uint8_t* p = (uint8_t*)to;
  const Word pattern = (uint8_t)value * UINT64_C(0x0101010101010101);
  for (; bytes && (uintptr_t)p % sizeof(Word); --bytes) *p++ = (uint8_t)value;
  for (; bytes >= 4 * sizeof(Word); bytes -= 4 * sizeof(Word), p += 4 * sizeof(Word)) {
    Word* w = (Word*)(void*)p;
    w[0] = w[1] = w[2] = w[3] = pattern;
  }
  for (; bytes; --bytes) *p++ = (uint8_t)value;
  return to;
}

KEEP_LOOP void* memcpy(void* restrict to, const void* restrict from, size_t bytes) {
  uint8_t* p = (uint8_t*)to;
  const uint8_t* q = (const uint8_t*)from;
  if (((uintptr_t)p ^ (uintptr_t)q) % sizeof(uint32_t) == 0) {
    for (; bytes && (uintptr_t)p % sizeof(uint32_t); --bytes) *p++ = *q++;
    /* Blobs lie in the file at multiples of four: words of eight only where both allow them. */
    if (((uintptr_t)p ^ (uintptr_t)q) % sizeof(Word) == 0) {
      for (; bytes && (uintptr_t)p % sizeof(Word); --bytes) *p++ = *q++;
      for (; bytes >= 4 * sizeof(Word);
           bytes -= 4 * sizeof(Word), p += 4 * sizeof(Word), q += 4 * sizeof(Word)) {
        Word* w = (Word*)(void*)p;
        const Word* v = (const Word*)(const void*)q;
        const Word a = v[0], b = v[1], c = v[2], d = v[3];
        w[0] = a, w[1] = b, w[2] = c, w[3] = d;
      }
    }
    typedef uint32_t __attribute__((may_alias)) Half;
    for (; bytes >= 2 * sizeof(Half);
         bytes -= 2 * sizeof(Half), p += 2 * sizeof(Half), q += 2 * sizeof(Half)) {
      const Half a = ((const Half*)(const void*)q)[0], b = ((const Half*)(const void*)q)[1];
      ((Half*)(void*)p)[0] = a;
      ((Half*)(void*)p)[1] = b;
    }
  }
  for (; bytes; --bytes) *p++ = *q++;
  return to;
}
