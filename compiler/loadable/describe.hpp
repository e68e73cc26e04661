// A loadable's content as JSON, every field by the name it has in dla_descriptors.h: what
// `dlavp inspect` prints. Reserved fields are left out.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "compiler/loadable/task_view.hpp"

namespace dlavp::loadable {

/// The operation's descriptor (without its cubes and its node in the graph).
[[nodiscard]] nlohmann::ordered_json describe_operation(const DlaEntry& entry);

/// A cube: type, address, offset, sizes, strides.
[[nodiscard]] nlohmann::ordered_json describe_cube(const DlaCube& cube);

/// Start, end, slopes, priorities and both tables.
[[nodiscard]] nlohmann::ordered_json describe_lut(const DlaLut& lut);

[[nodiscard]] nlohmann::ordered_json describe_emu(const EmuEntry& entry);

/// One DLA task: network descriptor, operations with dependencies, cubes and fields, LUTs.
[[nodiscard]] nlohmann::ordered_json describe_task(const DlaTask& task);
[[nodiscard]] nlohmann::ordered_json describe_task(const EmuTask& task);

/// The container: memories, addresses, events, blobs, tensors, relocations, submits.
[[nodiscard]] nlohmann::ordered_json describe_container(const Loadable& loadable);

}  // namespace dlavp::loadable
