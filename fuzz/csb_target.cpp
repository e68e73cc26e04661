#include "fuzz/csb_target.hpp"

#include <algorithm>
#include <memory>
#include <random>

#include "fuzz/csb_machine.hpp"
#include "fuzz/legal_programs.hpp"
#include "registers.hpp"

namespace dlavp::fuzz {

namespace {

constexpr const char* kConfigs[] = {"nv_small", "nv_large", "nv_small_256_full", "nv_medium_512",
                                    "nv_full"};
constexpr size_t kMostRecords = kMostInputBytes / kRecordBytes;  // the head counts

const Setup& setup(unsigned index) {
  static std::array<std::unique_ptr<Setup>, std::size(kConfigs)> all;
  if (!all[index]) {
    const HwConfig hw = load_hw_config(kConfigs[index]).value();
    all[index] = std::make_unique<Setup>(Setup{hw, TimingParams::load(hw).value()});
  }
  return *all[index];
}

uint32_t half(const CsbRecord& r, size_t at) { return r[at] | uint32_t{r[at + 1]} << 8; }

// Values that programs have or nearly have find more than random words do.
uint32_t another(uint32_t value, uint32_t how, uint32_t detail) {
  switch (how % 12) {
    case 0:
      return 0;
    case 1:
      return 1;
    case 2:
      return ~0u;
    case 3:
      return value + 1;
    case 4:
      return value - 1;
    case 5:
      return value * 2;
    case 6:
      return value / 2;
    case 7:
      return value ^ (1u << detail % 32);
    case 8:
      return value + 8 * (detail & 0xff);
    case 9:
      return ~0u >> detail % 32;
    case 10:
      return detail & 0xff;
    default:
      return detail;
  }
}

uint32_t with_field(uint32_t word, const FuzzUnit::Place& field, uint32_t how, uint32_t detail) {
  const uint32_t mask = field.width >= 32 ? ~0u : (1u << field.width) - 1;
  const uint32_t value = another(word >> field.lsb & mask, how, detail) & mask;
  return (word & ~(mask << field.lsb)) | value << field.lsb;
}

/// Plays records one after the other.
class Play {
 public:
  Play(Machine& machine, const HwConfig& hw) : machine_(machine), hw_(hw) {}

  void command(const CsbRecord& r) {
    const unsigned code = r[0] & 15;
    if (code < 6) return legal(r);
    if (code < 10) return changes_.push_back(r);
    if (code < 12) return machine_.run(half(r, 1));
    const std::vector<FuzzUnit>& units = fuzz_units();
    const FuzzUnit& unit = units[r[1] % units.size()];
    const auto& registers = unit.table->registers;
    switch (static_cast<Command>(code)) {
      case Command::kField: {
        if (unit.fields.empty()) return;
        const FuzzUnit::Place& field = unit.fields[half(r, 2) % unit.fields.size()];
        const uint32_t word = machine_.read(unit, field.offset);
        return machine_.write(unit, field.offset, with_field(word, field, r[4], half(r, 5)));
      }
      case Command::kEnable:
        if (unit.enable == 0) return;
        machine_.write(unit, kPointerOffset, r[2] & 1);
        return machine_.write(unit, unit.enable, 1);
      case Command::kWord:
        return machine_.write(unit, registers[r[2] % registers.size()].offset,
                              half(r, 3) | half(r, 5) << 16);
      default:
        static_cast<void>(machine_.read(unit, registers[r[2] % registers.size()].offset));
    }
  }

 private:
  void legal(const CsbRecord& r) {
    std::vector<Write> program =
        legal_program(static_cast<Path>(r[1] % kPaths), hw_, half(r, 2), r[4] & 1);
    if (program.empty()) return changes_.clear();
    for (const CsbRecord& change : changes_) apply(program, change);
    changes_.clear();
    const auto enables = std::stable_partition(program.begin(), program.end(), [](const Write& w) {
      return w.offset != fuzz_unit(*w.unit).enable;
    });
    if (const auto count = program.end() - enables; count != 0)
      std::rotate(enables, enables + (r[4] >> 4 & 7) % count, program.end());
    for (const Write& w : program) machine_.write(fuzz_unit(*w.unit), w.offset, w.value);
  }

  static void apply(std::vector<Write>& program, const CsbRecord& change) {
    Write& w = program[half(change, 1) % program.size()];
    if (static_cast<Command>(change[0] & 15) == Command::kLeaveOut) {
      program.erase(program.begin() + (&w - program.data()));
      return;
    }
    std::vector<FuzzUnit::Place> fields;
    for (const FuzzUnit::Place& field : fuzz_unit(*w.unit).fields)
      if (field.offset == w.offset) fields.push_back(field);
    if (!fields.empty())
      w.value = with_field(w.value, fields[change[3] % fields.size()], change[4], half(change, 5));
  }

  Machine& machine_;
  const HwConfig& hw_;
  std::vector<CsbRecord> changes_;
};

/// The records of an input; what is missing of the last one is zero.
std::vector<CsbRecord> records(std::span<const uint8_t> input) {
  std::vector<CsbRecord> out((input.size() + kRecordBytes - 1) / kRecordBytes);
  for (size_t i = 0; i < input.size(); ++i) out[i / kRecordBytes][i % kRecordBytes] = input[i];
  return out;
}

CsbRecord random_record(std::mt19937& engine) {
  CsbRecord record;
  for (uint8_t& b : record) b = static_cast<uint8_t>(engine());
  return record;
}

}  // namespace

CsbRun run_csb(std::span<const uint8_t> input) {
  static Windows memory;
  std::vector<CsbRecord> all = records(input);
  if (all.empty()) all.emplace_back();
  all.resize(std::min(all.size(), kMostRecords));
  const CsbRecord head = all.front();
  memory.restore();
  const Setup& s = setup(head[0] % std::size(kConfigs));
  Machine machine(s, memory, 1 + head[1] % 64);
  Play play(machine, s.hw);
  for (size_t i = 1; i < all.size(); ++i) play.command(all[i]);
  return machine.finish();
}

std::vector<uint8_t> mutate_csb(std::span<const uint8_t> input, size_t most, uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<CsbRecord> all = records(input);
  if (all.empty()) all.emplace_back();
  const size_t room = std::max<size_t>(1, std::min(most / kRecordBytes, kMostRecords));
  const size_t at = 1 + engine() % all.size();  // a record, or behind the last one
  const auto place = all.begin() + static_cast<std::ptrdiff_t>(at);
  const bool there = at < all.size();
  switch (engine() % 8) {
    case 0:
      all.insert(place, random_record(engine));
      break;
    case 1:
      if (there) all.erase(place);
      break;
    case 2:
      all.insert(place, all[engine() % all.size()]);
      break;
    case 3:
      if (there) std::swap(all[at], all[1 + engine() % (all.size() - 1)]);
      break;
    case 4:
      all[0][engine() % 2] = static_cast<uint8_t>(engine());
      break;
    default: {
      if (!there) break;
      uint8_t& byte = all[at][engine() % kRecordBytes];
      byte = static_cast<uint8_t>(engine() % 2 ? engine() : byte ^ 1u << engine() % 8);
    }
  }
  all.resize(std::min(all.size(), room));
  std::vector<uint8_t> out;
  for (const CsbRecord& record : all) out.insert(out.end(), record.begin(), record.end());
  return out;
}

}  // namespace dlavp::fuzz
