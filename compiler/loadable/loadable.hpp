// Loadable: the file between compiler and firmware, as plain structs. It names memories, places
// constants (blobs) in them, lists the addresses each task may use, and says in which order tasks
// run. The wire format is a FlatBuffer (loadable.fbs); what the blobs hold is in
// dla_descriptors.h and task_view.hpp. Left out: nothing of interface version 0.7.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp::loadable {

struct Version {
  uint8_t major = 0, minor = 0, sub_minor = 0;
  bool operator==(const Version&) const = default;
  [[nodiscard]] std::string text() const;
};

/// One job for one interface (DLA_INTERFACE_*). `address_list` holds address ids; the first is the
/// task's network descriptor, and descriptors refer to an address by its position in this list.
struct Task {
  uint16_t id = 0;
  uint32_t interface = 0;
  int16_t instance = -1;  ///< -1: any
  std::vector<uint16_t> address_list;
  std::vector<uint16_t> pre_actions, post_actions;  ///< event ids
  bool operator==(const Task&) const = default;
};

/// A block of memory the runtime provides. `contents[i]` names the blob that lies at `offsets[i]`.
struct Memory {
  uint16_t id = 0;
  uint8_t domain = 0;  ///< DLA_DOMAIN_*
  uint16_t flags = 0;  ///< DLA_MEMORY_*
  uint64_t size = 0;   ///< bytes
  uint32_t alignment = 0;
  std::vector<std::string> contents;
  std::vector<uint64_t> offsets;
  uint16_t bind_id = 0;         ///< inputs and outputs are bound by this number
  uint16_t tensor_desc_id = 0;  ///< index of the tensor when bound
  bool operator==(const Memory&) const = default;
};

/// A place in a memory: the bytes from `offset` to the memory's end. NVIDIA's compiler writes the
/// whole memory's size, or 0, into `size`, wherever the place is.
struct Address {
  uint16_t id = 0;
  uint16_t mem_id = 0;
  uint64_t offset = 0, size = 0;
  bool operator==(const Address&) const = default;
};

struct Event {
  uint16_t id = 0;
  uint8_t type = 0;
  uint16_t target = 0;
  uint32_t val = 0;
  uint8_t op = 0;  ///< DLA_EVENT_ACTION_*
  bool operator==(const Event&) const = default;
};

struct Blob {
  std::string name;
  uint32_t interface = 0;
  uint32_t sub_interface = 0;
  Version version;
  std::vector<uint8_t> data;
  bool operator==(const Blob&) const = default;
};

/// What an input or output holds, for the program that binds it.
struct Tensor {
  std::string name;
  uint16_t id = 0, mem_id = 0;
  uint64_t size = 0, offset = 0;  ///< bytes, within the memory
  uint8_t data_format = 0;        ///< DLA_TENSOR_NCHW ...
  uint8_t data_type = 0;          ///< DLA_TENSOR_FLOAT ...
  uint8_t data_category = 0;      ///< DLA_TENSOR_IMAGE or _FEATURE
  uint8_t pixel_format = 0;
  uint8_t pixel_mapping = 0;
  int32_t n = 0, c = 0, h = 0, w = 0;
  std::array<uint32_t, 8> stride{};  ///< bytes of an element, a line, a surface (or plane)
  bool operator==(const Tensor&) const = default;
};

/// Where the runtime writes a bound tensor's line (1) or surface (2) stride.
struct Reloc {
  uint16_t address_id = 0;
  uint16_t write_id = 0;  ///< memory id of the surface or buffer list that is patched
  uint64_t offset = 0;    ///< byte within it
  uint32_t interface = 0, sub_interface = 0;
  uint8_t reloc_type = 0;
  bool operator==(const Reloc&) const = default;
};

struct Submit {
  uint16_t id = 0;
  std::vector<uint16_t> task_ids;
  bool operator==(const Submit&) const = default;
};

struct Loadable {
  Version version{0, 7, 0};
  std::vector<Task> tasks;
  std::vector<Memory> memories;
  std::vector<Address> addresses;
  std::vector<Event> events;
  std::vector<Blob> blobs;
  std::vector<Tensor> tensors;
  std::vector<Reloc> relocs;
  std::vector<Submit> submits;
  bool operator==(const Loadable&) const = default;

  /// nullptr if there is none.
  [[nodiscard]] const Task* task(uint16_t id) const;
  [[nodiscard]] const Memory* memory(uint16_t id) const;
  [[nodiscard]] const Address* address(uint16_t id) const;
  [[nodiscard]] const Blob* blob(const std::string& name) const;
};

/// Decodes and validates. Every error names its place ("memory 3: offsets[1]"). A missing file
/// identifier is accepted: the published regression loadables have none.
Result<Loadable> read_loadable(std::span<const uint8_t> bytes);

/// Every rule of the container that `loadable` violates: unique ids, references that exist,
/// windows inside their memories, blobs inside theirs.
[[nodiscard]] Diagnostics validate(const Loadable& loadable);

/// The FlatBuffer; equal loadables give equal bytes. `loadable` need not be valid.
[[nodiscard]] std::vector<uint8_t> write_loadable(const Loadable& loadable);

/// The bytes of one memory before the first task runs: zeros with its blobs placed.
/// Precondition: the loadable is valid and the memory is at most 4 GiB.
[[nodiscard]] std::vector<uint8_t> initial_contents(const Loadable& loadable, const Memory& memory);

}  // namespace dlavp::loadable
