// The compiler's reader of loadables, down to the descriptors.
#include <nlohmann/json.hpp>

#include "compiler/loadable/describe.hpp"
#include "compiler/loadable/task_view.hpp"
#include "fuzz/input_targets.hpp"

namespace dlavp::fuzz {

namespace {

constexpr uint64_t kLargestMemory = 1 << 20;

template <typename Task>
bool describe(const Result<Task>& task) {
  if (!task) {
    DLAVP_CHECK(!task.errors().errors().front().id.empty(), "an error without an id");
    return false;
  }
  const auto text = loadable::describe_task(*task).dump(
      -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  DLAVP_CHECK(text.size() > 2, "a task without content");
  return true;
}

}  // namespace

bool run_loadable(std::span<const uint8_t> input) {
  const auto read = loadable::read_loadable(input);
  if (!read) {
    DLAVP_CHECK(!read.errors().errors().front().id.empty(), "an error without an id");
    return false;
  }
  DLAVP_CHECK(loadable::validate(*read).empty(), "a loadable that was read is not valid");
  bool accepted = true;
  for (const loadable::Task& task : read->tasks)
    accepted &= task.interface == DLA_INTERFACE_EMU
                    ? describe(loadable::read_emu_task(*read, task))
                    : describe(loadable::read_dla_task(*read, task));
  static_cast<void>(loadable::describe_container(*read));
  for (const loadable::Memory& memory : read->memories)
    if (memory.size <= kLargestMemory)
      DLAVP_CHECK(loadable::initial_contents(*read, memory).size() == memory.size,
                  "memory {} has another size than {}", memory.id, memory.size);
  const auto again = loadable::read_loadable(loadable::write_loadable(*read));
  DLAVP_CHECK(again.ok() && *again == *read, "written and read again it is another loadable");
  return accepted;
}

}  // namespace dlavp::fuzz
