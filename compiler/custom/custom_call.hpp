// From a node of a custom operator to the call of its C function on this machine.
#pragma once

#include <memory>

#include "compiler/custom/custom_layer.hpp"
#include "compiler/custom/expression.hpp"
#include "sw/kit/host_layer.hpp"

namespace dlavp::compiler {

/// Values of the attributes in the order of their declaration: an integer or a choice is a
/// parameter, a real is a real; a list puts its length and (of integers) its items among the
/// parameters, reals among the reals. Errors: custom.attribute (missing, unknown, no whole number,
/// out of range), each naming the attribute.
Result<CustomArguments> custom_arguments(const CustomLayer& layer,
                                         const CustomAttributes& attributes);

/// The operator for front ends and interpreters.
[[nodiscard]] std::shared_ptr<const CustomDefinition> define_custom(
    const CustomLayer& layer, std::shared_ptr<const kit::HostLayer> host);

}  // namespace dlavp::compiler
