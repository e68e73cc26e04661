// Parts of a loadable: descriptors word by word, memories, addresses, tasks, tensors, relocations.
#include "compiler/loadable/loadable.hpp"
#include "fuzz/draw.hpp"
#include "fuzz/mutators.hpp"

namespace dlavp::fuzz {

namespace {

using namespace loadable;

/// A half word or a word, as descriptors have them.
void change_blob(Blob& blob, Draw& draw) {
  const size_t bytes = draw.chance(2) ? 2 : 4;
  if (blob.data.size() < bytes) return;
  // Most bytes of a descriptor are unused: start from one that is not zero if one comes soon.
  size_t at = draw.below(blob.data.size() / bytes) * bytes;
  for (size_t i = 0; i < 64 && at + 2 * bytes <= blob.data.size() && blob.data[at] == 0; ++i)
    at += bytes;
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value |= uint64_t{blob.data[at + i]} << (8 * i);
  value = draw.number(value);
  for (size_t i = 0; i < bytes; ++i) blob.data[at + i] = static_cast<uint8_t>(value >> (8 * i));
}

void change_memory(Memory& m, Draw& draw) {
  switch (draw.below(6)) {
    case 0:
      return draw.change(m.size);
    case 1:
      return draw.change(m.alignment);
    case 2:
      return draw.change(m.flags);
    case 3:
      return draw.change_one(m.offsets, [&](uint64_t& offset) { draw.change(offset); });
    case 4:
      return draw.change(m.domain);
    default:
      return draw.change(m.bind_id);
  }
}

void change_tensor(Tensor& t, Draw& draw) {
  int32_t* sizes[] = {&t.n, &t.c, &t.h, &t.w};
  switch (draw.below(5)) {
    case 0:
      return draw.change(*sizes[draw.below(4)]);
    case 1:
      return draw.change(t.stride[draw.below(t.stride.size())]);
    case 2:
      return draw.change(t.size);
    case 3:
      return draw.change(t.data_format);
    default:
      return draw.change(t.pixel_format);
  }
}

void change_task(Task& t, Draw& draw) {
  const auto change = [&](uint16_t& id) { draw.change(id); };
  if (draw.chance(4)) return draw.change(t.interface);
  draw.change_one(draw.chance(2) ? t.address_list : t.pre_actions, change);
}

}  // namespace

std::vector<uint8_t> mutate_loadable(std::span<const uint8_t> input, uint32_t seed) {
  Draw draw(seed);
  auto read = read_loadable(input);
  if (!read) return {};
  Loadable& l = read.value();
  switch (draw.below(10)) {
    case 0:
      draw.change_one(l.memories, [&](Memory& m) { change_memory(m, draw); });
      break;
    case 1:
      draw.change_one(l.addresses,
                      [&](Address& a) { draw.change(draw.chance(2) ? a.offset : a.size); });
      break;
    case 2:
      draw.change_one(l.tasks, [&](Task& t) { change_task(t, draw); });
      break;
    case 3:
      draw.change_one(l.tensors, [&](Tensor& t) { change_tensor(t, draw); });
      break;
    case 4:
      draw.change_one(l.relocs, [&](Reloc& r) { draw.change(r.offset); });
      break;
    default:
      if (!l.blobs.empty()) change_blob(l.blobs[draw.below(l.blobs.size())], draw);
  }
  return write_loadable(l);
}

}  // namespace dlavp::fuzz
