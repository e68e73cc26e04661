// Whole-number expressions of shape rules: + - * / % ( ), min and max, names; / rounds down.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "models/common/result.hpp"

namespace dlavp::compiler {

/// Errors: custom.expression (syntax, unknown name: lists the known ones), custom.value (overflow,
/// division by zero).
Result<int64_t> evaluate_expression(const std::string& text,
                                    const std::map<std::string, int64_t>& names);

}  // namespace dlavp::compiler
