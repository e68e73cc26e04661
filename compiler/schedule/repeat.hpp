// Elements that become several rows or columns, as copies: each repetition writes every so-maniest
// row or, with all pixels as lines of one, every so-maniest pixel.
#pragma once

#include <string>
#include <vector>

#include "compiler/schedule/hw_program.hpp"

namespace dlavp::compiler {

struct RepeatedCopy {
  View src, dst;
  std::string suffix;  ///< of the layer's name
};
/// From `from` to `to`, which is `point.repeat_h` times as high or `point.repeat_w` times as wide.
[[nodiscard]] std::vector<RepeatedCopy> repeated_copies(const View& from, const View& to,
                                                        const PointLayer& point, uint32_t atom);

}  // namespace dlavp::compiler
