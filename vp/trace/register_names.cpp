#include "vp/trace/register_names.hpp"

#include <utility>

#include "models/glb/glb.hpp"
#include "registers.hpp"

namespace dlavp::trace {

std::optional<NamedRegister> find_register(std::string_view name, int hw) {
  constexpr std::string_view kPrefix = "NVDLA_", kSuffix = "_0";
  const size_t dot = name.find('.');
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) || dot == std::string_view::npos)
    return std::nullopt;
  const std::string_view unit = name.substr(kPrefix.size(), dot - kPrefix.size());
  const std::string_view reg = name.substr(dot + 1, name.size() - kSuffix.size() - dot - 1);
  for (const regs::UnitTable* table : regs::all_units()) {
    if (table->name != unit || table->base(hw) < 0) continue;
    for (const regs::RegInfo& info : table->registers)
      if (info.name == reg)
        return NamedRegister{table->name, static_cast<uint32_t>(table->base(hw)) + info.offset,
                             &info};
  }
  return std::nullopt;
}

std::optional<NamedRegister> find_register(uint32_t address, int hw) {
  for (const regs::UnitTable* table : regs::all_units())
    for (const regs::RegInfo& info : table->registers)
      if (table->base(hw) >= 0 && table->base(hw) + info.offset == address)
        return NamedRegister{table->name, address, &info};
  return std::nullopt;
}

std::optional<unsigned> find_interrupt(std::string_view name) {
  static constexpr std::pair<std::string_view, IntrSource> kSources[] = {
      {"SDP", IntrSource::kSdp},          {"CDP", IntrSource::kCdp},
      {"PDP", IntrSource::kPdp},          {"BDMA", IntrSource::kBdma},
      {"RUBIK", IntrSource::kRubik},      {"RBK", IntrSource::kRubik},
      {"CDMA_DAT", IntrSource::kCdmaDat}, {"CDMA_WT", IntrSource::kCdmaWt},
      {"CACC", IntrSource::kCacc}};
  if (name.size() < 3 || name[name.size() - 2] != '_') return std::nullopt;
  const char group = name.back();
  if (group != '0' && group != '1') return std::nullopt;
  const std::string_view unit = name.substr(0, name.size() - 2);
  for (const auto& [text, source] : kSources)
    if (text == unit) return glb::status_bit(source, group == '1' ? 1 : 0);
  return std::nullopt;
}

}  // namespace dlavp::trace
