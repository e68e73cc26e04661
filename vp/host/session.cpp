#include "vp/host/session.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "sw/core/fw_error.h"
#include "vp/host/firmware_features.hpp"
#include "vp/host/firmware_image.hpp"
#include "vp/iss/elf.hpp"

namespace dlavp::vp {

namespace {

constexpr uint64_t kFirmwareBytes = uint64_t{1} << 20;
constexpr uint64_t kLeastResultBytes = uint64_t{1} << 19;
constexpr uint64_t kMostResultBytes = uint64_t{1} << 25;
constexpr uint64_t kPage = 4096;
/// Ticks of the CLINT (100 ns) without progress: one second of simulated time.
constexpr uint64_t kWatchdogTicks = 10'000'000;

template <typename T>
std::span<const uint8_t> bytes_of(const T& value) {
  return {reinterpret_cast<const uint8_t*>(&value), sizeof value};
}

const char* engine_unit(uint32_t engine) {
  static constexpr std::array<const char*, 6> kUnits{"BDMA", "CONV", "SDP", "PDP", "CDP", "RUBIK"};
  return engine < kUnits.size() ? kUnits[engine] : "";
}

}  // namespace

Session::Session(const HwConfig& hw, const TimingParams& timing, const PlatformConfig& platform,
                 const iss::CostTable& costs)
    : hw_(hw),
      platform_(platform),
      soc_(std::make_unique<Soc>("soc", hw, timing, platform, costs, uart_)) {}

Result<std::unique_ptr<Session>> Session::create(const HwConfig& hw, const TimingParams& timing,
                                                 const PlatformConfig& platform,
                                                 std::span<const uint8_t> firmware) {
  constexpr int kGeneration = 2;  // of the firmware's register addresses
  if (hw.hw != kGeneration)
    return Error{"run.generation", hw.name,
                 fmt::format("hw is {}, the firmware knows the registers of hw {} only", hw.hw,
                             kGeneration)};
  const auto costs = iss::CostTable::load(config_dir() / "iss" / "rv64gc.yaml");
  if (!costs) return costs.errors();
  std::unique_ptr<Session> session(new Session(hw, timing, platform, *costs));
  if (const Diagnostics errors =
          session->load_firmware(firmware.empty() ? firmware_image() : firmware);
      !errors.empty())
    return errors;
  return session;
}

Diagnostics Session::load_firmware(std::span<const uint8_t> image) {
  if (image.empty())
    return Diagnostics(
        {"run.firmware", "", "this build has no firmware: riscv64-unknown-elf-gcc was not found"});
  const auto elf = iss::parse_elf(image, "firmware");
  if (!elf) return elf.errors();
  const Window& dram = platform_.dram_window;
  if (elf->entry != dram.base)
    return Diagnostics(
        {"run.firmware", platform_.name,
         fmt::format("the firmware starts at {:#x}, DRAM at {:#x}", elf->entry, dram.base)});
  for (const iss::ElfSegment& segment : elf->segments)
    if (segment.address + segment.bytes.size() > dram.base + kFirmwareBytes ||
        !soc_->write(segment.address, segment.bytes))
      return Diagnostics({"run.firmware", platform_.name,
                          fmt::format("segment of {} bytes at {:#x} does not fit",
                                      segment.bytes.size(), segment.address)});
  return {};
}

uint64_t Session::place(uint64_t bytes) {
  const uint64_t address = next_;
  next_ = (next_ + bytes + 2 * kPage - 1) / kPage * kPage;  // a page or more between neighbours
  return address;
}

Diagnostics Session::load(std::span<const uint8_t> loadable, const Network& network) {
  network_ = network;
  inputs_.clear();
  next_ = platform_.dram_window.base + kFirmwareBytes;
  // An operation's descriptors are longer than what the firmware records of it.
  result_bytes_ = std::clamp<uint64_t>(loadable.size(), kLeastResultBytes, kMostResultBytes);
  result_address_ = place(result_bytes_);
  loadable_address_ = place(loadable.size());
  loadable_bytes_ = loadable.size();
  for (const IoTensor& input : network_.inputs)
    inputs_.push_back({place(input.bytes), input.bytes, input.bind_id, 0});
  const uint64_t end = platform_.dram_window.base + platform_.dram_window.size;
  if (next_ >= end || !soc_->write(loadable_address_, loadable))
    return Diagnostics(
        {"run.memory", platform_.name,
         fmt::format("loadable and inputs need {} bytes, DRAM has {}",
                     next_ - platform_.dram_window.base, platform_.dram_window.size)});
  if (inputs_.size() > FW_MAX_BINDINGS)
    return Diagnostics(
        {"run.inputs", "",
         fmt::format("{} inputs, the firmware takes {}", inputs_.size(), int{FW_MAX_BINDINGS})});
  return {};
}

FwBoot Session::boot_block() const {
  FwBoot b{};
  b.magic = FW_BOOT_MAGIC;
  b.version = FW_ABI_VERSION;
  b.loadable_address = loadable_address_;
  b.loadable_bytes = loadable_bytes_;
  b.heap_address = next_;
  b.heap_bytes = platform_.dram_window.base + platform_.dram_window.size - next_;
  b.sram_address = hw_.secondary_memif ? platform_.sram_window.base : 0;
  b.sram_bytes = hw_.secondary_memif ? platform_.sram_window.size : 0;
  b.result_address = result_address_;
  b.result_bytes = result_bytes_;
  b.watchdog_ticks = kWatchdogTicks;
  b.csb_address = platform_.nvdla_window.base;
  b.clint_address = platform_.clint_window.base;
  b.plic_address = platform_.plic_window.base;
  b.uart_address = platform_.uart_window.base;
  b.exit_address = Soc::kExitWindow.base;
  b.plic_source = platform_.nvdla_irq;
  b.features = firmware_features(hw_);
  b.memory_atom_bytes = hw_.memory_atomic_size;
  b.cbuf_entry_bytes = hw_.cbuf_bank_width;
  b.cbuf_banks = hw_.cbuf_bank_number;
  b.address_bits = hw_.mem_address_width;
  b.num_inputs = static_cast<uint32_t>(inputs_.size());
  std::copy(inputs_.begin(), inputs_.end(), b.inputs);
  return b;
}

template <typename T>
T Session::fetch(uint64_t address) {
  T value{};
  DLAVP_CHECK(soc_->read(address, {reinterpret_cast<uint8_t*>(&value), sizeof value}),
              "{:#x} is not in DRAM", address);
  return value;
}

std::variant<RunResult, RunFailure> Session::run(const std::vector<std::vector<uint8_t>>& inputs) {
  DLAVP_CHECK(inputs.size() == inputs_.size(), "{} inputs given, {} bound", inputs.size(),
              inputs_.size());
  for (size_t i = 0; i < inputs.size(); ++i)
    DLAVP_CHECK(inputs[i].size() == inputs_[i].bytes && soc_->write(inputs_[i].address, inputs[i]),
                "input {} of {} bytes, bound {}", i, inputs[i].size(), inputs_[i].bytes);
  if (failed_) soc_->recover();
  failed_ = false;
  const FwBoot boot = boot_block();
  const FwResult cleared{};
  DLAVP_CHECK(soc_->write(platform_.dram_window.base + FW_BOOT_OFFSET, bytes_of(boot)) &&
                  soc_->write(result_address_, bytes_of(cleared)),
              "DRAM at {:#x} takes no boot block", platform_.dram_window.base);
  uart_.str("");
  const size_t first_record = soc_->accelerator().operations().size();
  const uint64_t reads = soc_->accelerator().read_beats(),
                 writes = soc_->accelerator().write_beats();
  const Soc::End end = soc_->run();
  // The firmware's watchdog always has an event pending.
  DLAVP_CHECK(end != Soc::End::kStarved, "the simulation ran dry; the UART says: {}", uart_.str());
  failed_ = end != Soc::End::kExit || soc_->exit_code() != 0;
  if (failed_) return failure(end);
  RunResult result = collect(first_record);
  result.read_beats = soc_->accelerator().read_beats() - reads;
  result.write_beats = soc_->accelerator().write_beats() - writes;
  return result;
}

RunFailure Session::failure(Soc::End end) {
  RunFailure out;
  const auto firmware = fetch<FwResult>(result_address_);
  if (end == Soc::End::kProgramError) {
    for (size_t i = 0; i < soc_->accelerators(); ++i)
      out.errors.append(soc_->accelerator(i).program_errors());
    return out;
  }
  const auto code = static_cast<FwCode>(firmware.error_code);
  std::string where = "firmware";
  if (firmware.error_task >= 0) where += fmt::format(", task {}", firmware.error_task);
  if (firmware.error_operation >= 0)
    where += fmt::format(", operation {}", firmware.error_operation);
  std::string text(firmware.error_text, strnlen(firmware.error_text, sizeof firmware.error_text));
  if (firmware.magic != FW_RESULT_MAGIC) text = "no result block; the UART says: " + uart_.str();
  out.errors.add(fw_code_name(code), where, text);
  out.never_finished = code == FW_E_TIMEOUT || code == FW_E_DEADLOCK;
  return out;
}

RunResult Session::collect(size_t first_record) {
  RunResult r;
  r.firmware = fetch<FwResult>(result_address_);
  r.uart = uart_.str();
  r.instructions = soc_->core().cpu().instructions();
  uint64_t at = result_address_ + sizeof(FwResult);
  for (uint32_t i = 0; i < r.firmware.num_tasks; ++i, at += sizeof(FwTaskInfo))
    r.tasks.push_back(fetch<FwTaskInfo>(at));
  for (uint32_t i = 0; i < r.firmware.num_operations; ++i, at += sizeof(FwOperationInfo))
    r.operations.push_back({fetch<FwOperationInfo>(at), std::nullopt});
  const auto& all = soc_->accelerator().operations();
  r.records.assign(all.begin() + static_cast<std::ptrdiff_t>(first_record), all.end());
  for (const IoTensor& output : network_.outputs) {
    if (!platform_.mode.function) break;  // nothing was computed
    r.outputs.emplace_back(output.bytes);
    for (uint32_t i = 0; i < r.firmware.num_outputs && i < FW_MAX_BINDINGS; ++i)
      if (r.firmware.outputs[i].bind_id == output.bind_id)
        DLAVP_CHECK(soc_->read(r.firmware.outputs[i].address, r.outputs.back()),
                    "output {} at {:#x} is not in DRAM", output.name,
                    r.firmware.outputs[i].address);
  }
  match_records(r);
  return r;
}

// A unit completes its operations in the order in which the firmware programmed them.
void Session::match_records(RunResult& r) const {
  for (uint32_t engine = 0; engine < FW_ENGINE_CPU; ++engine) {
    std::vector<RanOperation*> ran;
    for (RanOperation& op : r.operations)
      if (op.firmware.engine == engine) ran.push_back(&op);
    std::stable_sort(ran.begin(), ran.end(), [](const RanOperation* a, const RanOperation* b) {
      return a->firmware.programmed < b->firmware.programmed;
    });
    size_t next = 0;
    for (const OpRecord& record : r.records)
      if (record.unit == engine_unit(engine) && next < ran.size()) ran[next++]->record = record;
  }
}

}  // namespace dlavp::vp
