// Writes a loadable as a FlatBuffer. Deterministic: the builder is fed in list order and adds
// nothing of its own. Empty lists are written, as NVIDIA's runtime expects every list present.
#include <flatbuffers/flatbuffers.h>

#include <algorithm>

#include "compiler/loadable/loadable.hpp"
#include "compiler/loadable/loadable_generated.h"

namespace dlavp::loadable {
namespace {

using Builder = flatbuffers::FlatBufferBuilder;

template <typename T, typename Write>
auto write_list(Builder& b, const std::vector<T>& list, Write write) {
  std::vector<decltype(write(b, list.front()))> offsets;
  offsets.reserve(list.size());
  for (const T& entry : list) offsets.push_back(write(b, entry));
  return b.CreateVector(offsets);
}

wire::Version wire_version(const Version& v) { return {v.major, v.minor, v.sub_minor}; }

auto write_task(Builder& b, const Task& t) {
  const auto addresses = b.CreateVector(t.address_list);
  const auto pre = b.CreateVector(t.pre_actions);
  const auto post = b.CreateVector(t.post_actions);
  return wire::CreateTask(b, t.id, t.interface, t.instance, addresses, pre, post);
}

auto write_memory(Builder& b, const Memory& m) {
  const auto contents = b.CreateVectorOfStrings(m.contents);
  const auto offsets = b.CreateVector(m.offsets);
  return wire::CreateMemory(b, m.id, m.domain, m.flags, m.size, m.alignment, contents, offsets,
                            m.bind_id, m.tensor_desc_id);
}

auto write_blob(Builder& b, const Blob& blob) {
  const auto name = b.CreateString(blob.name);
  // Runtimes copy blobs: by whole words only from where one is aligned.
  constexpr size_t kAlignment = 32;
  b.ForceVectorAlignment(blob.data.size(), sizeof(uint8_t), kAlignment);
  const auto data = b.CreateVector(blob.data);
  const wire::Version version = wire_version(blob.version);
  return wire::CreateBlob(b, name, blob.data.size(), blob.interface, blob.sub_interface, &version,
                          data);
}

auto write_tensor(Builder& b, const Tensor& t) {
  const auto name = b.CreateString(t.name);
  return wire::CreateTensor(b, name, t.id, t.mem_id, t.size, t.offset, t.data_format, t.data_type,
                            t.data_category, t.pixel_format, t.pixel_mapping, t.n, t.c, t.h, t.w,
                            t.stride[0], t.stride[1], t.stride[2], t.stride[3], t.stride[4],
                            t.stride[5], t.stride[6], t.stride[7]);
}

}  // namespace

std::vector<uint8_t> write_loadable(const Loadable& l) {
  constexpr size_t kLists = 1 << 16;  // bytes, more or less, of all but the blobs
  size_t bytes = kLists;
  for (const Blob& blob : l.blobs) bytes += blob.data.size();
  Builder b(bytes);
  const auto tasks = write_list(b, l.tasks, write_task);
  const auto memories = write_list(b, l.memories, write_memory);
  const auto addresses = write_list(b, l.addresses, [](Builder& fb, const Address& a) {
    return wire::CreateAddress(fb, a.id, a.mem_id, a.offset, a.size);
  });
  const auto events = write_list(b, l.events, [](Builder& fb, const Event& e) {
    return wire::CreateEvent(fb, e.id, e.type, e.target, e.val, e.op);
  });
  const auto blobs = write_list(b, l.blobs, write_blob);
  const auto tensors = write_list(b, l.tensors, write_tensor);
  const auto relocs = write_list(b, l.relocs, [](Builder& fb, const Reloc& r) {
    return wire::CreateReloc(fb, r.address_id, r.write_id, r.offset, r.interface, r.sub_interface,
                             r.reloc_type);
  });
  const auto submits = write_list(b, l.submits, [](Builder& fb, const Submit& s) {
    return wire::CreateSubmit(fb, s.id, fb.CreateVector(s.task_ids));
  });
  const wire::Version version = wire_version(l.version);
  b.Finish(wire::CreateRoot(b, &version, tasks, memories, addresses, events, blobs, tensors, relocs,
                            submits),
           wire::RootIdentifier());
  return {b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize()};
}

}  // namespace dlavp::loadable
