#include "models/mcif/latency_fifo.hpp"

#include <algorithm>

namespace dlavp::mcif {

namespace {

// Depths that the hardware fixes by hand, and the smallest derived one.
constexpr uint32_t kBdmaDepth = 245, kRubikDepth = 80, kMinDepth = 4;
// The generator sizes FIFOs for at most a quarter of the bus per client, and SDP operands for
// four bytes an element.
constexpr uint32_t kBandwidthShare = 4, kOperandBytes = 4;

}  // namespace

uint32_t latency_fifo_depth(const HwConfig& hw, ReadClient client) {
  const uint32_t primary_bytes = hw.primary_memif.width_bytes();
  uint32_t memif_bytes = std::max(primary_bytes, hw.memory_atomic_size);
  if (hw.secondary_memif) memif_bytes = std::max(memif_bytes, hw.secondary_memif->width_bytes());
  const auto derived = [&](uint32_t throughput) {
    const uint32_t bytes = std::min(throughput, primary_bytes / kBandwidthShare);
    return std::max(kMinDepth, (hw.primary_memif.latency * bytes + memif_bytes - 1) / memif_bytes);
  };
  switch (client) {
    case ReadClient::kBdma:
      return kBdmaDepth;
    case ReadClient::kRubik:
      return kRubikDepth;
    case ReadClient::kSdp:
      return derived(std::max({hw.sdp_bs_throughput, hw.sdp_bn_throughput, hw.sdp_ew_throughput}));
    case ReadClient::kSdpB:
      return derived(kOperandBytes * hw.sdp_bs_throughput);
    case ReadClient::kSdpN:
      return derived(kOperandBytes * hw.sdp_bn_throughput);
    case ReadClient::kSdpE:
      return derived(kOperandBytes * hw.sdp_ew_throughput);
    case ReadClient::kPdp:
      return derived(hw.pdp_throughput);
    case ReadClient::kCdp:
      return derived(hw.cdp_throughput);
    case ReadClient::kCdmaDat:
    case ReadClient::kCdmaWt:
      return 0;
  }
  return 0;
}

}  // namespace dlavp::mcif
