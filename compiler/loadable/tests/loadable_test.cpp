// The container: round trip, determinism, every validation rule, and damaged files.
#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>

#include "compiler/loadable/task_view.hpp"
#include "compiler/loadable/tests/small_loadable.hpp"

using namespace dlavp;
using namespace dlavp::loadable;
using loadable::testing::small_loadable;

namespace {

/// The errors of the small loadable after `damage`.
Diagnostics errors_after(const std::function<void(Loadable&)>& damage) {
  Loadable l = small_loadable();
  damage(l);
  return validate(l);
}

/// Reads whatever a damaged file still holds, down to the descriptors. True if all of it is valid.
bool read_everything(const std::vector<uint8_t>& bytes) {
  const Result<Loadable> l = read_loadable(bytes);
  if (!l) return false;
  for (const Task& task : l->tasks) {
    if (task.interface == DLA_INTERFACE_DLA && !read_dla_task(*l, task)) return false;
    if (task.interface == DLA_INTERFACE_EMU && !read_emu_task(*l, task)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("loadable: what is written is read back equal") {
  const Loadable l = small_loadable();
  const Result<Loadable> read = read_loadable(write_loadable(l));
  REQUIRE(read.ok());
  CHECK(*read == l);
}

TEST_CASE("loadable: equal content gives equal bytes, with NVIDIA's identifier") {
  const std::vector<uint8_t> bytes = write_loadable(small_loadable());
  CHECK(bytes == write_loadable(small_loadable()));
  CHECK(std::string(bytes.begin() + 4, bytes.begin() + 8) == "NVDA");
}

TEST_CASE("loadable: the file in tests/data is what the small loadable becomes") {
  const std::string path = std::string(DLAVP_SOURCE_DIR) + "/tests/data/small.nvdla";
  const std::vector<uint8_t> bytes = write_loadable(small_loadable());
  if (std::getenv("DLAVP_UPDATE_GOLDENS") != nullptr) {
    std::ofstream out(path, std::ios::binary);
    for (const uint8_t byte : bytes) out.put(static_cast<char>(byte));
  }
  std::ifstream in(path, std::ios::binary);
  const std::vector<uint8_t> golden{std::istreambuf_iterator<char>(in), {}};
  CHECK(golden == bytes);
}

TEST_CASE("loadable: initial contents place each blob at its offset") {
  Loadable l = small_loadable();
  l.blobs.push_back({"weights", DLA_INTERFACE_NONE, 0, {}, {7, 8, 9}});
  l.memories[1].contents = {"weights"};
  l.memories[1].offsets = {5};
  const std::vector<uint8_t> bytes = initial_contents(l, l.memories[1]);
  REQUIRE(bytes.size() == 128);
  CHECK(bytes[4] == 0);
  CHECK(bytes[5] == 7);
  CHECK(bytes[7] == 9);
  CHECK(bytes[8] == 0);
}

TEST_CASE("loadable: each broken rule of the container is named") {
  struct Case {
    const char* id;
    std::function<void(Loadable&)> damage;
  };
  const std::vector<Case> cases = {
      {"loadable.version", [](Loadable& l) { l.version.minor = 8; }},
      {"loadable.tasks", [](Loadable& l) { l.tasks.clear(); }},
      {"loadable.id", [](Loadable& l) { l.memories[2].id = 1; }},
      {"loadable.interface", [](Loadable& l) { l.tasks[0].interface = 3; }},
      {"loadable.task_address", [](Loadable& l) { l.tasks[0].address_list[3] = 77; }},
      {"loadable.task_address", [](Loadable& l) { l.tasks[0].address_list.clear(); }},
      {"loadable.task_event", [](Loadable& l) { l.tasks[0].pre_actions = {4}; }},
      {"loadable.memory_domain", [](Loadable& l) { l.memories[1].domain = 2; }},
      {"loadable.memory_flags", [](Loadable& l) { l.memories[1].flags = 64; }},
      {"loadable.memory_size", [](Loadable& l) { l.memories[1].size = uint64_t{1} << 40; }},
      {"loadable.memory_alignment", [](Loadable& l) { l.memories[1].alignment = 24; }},
      {"loadable.memory_contents", [](Loadable& l) { l.memories[0].offsets.clear(); }},
      {"loadable.blob_missing", [](Loadable& l) { l.memories[0].contents[0] = "other"; }},
      {"loadable.blob_range", [](Loadable& l) { l.memories[0].offsets[0] = 1; }},
      {"loadable.blob_name", [](Loadable& l) { l.blobs[1].name = l.blobs[0].name; }},
      {"loadable.blob_name", [](Loadable& l) { l.blobs[1].name.clear(); }},
      {"loadable.address_memory", [](Loadable& l) { l.addresses[1].mem_id = 9; }},
      {"loadable.address_range", [](Loadable& l) { l.addresses[1].size = 129; }},
      {"loadable.tensor_memory", [](Loadable& l) { l.tensors[0].mem_id = 9; }},
      {"loadable.tensor_range", [](Loadable& l) { l.tensors[0].offset = 1; }},
      {"loadable.tensor_shape", [](Loadable& l) { l.tensors[0].c = 0; }},
      {"loadable.reloc", [](Loadable& l) { l.relocs[0].address_id = 9; }},
      {"loadable.reloc", [](Loadable& l) { l.relocs[0].write_id = 9; }},
      {"loadable.reloc", [](Loadable& l) { l.relocs[0].offset = 642; }},
      {"loadable.reloc", [](Loadable& l) { l.relocs[0].reloc_type = 3; }},
      {"loadable.event_op", [](Loadable& l) { l.events[0].op = 2; }},
      {"loadable.submit_task", [](Loadable& l) { l.submits[0].task_ids = {1}; }},
  };
  REQUIRE(validate(small_loadable()).empty());
  for (const Case& c : cases) {
    INFO(c.id);
    const Diagnostics errors = errors_after(c.damage);
    CHECK(errors.has(c.id));
    for (const Error& e : errors.errors()) CHECK_FALSE(e.place.empty());
  }
}

TEST_CASE("loadable: all errors are listed, not only the first") {
  const Diagnostics errors = errors_after([](Loadable& l) {
    l.version.major = 1;
    l.addresses[2].mem_id = 60;
    l.submits[0].task_ids = {5};
  });
  CHECK(errors.errors().size() == 3);
}

TEST_CASE("loadable: a file cut short at any length is refused") {
  const std::vector<uint8_t> whole = write_loadable(small_loadable());
  REQUIRE(read_everything(whole));
  size_t accepted = 0;
  for (size_t length = 0; length < whole.size(); ++length) {
    const std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length));
    const Result<Loadable> l = read_loadable(cut);
    if (l) ++accepted;
    if (!l) CHECK(l.errors().errors().front().id.starts_with("loadable."));
  }
  CHECK(accepted == 0);
}

TEST_CASE("loadable: no flipped bit makes the reader crash") {
  const std::vector<uint8_t> whole = write_loadable(small_loadable());
  size_t refused = 0;
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::vector<uint8_t> damaged = whole;
    damaged[bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
    if (!read_everything(damaged)) ++refused;
  }
  CHECK(refused > 1000);  // many flips only change a number that may be anything
}

TEST_CASE("loadable: text and empty input are not loadables") {
  CHECK(read_loadable({}).errors().has("loadable.format"));
  const std::string text = "this is no loadable, though it is long enough to be one";
  const std::vector<uint8_t> bytes(text.begin(), text.end());
  CHECK(read_loadable(bytes).errors().has("loadable.format"));
}

TEST_CASE("loadable: a blob whose size differs from its data is named") {
  // The size field of a blob cannot be wrong in what we write, so it is changed in the bytes.
  Loadable l = small_loadable();
  l.blobs.push_back({"odd", 0, 0, {}, std::vector<uint8_t>(0x1234)});
  std::vector<uint8_t> bytes = write_loadable(l);
  size_t changed = 0;
  for (size_t i = 0; i + 8 <= bytes.size(); ++i) {
    constexpr std::array<uint8_t, 8> kSize = {0x34, 0x12, 0, 0, 0, 0, 0, 0};
    if (changed == 0 && i % 4 == 0 &&
        std::equal(kSize.begin(), kSize.end(), bytes.begin() + static_cast<ptrdiff_t>(i))) {
      std::vector<uint8_t> tried = bytes;
      tried[i] = 0x33;
      const Result<Loadable> read = read_loadable(tried);
      if (!read && read.errors().has("loadable.blob_size")) ++changed;
    }
  }
  CHECK(changed == 1);
}
