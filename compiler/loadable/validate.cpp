// The rules of a loadable's container, beyond what the FlatBuffer verifier proves. Descriptors
// inside the blobs are checked where they are read (task_view.cpp).
#include <algorithm>
#include <cstring>
#include <set>

#include "compiler/loadable/dla_descriptors.h"
#include "compiler/loadable/loadable.hpp"

namespace dlavp::loadable {
namespace {

bool fits(uint64_t offset, uint64_t size, uint64_t limit) {
  return offset <= limit && size <= limit - offset;
}

template <typename T>
const T* find_id(const std::vector<T>& list, uint16_t id) {
  // Writers number entries by position, so the first look is nearly always right.
  if (id < list.size() && list[id].id == id) return &list[id];
  const auto it = std::find_if(list.begin(), list.end(), [id](const T& e) { return e.id == id; });
  return it == list.end() ? nullptr : &*it;
}

template <typename T>
void check_unique(const std::vector<T>& list, const char* what, Diagnostics& errors) {
  std::set<uint16_t> seen;
  for (const T& entry : list)
    if (!seen.insert(entry.id).second)
      errors.add("loadable.id", fmt::format("{} {}", what, entry.id), "this id occurs twice");
}

void check_tasks(const Loadable& l, Diagnostics& errors) {
  for (const Task& t : l.tasks) {
    const std::string place = fmt::format("task {}", t.id);
    if (t.interface > DLA_INTERFACE_EMU)
      errors.add("loadable.interface", place,
                 fmt::format("interface {}, known 0 to 2", t.interface));
    if (t.address_list.empty())
      errors.add("loadable.task_address", place,
                 "empty address list, expected a network descriptor");
    for (size_t i = 0; i < t.address_list.size(); ++i)
      if (find_id(l.addresses, t.address_list[i]) == nullptr)
        errors.add("loadable.task_address", fmt::format("{}: address_list[{}]", place, i),
                   fmt::format("no address has id {}", t.address_list[i]));
    for (const auto* actions : {&t.pre_actions, &t.post_actions})
      for (const uint16_t event : *actions)
        if (find_id(l.events, event) == nullptr)
          errors.add("loadable.task_event", place, fmt::format("no event has id {}", event));
  }
}

void check_contents(const Loadable& l, const Memory& m, Diagnostics& errors) {
  const std::string place = fmt::format("memory {}", m.id);
  if (m.contents.size() != m.offsets.size()) {
    errors.add("loadable.memory_contents", place,
               fmt::format("{} contents, but {} offsets", m.contents.size(), m.offsets.size()));
    return;
  }
  for (size_t i = 0; i < m.contents.size(); ++i) {
    if (m.contents[i].empty()) continue;  // the regression loadables name nothing for an output
    const Blob* blob = l.blob(m.contents[i]);
    if (blob == nullptr)
      errors.add("loadable.blob_missing", fmt::format("{}: contents[{}]", place, i),
                 fmt::format("no blob is named '{}'", m.contents[i]));
    else if (!fits(m.offsets[i], blob->data.size(), m.size))
      errors.add("loadable.blob_range", fmt::format("{}: offsets[{}]", place, i),
                 fmt::format("blob '{}' of {} bytes at {} ends after the memory's {} bytes",
                             blob->name, blob->data.size(), m.offsets[i], m.size));
  }
}

void check_memories(const Loadable& l, Diagnostics& errors) {
  constexpr uint16_t kKnownFlags =
      DLA_MEMORY_ALLOC | DLA_MEMORY_SET | DLA_MEMORY_INPUT | DLA_MEMORY_OUTPUT | DLA_MEMORY_DEBUG;
  constexpr uint64_t kLargest = uint64_t{1} << 32;
  for (const Memory& m : l.memories) {
    const std::string place = fmt::format("memory {}", m.id);
    if (m.domain > DLA_DOMAIN_SRAM)
      errors.add("loadable.memory_domain", place,
                 fmt::format("domain {}, known 0 (system) and 1 (SRAM)", m.domain));
    if ((m.flags & ~kKnownFlags) != 0)
      errors.add("loadable.memory_flags", place,
                 fmt::format("flags {:#x}, known {:#x}", m.flags, kKnownFlags));
    if (m.size > kLargest)
      errors.add("loadable.memory_size", place,
                 fmt::format("{} bytes, at most {}", m.size, kLargest));
    if ((m.alignment & (m.alignment - 1)) != 0)
      errors.add("loadable.memory_alignment", place,
                 fmt::format("alignment {}, expected a power of two", m.alignment));
    check_contents(l, m, errors);
  }
}

void check_addresses(const Loadable& l, Diagnostics& errors) {
  for (const Address& a : l.addresses) {
    const std::string place = fmt::format("address {}", a.id);
    const Memory* m = find_id(l.memories, a.mem_id);
    if (m == nullptr)
      errors.add("loadable.address_memory", place, fmt::format("no memory has id {}", a.mem_id));
    else if (a.offset > m->size || a.size > m->size)
      errors.add("loadable.address_range", place,
                 fmt::format("offset {} and size {} of memory {}, which has {} bytes", a.offset,
                             a.size, a.mem_id, m->size));
  }
}

void check_blobs(const Loadable& l, Diagnostics& errors) {
  std::set<std::string> names;
  for (size_t i = 0; i < l.blobs.size(); ++i) {
    const std::string place = fmt::format("blobs[{}]", i);
    if (l.blobs[i].name.empty())
      errors.add("loadable.blob_name", place, "a blob needs a name");
    else if (!names.insert(l.blobs[i].name).second)
      errors.add("loadable.blob_name", place,
                 fmt::format("the name '{}' occurs twice", l.blobs[i].name));
  }
}

void check_tensors(const Loadable& l, Diagnostics& errors) {
  for (const Tensor& t : l.tensors) {
    const std::string place = fmt::format("tensor {} '{}'", t.id, t.name);
    const Memory* m = find_id(l.memories, t.mem_id);
    if (m == nullptr)
      errors.add("loadable.tensor_memory", place, fmt::format("no memory has id {}", t.mem_id));
    else if (!fits(t.offset, t.size, m->size))
      errors.add("loadable.tensor_range", place,
                 fmt::format("{} bytes at {} end after memory {} of {} bytes", t.size, t.offset,
                             t.mem_id, m->size));
    if (t.n < 1 || t.c < 1 || t.h < 1 || t.w < 1)
      errors.add("loadable.tensor_shape", place,
                 fmt::format("shape {}x{}x{}x{}, expected positive sizes", t.n, t.c, t.h, t.w));
  }
}

void check_relocs(const Loadable& l, Diagnostics& errors) {
  for (size_t i = 0; i < l.relocs.size(); ++i) {
    const Reloc& r = l.relocs[i];
    const std::string place = fmt::format("relocs[{}]", i);
    if (find_id(l.addresses, r.address_id) == nullptr)
      errors.add("loadable.reloc", place, fmt::format("no address has id {}", r.address_id));
    const Memory* m = find_id(l.memories, r.write_id);
    if (m == nullptr)
      errors.add("loadable.reloc", place, fmt::format("no memory to write has id {}", r.write_id));
    else if (!fits(r.offset, sizeof(uint32_t), m->size))
      errors.add("loadable.reloc", place,
                 fmt::format("byte {} is after memory {} of {} bytes", r.offset, m->id, m->size));
    if (r.reloc_type != 1 && r.reloc_type != 2)
      errors.add(
          "loadable.reloc", place,
          fmt::format("type {}, known 1 (line stride) and 2 (surface stride)", r.reloc_type));
  }
}

void check_events_and_submits(const Loadable& l, Diagnostics& errors) {
  for (const Event& e : l.events)
    if (e.op > DLA_EVENT_ACTION_SIGNAL)
      errors.add("loadable.event_op", fmt::format("event {}", e.id),
                 fmt::format("op {}, known 0 (wait) and 1 (signal)", e.op));
  for (const Submit& s : l.submits)
    for (const uint16_t task : s.task_ids)
      if (find_id(l.tasks, task) == nullptr)
        errors.add("loadable.submit_task", fmt::format("submit {}", s.id),
                   fmt::format("no task has id {}", task));
}

}  // namespace

std::string Version::text() const { return fmt::format("{}.{}.{}", major, minor, sub_minor); }

const Task* Loadable::task(uint16_t id) const { return find_id(tasks, id); }
const Memory* Loadable::memory(uint16_t id) const { return find_id(memories, id); }
const Address* Loadable::address(uint16_t id) const { return find_id(addresses, id); }

const Blob* Loadable::blob(const std::string& name) const {
  const auto it =
      std::find_if(blobs.begin(), blobs.end(), [&name](const Blob& b) { return b.name == name; });
  return it == blobs.end() ? nullptr : &*it;
}

Diagnostics validate(const Loadable& l) {
  Diagnostics errors;
  if (l.version.major != 0 || l.version.minor != 7)
    errors.add("loadable.version", "version", fmt::format("{}, expected 0.7.x", l.version.text()));
  if (l.tasks.empty()) errors.add("loadable.tasks", "task_list", "a loadable needs a task");
  check_unique(l.tasks, "task", errors);
  check_unique(l.memories, "memory", errors);
  check_unique(l.addresses, "address", errors);
  check_unique(l.events, "event", errors);
  check_unique(l.tensors, "tensor", errors);
  check_unique(l.submits, "submit", errors);
  check_tasks(l, errors);
  check_memories(l, errors);
  check_addresses(l, errors);
  check_blobs(l, errors);
  check_tensors(l, errors);
  check_relocs(l, errors);
  check_events_and_submits(l, errors);
  return errors;
}

std::vector<uint8_t> initial_contents(const Loadable& l, const Memory& memory) {
  std::vector<uint8_t> bytes(memory.size);
  for (size_t i = 0; i < memory.contents.size(); ++i) {
    const Blob* blob = l.blob(memory.contents[i]);
    if (blob != nullptr && !blob->data.empty())
      std::memcpy(bytes.data() + memory.offsets[i], blob->data.data(), blob->data.size());
  }
  return bytes;
}

}  // namespace dlavp::loadable
