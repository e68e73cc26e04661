// The order of a task's operations: who waits for whom, and what is therefore certain to be over
// before an operation starts.
#pragma once

#include <vector>

#include "compiler/schedule/hw_program.hpp"

namespace dlavp::compiler {

/// before[j][i]: operation i of the task is complete before operation j is enabled.
using CompletedBefore = std::vector<std::vector<bool>>;

/// Fills consumers, fused_parent and dependencies of every operation. The firmware enables the
/// operations of one engine in order (each waits for the one before it to be enabled), has at most
/// two of an engine in flight, and starts a fused SDP before its convolution.
CompletedBefore link_operations(HwTask& task);

/// The same relation, derived from the links alone; what `verify` trusts.
[[nodiscard]] CompletedBefore completed_before(const HwTask& task);

}  // namespace dlavp::compiler
