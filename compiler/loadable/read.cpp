// Reads the FlatBuffer of a loadable into plain structs. The verifier proves that every offset
// stays inside the file; what the fields mean together is checked by validate().
#include <flatbuffers/flatbuffers.h>

#include <cstring>

#include "compiler/loadable/loadable.hpp"
#include "compiler/loadable/loadable_generated.h"

namespace dlavp::loadable {
namespace {

template <typename Wire, typename Convert>
auto convert_list(const flatbuffers::Vector<flatbuffers::Offset<Wire>>* list, Convert convert) {
  std::vector<decltype(convert(std::declval<const Wire&>()))> out;
  if (list == nullptr) return out;
  out.reserve(list->size());
  for (const Wire* entry : *list) out.push_back(convert(*entry));
  return out;
}

/// Copied bytewise: the verifier checks where a vector's length lies, not where its elements do.
template <typename T>
std::vector<T> scalars(const flatbuffers::Vector<T>* list) {
  std::vector<T> out(list == nullptr ? 0 : list->size());
  if (!out.empty()) std::memcpy(out.data(), list->Data(), out.size() * sizeof(T));
  return out;
}

std::string text_of(const flatbuffers::String* s) { return s == nullptr ? "" : s->str(); }

Version version_of(const wire::Version* v) {
  return v == nullptr ? Version{} : Version{v->major(), v->minor(), v->sub_minor()};
}

Task task_of(const wire::Task& t) {
  return {t.id(),
          t.interface(),
          t.instance(),
          scalars(t.address_list()),
          scalars(t.pre_actions()),
          scalars(t.post_actions())};
}

Memory memory_of(const wire::Memory& m) {
  Memory out{m.id(), m.domain(),           m.flags(),   m.size(),          m.alignment(),
             {},     scalars(m.offsets()), m.bind_id(), m.tensor_desc_id()};
  if (m.contents() != nullptr)
    for (const flatbuffers::String* name : *m.contents()) out.contents.push_back(text_of(name));
  return out;
}

Tensor tensor_of(const wire::Tensor& t) {
  Tensor out;
  out.name = text_of(t.name());
  out.id = t.id();
  out.mem_id = t.mem_id();
  out.size = t.size();
  out.offset = t.offset();
  out.data_format = t.data_format();
  out.data_type = t.data_type();
  out.data_category = t.data_category();
  out.pixel_format = t.pixel_format();
  out.pixel_mapping = t.pixel_mapping();
  out.n = t.n();
  out.c = t.c();
  out.h = t.h();
  out.w = t.w();
  out.stride = {t.stride_0(), t.stride_1(), t.stride_2(), t.stride_3(),
                t.stride_4(), t.stride_5(), t.stride_6(), t.stride_7()};
  return out;
}

/// `size` is the length NVIDIA's runtime trusts, so it must agree with the bytes that are there.
Blob blob_of(const wire::Blob& b, Diagnostics& errors) {
  Blob out{text_of(b.name()), b.interface(), b.sub_interface(), version_of(b.version()),
           scalars(b.data())};
  if (b.size() != out.data.size())
    errors.add("loadable.blob_size", fmt::format("blob '{}'", out.name),
               fmt::format("size {}, but {} bytes of data", b.size(), out.data.size()));
  return out;
}

Loadable convert(const wire::Root& root, Diagnostics& errors) {
  Loadable out;
  out.version = version_of(root.version());
  out.tasks = convert_list(root.task_list(), task_of);
  out.memories = convert_list(root.memory_list(), memory_of);
  out.addresses = convert_list(root.address_list(), [](const wire::Address& a) {
    return Address{a.id(), a.mem_id(), a.offset(), a.size()};
  });
  out.events = convert_list(root.event_list(), [](const wire::Event& e) {
    return Event{e.id(), e.type(), e.target(), e.val(), e.op()};
  });
  out.blobs =
      convert_list(root.blobs(), [&errors](const wire::Blob& b) { return blob_of(b, errors); });
  out.tensors = convert_list(root.tensor_desc_list(), tensor_of);
  out.relocs = convert_list(root.reloc_list(), [](const wire::Reloc& r) {
    return Reloc{r.address_id(), r.write_id(),      r.offset(),
                 r.interface(),  r.sub_interface(), r.reloc_type()};
  });
  out.submits = convert_list(root.submit_list(), [](const wire::Submit& s) {
    return Submit{s.id(), scalars(s.task_id())};
  });
  return out;
}

/// FlatBuffers reads fields in place, so they must lie at their alignment. The regression loadables
/// were written by a builder that aligned to the end of a file whose length is 4 modulo 8: four
/// bytes after the root offset put every field right. All other offsets are relative.
std::vector<uint8_t> aligned_copy(std::span<const uint8_t> bytes) {
  std::vector<uint8_t> copy(bytes.begin(), bytes.end());
  constexpr size_t kShift = 4;
  if (copy.size() % 8 != kShift) return copy;
  const auto root = flatbuffers::ReadScalar<flatbuffers::uoffset_t>(copy.data());
  if (root > copy.size()) return copy;
  copy.insert(copy.begin() + kShift, kShift, uint8_t{0});
  flatbuffers::WriteScalar(copy.data(), static_cast<flatbuffers::uoffset_t>(root + kShift));
  return copy;
}

}  // namespace

Result<Loadable> read_loadable(std::span<const uint8_t> bytes) {
  constexpr size_t kSmallest = 12;
  if (bytes.size() < kSmallest)
    return Error{"loadable.format", "",
                 fmt::format("{} bytes are too few for a loadable", bytes.size())};
  const std::vector<uint8_t> copy = aligned_copy(bytes);
  flatbuffers::Verifier verifier(copy.data(), copy.size());
  if (!verifier.VerifyBuffer<wire::Root>(nullptr))
    return Error{"loadable.format", "",
                 fmt::format("not a loadable, or cut short or damaged ({} bytes)", bytes.size())};
  Diagnostics errors;
  Loadable out = convert(*flatbuffers::GetRoot<wire::Root>(copy.data()), errors);
  errors.append(validate(out));
  if (!errors.empty()) return errors;
  return out;
}

}  // namespace dlavp::loadable
