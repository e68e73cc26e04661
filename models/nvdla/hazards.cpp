#include "models/nvdla/hazards.hpp"

namespace dlavp::nvdla {

namespace {

std::string text(const MemoryUse& use) {
  return fmt::format("{} {:#x} to {:#x}{}", use.what, use.where.address,
                     use.where.address + use.where.extent() - 1,
                     use.where.ram == RamType::kCv ? " (secondary memory)" : "");
}

}  // namespace

uint64_t HazardChecker::begin(uint64_t operation, const MemoryUse& use) {
  for (const auto& [number, other] : in_flight_) {
    if (other.operation == operation || !(use.write || other.use.write)) continue;
    if (found_.errors().size() >= kMostReports || !overlap(use.where, other.use.where)) continue;
    const char* id = !use.write        ? "hazard.read_after_write"
                     : other.use.write ? "hazard.write_after_write"
                                       : "hazard.write_after_read";
    found_.add(id, fmt::format("{} group {}", use.unit, use.group),
               fmt::format("{} {} while {} group {} in flight {} {}",
                           use.write ? "writes" : "reads", text(use), other.use.unit,
                           other.use.group, other.use.write ? "writes" : "reads", text(other.use)));
  }
  in_flight_[++claims_] = {operation, use};
  return claims_;
}

}  // namespace dlavp::nvdla
