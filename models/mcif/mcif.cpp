#include "models/mcif/mcif.hpp"

#include <algorithm>

#include "models/mcif/latency_fifo.hpp"
#include "registers.hpp"

namespace dlavp::mcif {

namespace {

namespace r = regs::mcif;  // CVIF's registers are the same, at another base

struct ReadWeight {
  ReadClient client;
  regs::Field field;
};
struct WriteWeight {
  WriteClient client;
  regs::Field field;
};

constexpr ReadWeight kReadWeights[] = {
    {ReadClient::kBdma, r::CFG_RD_WEIGHT_0_RD_WEIGHT_BDMA},
    {ReadClient::kSdp, r::CFG_RD_WEIGHT_0_RD_WEIGHT_SDP},
    {ReadClient::kPdp, r::CFG_RD_WEIGHT_0_RD_WEIGHT_PDP},
    {ReadClient::kCdp, r::CFG_RD_WEIGHT_0_RD_WEIGHT_CDP},
    {ReadClient::kSdpB, r::CFG_RD_WEIGHT_1_RD_WEIGHT_SDP_B},
    {ReadClient::kSdpN, r::CFG_RD_WEIGHT_1_RD_WEIGHT_SDP_N},
    {ReadClient::kSdpE, r::CFG_RD_WEIGHT_1_RD_WEIGHT_SDP_E},
    {ReadClient::kCdmaDat, r::CFG_RD_WEIGHT_1_RD_WEIGHT_CDMA_DAT},
    {ReadClient::kCdmaWt, r::CFG_RD_WEIGHT_2_RD_WEIGHT_CDMA_WT},
    {ReadClient::kRubik, r::CFG_RD_WEIGHT_2_RD_WEIGHT_RBK}};
constexpr WriteWeight kWriteWeights[] = {{WriteClient::kBdma, r::CFG_WR_WEIGHT_0_WR_WEIGHT_BDMA},
                                         {WriteClient::kSdp, r::CFG_WR_WEIGHT_0_WR_WEIGHT_SDP},
                                         {WriteClient::kPdp, r::CFG_WR_WEIGHT_0_WR_WEIGHT_PDP},
                                         {WriteClient::kCdp, r::CFG_WR_WEIGHT_0_WR_WEIGHT_CDP},
                                         {WriteClient::kRubik, r::CFG_WR_WEIGHT_1_WR_WEIGHT_RBK}};

std::array<uint32_t, kReadClients> depths(const HwConfig& hw) {
  std::array<uint32_t, kReadClients> out{};
  for (unsigned i = 0; i < kReadClients; ++i)
    out[i] = latency_fifo_depth(hw, static_cast<ReadClient>(i));
  return out;
}

}  // namespace

McifTiming::McifTiming(const TimingParams& params) {
  const auto cycles = [&](const char* name) {
    return static_cast<sim::Cycle>(params.get(std::string("mcif.") + name));
  };
  read_arbiter_input = cycles("read_arbiter_input");
  read_arbiter_output = cycles("read_arbiter_output");
  read_command = cycles("read_command");
  read_response = cycles("read_response");
  read_credit_return = cycles("read_credit_return");
  outstanding_return = cycles("outstanding_return");
  write_request = cycles("write_request");
  write_arbiter_input = cycles("write_arbiter_input");
  write_arbiter_output = cycles("write_arbiter_output");
  write_command = cycles("write_command");
  write_response = cycles("write_response");
  write_slot_release = cycles("write_slot_release");
  write_word_slots = static_cast<uint32_t>(cycles("write_word_slots"));
}

Mcif::Mcif(const HwConfig& hw, const MemifConfig& bus, const TimingParams& timing,
           const regs::UnitTable& table, sim::EventQueue& events, MemoryTiming& memory,
           RunMode mode)
    : timing_(timing),
      bus_{hw.memory_atomic_size, std::max(bus.width_bytes(), hw.memory_atomic_size),
           bus.max_burst_length},
      read_(events, timing_, bus_, memory, depths(hw)),
      write_(events, timing_, bus_, memory),
      regs_(table) {
  for (uint32_t offset : {r::CFG_RD_WEIGHT_0, r::CFG_RD_WEIGHT_1, r::CFG_RD_WEIGHT_2,
                          r::CFG_WR_WEIGHT_0, r::CFG_WR_WEIGHT_1, r::CFG_OUTSTANDING_CNT})
    regs_.on_write(offset, [this](uint32_t) { apply_registers(); });
  regs_.on_read(r::STATUS, [this] { return idle() ? r::STATUS_IDLE.mask() : 0; });
  if (!mode.timed()) {
    read_.set_untimed();
    write_.set_untimed();
  }
  apply_registers();
}

void Mcif::apply_registers() {
  const regs::RegView view = regs_.view(0);
  for (const ReadWeight& w : kReadWeights)
    read_.set_weight(w.client, static_cast<uint8_t>(view.get(w.field)));
  for (const WriteWeight& w : kWriteWeights)
    write_.set_weight(w.client, static_cast<uint8_t>(view.get(w.field)));
  // The registers hold the limit minus one.
  read_.set_outstanding(view.get(r::CFG_OUTSTANDING_CNT_RD_OS_CNT) + 1);
  write_.set_outstanding(view.get(r::CFG_OUTSTANDING_CNT_WR_OS_CNT) + 1);
}

uint64_t Mcif::read_beats() const {
  uint64_t sum = 0;
  for (unsigned i = 0; i < kReadClients; ++i) sum += read_beats(static_cast<ReadClient>(i));
  return sum;
}

uint64_t Mcif::write_beats() const {
  uint64_t sum = 0;
  for (unsigned i = 0; i < kWriteClients; ++i) sum += write_beats(static_cast<WriteClient>(i));
  return sum;
}

}  // namespace dlavp::mcif
