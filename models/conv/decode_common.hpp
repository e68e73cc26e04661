// Shared parts of the convolution decoders: collecting named errors of one register group, and the
// convolution-buffer fields that CDMA and CSC both have.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "models/conv/conv_op.hpp"

namespace dlavp::conv {

class DecodeErrors {
 public:
  explicit DecodeErrors(const regs::RegView& regs)
      : place_(fmt::format("{} group {}", regs.block().table().name, regs.group())) {}

  template <typename... Args>
  void add(std::string_view id, fmt::format_string<Args...> format, Args&&... args) {
    errors_.add(std::string(id), place_, fmt::format(format, std::forward<Args>(args)...));
  }
  [[nodiscard]] bool empty() const { return errors_.empty(); }
  [[nodiscard]] const Diagnostics& all() const { return errors_; }

 private:
  std::string place_;
  Diagnostics errors_;
};

/// What all five units have to refuse, each with its own error ids.
struct ModeFields {
  regs::Field conv_mode, proc_precision;
  std::string_view winograd_id, precision_id;
};

/// The registers of which CDMA and CSC each have a copy, and the unit's error ids.
struct CbufFields {
  ModeFields mode;
  regs::Field in_precision, data_reuse, weight_reuse, skip_data_rls, skip_weight_rls, datain_format,
      entries, data_bank, weight_bank, weight_format, batches;
  std::string_view weight_format_id, batch_id, bank_id;
};

CbufUse decode_cbuf_use(const regs::RegView& regs, const CbufFields& fields, const HwConfig& hw,
                        DecodeErrors& errors);

/// Refuses what int8 hardware lacks: Winograd, other precisions.
void check_mode(const regs::RegView& regs, const ModeFields& fields, DecodeErrors& errors);

}  // namespace dlavp::conv
