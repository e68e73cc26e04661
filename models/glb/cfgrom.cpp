#include "models/glb/cfgrom.hpp"

#include "registers.hpp"

namespace dlavp::glb {

Cfgrom::Cfgrom(const HwConfig& hw) : regs_(regs::kCfgrom) {
  using namespace regs::cfgrom;
  const auto set = [&](std::initializer_list<uint32_t> offsets, uint32_t value) {
    for (const uint32_t offset : offsets) regs_.poke(offset, 0, value);
  };
  constexpr unsigned kHighFieldLsb = 5;  // of the fields that start at bit 5
  const uint32_t batch = hw.batch ? hw.max_batch_size : 0;
  set({CFGROM_CIF_BASE_WIDTH}, hw.primary_memif.width_bytes());
  set({CFGROM_CIF_BASE_MEM_ADDR_WIDTH}, hw.mem_address_width << kHighFieldLsb);
  set({CFGROM_CDMA_BASE_ATOMIC_C, CFGROM_CSC_BASE_ATOMIC_C, CFGROM_CMAC_A_BASE_ATOMIC_C,
       CFGROM_CMAC_B_BASE_ATOMIC_C, CFGROM_CACC_BASE_ATOMIC_C},
      hw.mac_atomic_c_size);
  set({CFGROM_CDMA_BASE_ATOMIC_K, CFGROM_CSC_BASE_ATOMIC_K, CFGROM_CMAC_A_BASE_ATOMIC_K,
       CFGROM_CMAC_B_BASE_ATOMIC_K, CFGROM_CACC_BASE_ATOMIC_K},
      hw.mac_atomic_k_size);
  set({CFGROM_CDMA_BASE_ATOMIC_M, CFGROM_CSC_BASE_ATOMIC_M, CFGROM_SDP_RDMA_BASE_ATOMIC_M,
       CFGROM_PDP_RDMA_BASE_ATOMIC_M, CFGROM_CDP_RDMA_BASE_ATOMIC_M},
      hw.memory_atomic_size);
  set({CFGROM_CDMA_BASE_CBUF_BANK_NUM, CFGROM_CBUF_BASE_CBUF_BANK_NUM,
       CFGROM_CSC_BASE_CBUF_BANK_NUM},
      hw.cbuf_bank_number);
  set({CFGROM_CDMA_BASE_CBUF_BANK_WIDTH, CFGROM_CBUF_BASE_CBUF_BANK_WIDTH,
       CFGROM_CSC_BASE_CBUF_BANK_WIDTH},
      hw.cbuf_bank_width);
  set({CFGROM_CDMA_BASE_CBUF_BANK_DEPTH, CFGROM_CBUF_BASE_CBUF_BANK_DEPTH,
       CFGROM_CSC_BASE_CBUF_BANK_DEPTH},
      hw.cbuf_bank_depth);
  set({CFGROM_CDMA_MULTI_BATCH_MAX, CFGROM_CSC_MULTI_BATCH_MAX, CFGROM_CACC_MULTI_BATCH_MAX,
       CFGROM_SDP_MULTI_BATCH_MAX},
      batch);
  set({CFGROM_SDP_BS_THROUGHPUT}, hw.sdp_bs_throughput);
  set({CFGROM_SDP_BN_THROUGHPUT}, hw.sdp_bn_throughput);
  set({CFGROM_SDP_EW_THROUGHPUT}, hw.sdp_ew_throughput);
  set({CFGROM_PDP_BASE_THROUGHPUT}, hw.pdp_throughput);
  set({CFGROM_CDP_BASE_THROUGHPUT}, hw.cdp_throughput);
}

}  // namespace dlavp::glb
