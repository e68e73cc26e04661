// Operations that run on the platform's core through a parameter block.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compiler/loadable/core_block.h"
#include "compiler/loadable/loadable.hpp"

namespace dlavp::reference {

/// Checks and runs one operation of `task` on `memories` (by memory id): reference.core, with the
/// firmware's words.
Diagnostics run_core(const loadable::Loadable& loadable, const loadable::Task& task,
                     const DlaEmuOp& operation, const std::string& place,
                     std::map<uint16_t, std::vector<uint8_t>>& memories);

}  // namespace dlavp::reference
