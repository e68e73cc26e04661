#include "models/nvdla/accelerator.hpp"

#include "models/cdp/cdp.hpp"
#include "models/conv/conv_pipeline.hpp"
#include "models/glb/cfgrom.hpp"
#include "models/pdp/pdp.hpp"
#include "models/sdp/sdp.hpp"
#include "registers.hpp"

namespace dlavp::nvdla {

/// The datapath: convolution hands to SDP, SDP to PDP; CDP stands alone.
struct Accelerator::Wiring {
  Wiring(const HwConfig& hw, const UnitContext& unit_context)
      : context(unit_context), conv(context), sdp(context, conv.output()) {
    if (hw.hw == 2) cfgrom = std::make_unique<glb::Cfgrom>(hw);
    if (hw.pdp) pdp = std::make_unique<pdp::Pdp>(context, sdp.output());
    if (hw.cdp) cdp = std::make_unique<cdp::Cdp>(context);
  }

  std::vector<Unit*> all() {
    std::vector<Unit*> units{&conv, &sdp};
    for (Unit* unit : {cfgrom.get(), pdp.get(), cdp.get()})
      if (unit) units.push_back(unit);
    return units;
  }

  UnitContext context;
  conv::ConvPipeline conv;
  sdp::Sdp sdp;
  std::unique_ptr<Unit> cfgrom, pdp, cdp;
};

Accelerator::Accelerator(const HwConfig& hw, const TimingParams& timing, const MemoryPorts& ports,
                         RunMode mode)
    : hw_(hw),
      timing_(timing),
      ports_(ports),
      mode_(mode),
      events_(std::make_unique<sim::EventQueue>()) {
  DLAVP_CHECK(ports.primary && ports.primary_timing, "{}: the primary memory port is not connected",
              hw.name);
  DLAVP_CHECK(!hw.secondary_memif || (ports.secondary && ports.secondary_timing),
              "{}: the secondary memory port is not connected", hw.name);
  if (mode_.function && std::thread::hardware_concurrency() > 1)
    worker_ = std::make_unique<Worker>();
  build();
}

void Accelerator::build() {
  glb_ = std::make_unique<glb::Glb>(hw_, timing_, *events_);
  glb_->on_line([this](bool high) {
    if (on_interrupt_) on_interrupt_(high);
  });
  mcif_ = std::make_unique<mcif::Mcif>(hw_, hw_.primary_memif, timing_, regs::kMcif, *events_,
                                       *ports_.primary_timing, mode_);
  if (hw_.secondary_memif)
    cvif_ = std::make_unique<mcif::Mcif>(hw_, *hw_.secondary_memif, timing_, regs::kCvif, *events_,
                                         *ports_.secondary_timing, mode_);
  UnitContext context{
      .hw = hw_,
      .timing = timing_,
      .events = *events_,
      .memory = {ports_.primary, hw_.secondary_memif ? ports_.secondary : nullptr},
      .mcif = mcif_.get(),
      .cvif = cvif_.get(),
      .raise_interrupt = [this](IntrSource source, unsigned group) { glb_->raise(source, group); },
      .observer = this,
      .watcher_slot = &watcher_,
      .activity_slots = &activities_,
      .mode = mode_,
      .worker = worker_.get()};
  wiring_ = std::make_unique<Wiring>(hw_, context);
  units_ = wiring_->all();
  units_.push_back(glb_.get());
  units_.push_back(mcif_.get());
  if (cvif_) units_.push_back(cvif_.get());
  for (Unit* unit : units_) map_registers(*unit);
}

Accelerator::~Accelerator() = default;

void Accelerator::reset() {
  const bool was_high = glb_->line();
  wiring_.reset();
  units_.clear();
  pages_ = {};
  // The old queue holds events of units that are gone: time goes on in another one.
  auto events = std::make_unique<sim::EventQueue>();
  events->run_until(events_->now());
  events_ = std::move(events);
  operations_.clear();
  program_errors_ = {};
  hazard_checker_ = {};
  build();
  if (was_high && on_interrupt_) on_interrupt_(false);
}

void Accelerator::map_registers(Unit& unit) {
  for (regs::RegBlock* block : unit.reg_blocks()) {
    const int64_t base = block->table().base(hw_.hw);
    if (base < 0) continue;
    DLAVP_CHECK(base % kPageBytes == 0 && base < kWindowBytes, "{}: base {:#x}",
                block->table().name, base);
    regs::RegBlock*& page = pages_[static_cast<size_t>(base) / kPageBytes];
    DLAVP_CHECK(page == nullptr, "{} and {} share base {:#x}", block->table().name,
                page->table().name, base);
    page = block;
  }
}

uint32_t Accelerator::csb_read(uint32_t address) const {
  const regs::RegBlock* block = pages_[address % kWindowBytes / kPageBytes];
  return block ? block->read(address % kPageBytes) : 0;
}

void Accelerator::csb_write(uint32_t address, uint32_t value) {
  regs::RegBlock* block = pages_[address % kWindowBytes / kPageBytes];
  if (block)
    block->write(address % kPageBytes, value);
  else
    refuse_absent(address % kWindowBytes);
}

// GEC is no unit of the published RTL: it never answers.
void Accelerator::refuse_absent(uint32_t address) {
  for (const regs::UnitTable* unit : regs::all_units()) {
    if (unit == &regs::kGec || unit->base(hw_.hw) != address / kPageBytes * kPageBytes) continue;
    const bool there = (unit == &regs::kBdma && hw_.bdma) || (unit == &regs::kRbk && hw_.rubik);
    return program_error(Diagnostics(
        {there ? "nvdla.unsupported_unit" : "nvdla.absent_unit", fmt::format("CSB {:#x}", address),
         there ? fmt::format("{} is in {}, but is not modelled", unit->name, hw_.name)
               : fmt::format("{} is not in {}", unit->name, hw_.name)}));
  }
}

void Accelerator::operation_done(const OpRecord& record) {
  uint64_t sum = 0;
  for (const uint64_t part : record.cycles.parts()) sum += part;
  DLAVP_CHECK(record.cycles.started() == record.started && sum == record.done - record.started,
              "{}: {} cycles accounted for from {}, {} passed from {}", record.unit, sum,
              record.cycles.started(), record.done - record.started, record.started);
  operations_.push_back(record);
}

void Accelerator::program_error(const Diagnostics& errors) {
  program_errors_.append(errors);
  if (on_program_error_) on_program_error_(errors);
}

std::vector<std::string> Accelerator::busy_blocks() const {
  std::vector<std::string> names;
  for (const regs::RegBlock* block : pages_)
    for (const unsigned group : {0u, 1u})
      if (block && block->enabled(group))
        names.push_back(fmt::format("{} group {}", block->table().name, group));
  return names;
}

bool Accelerator::idle() const {
  for (const Unit* unit : units_)
    if (!unit->idle()) return false;
  return true;
}

uint64_t Accelerator::read_beats() const {
  return mcif_->read_beats() + (cvif_ ? cvif_->read_beats() : 0);
}
uint64_t Accelerator::write_beats() const {
  return mcif_->write_beats() + (cvif_ ? cvif_->write_beats() : 0);
}

}  // namespace dlavp::nvdla
