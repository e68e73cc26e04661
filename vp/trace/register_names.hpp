// Register names of traces ("NVDLA_CDMA.D_MISC_CFG_0") and interrupt names ("CDMA_DAT_0").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "models/regs/reg_table.hpp"

namespace dlavp::trace {

struct NamedRegister {
  std::string resource;  ///< "CDMA"
  uint32_t address = 0;  ///< byte address on CSB
  const regs::RegInfo* info = nullptr;
};

/// "NVDLA_<unit>.<register>_0" in the generation `hw`; nothing if there is no such register.
[[nodiscard]] std::optional<NamedRegister> find_register(std::string_view name, int hw);
/// The register at a CSB byte address.
[[nodiscard]] std::optional<NamedRegister> find_register(uint32_t address, int hw);

/// Bit of GLB's status that "SDP_0", "CDMA_WT_1", ... names.
[[nodiscard]] std::optional<unsigned> find_interrupt(std::string_view name);

}  // namespace dlavp::trace
