#include "fuzz/csb_target.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string_view>

#include "fuzz/byte_source.hpp"
#include "fuzz/legal_programs.hpp"
#include "models/mcif/memory_timing.hpp"
#include "models/nvdla/accelerator.hpp"
#include "registers.hpp"

namespace dlavp::fuzz {

namespace {

constexpr const char* kConfigs[] = {"nv_small", "nv_large", "nv_small_256_full", "nv_medium_512",
                                    "nv_full"};
constexpr unsigned kMostCommands = 40, kMostMutations = 4;
constexpr sim::Cycle kMostCycles = 120'000;
constexpr uint64_t kMostEvents = 1'500'000;

struct Setup {
  HwConfig hw;
  TimingParams timing;
};

const Setup& setup(unsigned index) {
  static std::array<std::unique_ptr<Setup>, std::size(kConfigs)> all;
  if (!all[index]) {
    const HwConfig hw = load_hw_config(kConfigs[index]).value();
    all[index] = std::make_unique<Setup>(Setup{hw, TimingParams::load(hw).value()});
  }
  return *all[index];
}

/// The units that have register groups, as programs may address them.
const std::array kUnits = {&regs::kCdma, &regs::kCsc,     &regs::kCmacA, &regs::kCmacB,
                           &regs::kCacc, &regs::kSdpRdma, &regs::kSdp,   &regs::kPdpRdma,
                           &regs::kPdp,  &regs::kCdpRdma, &regs::kCdp,   &regs::kGlb,
                           &regs::kMcif, &regs::kCvif};

/// Where legal programs have their cubes; between the windows nothing answers.
class Windows final : public Memory {
 public:
  Windows() {
    for (const uint64_t base : {0x10000u, 0x200000u, 0x300000u, 0x400000u, 0x800000u}) {
      std::vector<uint8_t>& bytes = windows_[base];
      bytes.resize(kBytes);
      uint32_t state = static_cast<uint32_t>(base) + 1;
      for (uint8_t& b : bytes)
        b = static_cast<uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    }
  }
  bool read(uint64_t address, std::span<uint8_t> out) override {
    const uint8_t* at = find(address, out.size());
    if (at) std::copy_n(at, out.size(), out.begin());
    return at != nullptr;
  }
  bool write(uint64_t address, std::span<const uint8_t> in) override {
    uint8_t* at = find(address, in.size());
    if (at) std::copy_n(in.begin(), in.size(), at);
    return at != nullptr;
  }

 private:
  static constexpr uint64_t kBytes = 0x20000;
  uint8_t* find(uint64_t address, uint64_t bytes) {
    auto above = windows_.upper_bound(address);
    if (above == windows_.begin()) return nullptr;
    auto& [base, data] = *std::prev(above);
    if (address - base > kBytes || bytes > kBytes - (address - base)) return nullptr;
    return data.data() + (address - base);
  }
  std::map<uint64_t, std::vector<uint8_t>> windows_;
};

class Machine {
 public:
  explicit Machine(const Setup& s)
      : hw_(s.hw),
        chip_(s.hw, s.timing,
              {&memory_, s.hw.secondary_memif ? &memory_ : nullptr, &primary_,
               s.hw.secondary_memif ? &secondary_ : nullptr}) {
    chip_.on_program_error([this](const Diagnostics& errors) { refused(errors); });
  }

  void write(const regs::UnitTable& unit, uint32_t offset, uint32_t value) {
    if (unit.base(hw_.hw) < 0) return;
    const auto base = static_cast<uint32_t>(unit.base(hw_.hw));
    const uint32_t enable = enable_offset(unit);
    if (offset != enable || offset == 0) return chip_.csb_write(base + offset, value);
    const unsigned group = chip_.csb_read(base + kPointerOffset) & 1;
    const bool before = chip_.csb_read(base + enable) & 1;
    // Before the write: it may start the operation at once.
    if (!before && (value & 1)) ++enabled_[completing_unit(unit.name)][group];
    chip_.csb_write(base + offset, value);
  }
  void read(const regs::UnitTable& unit, uint32_t offset) {
    if (unit.base(hw_.hw) < 0) return;
    static_cast<void>(chip_.csb_read(static_cast<uint32_t>(unit.base(hw_.hw)) + offset));
  }
  /// Runs at most `cycles` cycles and what is left of the event budget.
  void run(sim::Cycle cycles) {
    sim::EventQueue& events = chip_.events();
    const sim::Cycle end = std::min(kMostCycles, events.now() + cycles);
    while (events.next() <= end && events.executed() < kMostEvents && events.run_next()) {
    }
    if (events.next() > end && end > events.now()) events.run_until(end);
  }
  CsbRun finish() {
    run(kMostCycles);
    check();
    CsbRun out;
    out.completed = chip_.operations().size();
    out.refused = refusals_.size();
    out.errors = chip_.program_errors();
    out.cycles = chip_.events().now();
    for (const auto& [unit, groups] : enabled_)
      if (!unit.empty()) out.enabled += groups[0] + groups[1];
    return out;
  }

 private:
  static constexpr uint32_t kPointerOffset = 4;
  struct Refusal {
    std::string unit;  ///< as in OpRecord
    int group = -1;
    sim::Cycle at = 0;
  };

  static uint32_t enable_offset(const regs::UnitTable& unit) {
    for (const regs::RegInfo& r : unit.registers)
      if (r.name == "D_OP_ENABLE") return r.offset;
    return 0;
  }
  /// The OpRecord's unit whose completions this block's enables bound; empty: another one does.
  static std::string completing_unit(std::string_view block) {
    if (block == regs::kSdp.name) return "SDP";
    if (block == regs::kPdp.name) return "PDP";
    if (block == regs::kCdp.name) return "CDP";
    return block == regs::kCacc.name ? "CONV" : "";
  }
  void refused(const Diagnostics& errors) {
    DLAVP_CHECK(!errors.empty(), "refused without an error");
    const Error& e = errors.errors().front();
    DLAVP_CHECK(!e.id.empty() && !e.message.empty(), "an error without id or text: {}", e.text());
    Refusal refusal;
    const std::string_view place = e.place;
    refusal.unit = place.starts_with("CSB ") ? "" : "CONV";  // an access belongs to no operation
    for (const char* unit : {"SDP", "PDP", "CDP"}) {
      if (!place.starts_with(unit)) continue;
      refusal.unit = unit;
      if (place.substr(3).starts_with(" group ")) refusal.group = place[10] - '0';
    }
    refusal.at = chip_.events().now();
    refusals_.push_back(refusal);
  }
  void check() const {
    std::map<std::string, std::array<size_t, 2>> over;
    for (const OpRecord& r : chip_.operations()) {
      DLAVP_CHECK(r.enabled <= r.done && r.started <= r.done, "{}: {} {} {}", r.unit, r.enabled,
                  r.started, r.done);
      ++over[r.unit][r.group & 1];
      for (const Refusal& refusal : refusals_)
        DLAVP_CHECK(r.unit != refusal.unit || r.started <= refusal.at,
                    "{} refused its program at {}, then began an operation at {}", r.unit,
                    refusal.at, r.started);
    }
    for (const Refusal& refusal : refusals_)
      if (refusal.group >= 0) ++over[refusal.unit][static_cast<size_t>(refusal.group) & 1];
    for (const auto& [unit, groups] : over)
      for (const size_t group : {size_t{0}, size_t{1}}) {
        const auto found = enabled_.find(unit);
        const size_t begun = found == enabled_.end() ? 0 : found->second[group];
        DLAVP_CHECK(groups[group] <= begun, "{} group {}: {} over, {} enabled", unit, group,
                    groups[group], begun);
      }
  }

  const HwConfig& hw_;
  Windows memory_;
  mcif::FixedLatencyMemory primary_{16}, secondary_{8};
  nvdla::Accelerator chip_;
  std::map<std::string, std::array<size_t, 2>> enabled_;
  std::vector<Refusal> refusals_;
};

// Small changes find more than random words: single bits, all ones, off by one, extremes.
uint32_t mutate(uint32_t value, ByteSource& in) {
  const uint32_t kind = in.below(8), detail = in.byte();
  switch (kind) {
    case 0:
    case 1:
      return value ^ (1u << (detail % 32));
    case 2:
      return value + 1;
    case 3:
      return value - 1;
    case 4:
      return 0;
    case 5:
      return ~0u >> (detail % 32);
    case 6:
      return value ^ (detail << (in.below(4) * 8));
    default:
      return in.word();
  }
}

void play_legal(Machine& machine, const HwConfig& hw, ByteSource& in) {
  const Path path = static_cast<Path>(in.below(kPaths));
  const uint32_t seed = in.half(), flags = in.byte();
  std::vector<Write> program = legal_program(path, hw, seed, flags & 1);
  if (program.empty()) return;
  for (uint32_t left = (flags >> 1) % (kMostMutations + 1); left > 0; --left) {
    Write& w = program[in.half() % program.size()];
    w.value = mutate(w.value, in);
  }
  if (flags & 0x80) program.erase(program.begin() + in.half() % program.size());
  for (const Write& w : program) machine.write(*w.unit, w.offset, w.value);
}

void play(Machine& machine, const HwConfig& hw, ByteSource& in) {
  const uint32_t command = in.below(8);
  if (command < 4) return play_legal(machine, hw, in);
  if (command == 7) return machine.run(in.half());
  const regs::UnitTable& unit = *kUnits[in.below(std::size(kUnits))];
  const regs::RegInfo& reg = unit.registers[in.byte() % unit.registers.size()];
  if (command == 4) return machine.read(unit, reg.offset);
  if (command == 5) return machine.write(unit, reg.offset, in.byte());
  machine.write(unit, reg.offset, in.word());
}

}  // namespace

CsbRun run_csb(std::span<const uint8_t> input) {
  ByteSource in(input);
  const Setup& s = setup(in.below(std::size(kConfigs)));
  Machine machine(s);
  for (unsigned n = 0; n < kMostCommands && !in.empty(); ++n) play(machine, s.hw, in);
  return machine.finish();
}

}  // namespace dlavp::fuzz
