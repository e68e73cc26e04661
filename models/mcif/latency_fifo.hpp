// Depths of the clients' latency FIFOs, as the hardware's spec generator derives them from a
// configuration: they bound what a client may have outstanding (credits). Source: spec/defs of the
// hardware repository; MCIF tie-offs for the clients without a derived depth.
#pragma once

#include <cstdint>

#include "models/common/hw_config.hpp"
#include "models/mcif/dma_port.hpp"

namespace dlavp::mcif {

/// Beats that `client` may have outstanding at one interface; 0: no limit of the interface's (CDMA
/// counts its own).
[[nodiscard]] uint32_t latency_fifo_depth(const HwConfig& hw, ReadClient client);

}  // namespace dlavp::mcif
