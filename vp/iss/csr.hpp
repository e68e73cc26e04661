// The control and status registers of a machine-mode-only hart with F and D. RISC-V privileged
// specification 20211203. PMP, S- and U-mode, debug and trigger registers do not exist: accessing
// them is an illegal instruction. Hardware performance counters 3 to 31 read as zero.
#pragma once

#include <cstdint>

namespace dlavp::iss {

struct Hart;

/// Counters as the instruction at hand sees them.
struct CounterView {
  uint64_t cycles = 0;
  uint64_t instructions = 0;
};

/// Reads CSR `number`; false: it does not exist (or is a float CSR while mstatus.FS is off).
[[nodiscard]] bool csr_read(Hart& h, unsigned number, const CounterView& now, uint64_t& value);
/// Writes it; false: does not exist or is read-only. Written fields follow their WARL rules.
[[nodiscard]] bool csr_write(Hart& h, unsigned number, const CounterView& now, uint64_t value);

}  // namespace dlavp::iss
