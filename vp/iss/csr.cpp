// CSR reads and writes.
#include "vp/iss/csr.hpp"

#include "vp/iss/hart.hpp"

namespace dlavp::iss {
namespace {

constexpr unsigned kFflags = 0x001, kFrm = 0x002, kFcsr = 0x003;
constexpr unsigned kMstatus = 0x300, kMisaCsr = 0x301, kMieCsr = 0x304, kMtvec = 0x305;
constexpr unsigned kMcountinhibit = 0x320, kMhpmevent3 = 0x323, kMhpmevent31 = 0x33F;
constexpr unsigned kMscratch = 0x340, kMepc = 0x341, kMcause = 0x342, kMtval = 0x343, kMip = 0x344;
constexpr unsigned kMcycle = 0xB00, kMinstret = 0xB02, kMhpmcounter3 = 0xB03;
constexpr unsigned kMhpmcounter31 = 0xB1F;
constexpr unsigned kCycle = 0xC00, kTime = 0xC01, kInstret = 0xC02, kHpmcounter3 = 0xC03;
constexpr unsigned kHpmcounter31 = 0xC1F;
constexpr unsigned kMvendorid = 0xF11, kMarchid = 0xF12, kMimpid = 0xF13, kMhartid = 0xF14;
constexpr unsigned kMconfigptr = 0xF15;

constexpr bool is_float_csr(unsigned number) { return number >= kFflags && number <= kFcsr; }
constexpr bool within(unsigned number, unsigned first, unsigned last) {
  return number >= first && number <= last;
}

uint64_t read_mstatus(const Hart& h) {
  const bool dirty = (h.mstatus & kFs) == kFs;
  return h.mstatus | (dirty ? uint64_t{1} << 63 : 0);
}

bool read_counter(Hart& h, unsigned number, const CounterView& now, uint64_t& value) {
  switch (number) {
    case kMcycle:
    case kCycle:
      value = now.cycles + h.mcycle_offset;
      return true;
    case kMinstret:
    case kInstret:
      value = now.instructions + h.minstret_offset;
      return true;
    case kTime:
      value = h.bus->time();
      return true;
    default:
      break;
  }
  value = 0;
  return number == kMcountinhibit || within(number, kMhpmevent3, kMhpmevent31) ||
         within(number, kMhpmcounter3, kMhpmcounter31) ||
         within(number, kHpmcounter3, kHpmcounter31);
}

}  // namespace

bool csr_read(Hart& h, unsigned number, const CounterView& now, uint64_t& value) {
  if (is_float_csr(number) && (h.mstatus & kFs) == 0) return false;
  switch (number) {
    case kFflags:
      value = h.fflags;
      return true;
    case kFrm:
      value = h.frm;
      return true;
    case kFcsr:
      value = h.fflags | (h.frm << 5);
      return true;
    case kMstatus:
      value = read_mstatus(h);
      return true;
    case kMisaCsr:
      value = kMisa;
      return true;
    case kMieCsr:
      value = h.mie;
      return true;
    case kMtvec:
      value = h.mtvec;
      return true;
    case kMscratch:
      value = h.mscratch;
      return true;
    case kMepc:
      value = h.mepc;
      return true;
    case kMcause:
      value = h.mcause;
      return true;
    case kMtval:
      value = h.mtval;
      return true;
    case kMip:
      value = h.mip;
      return true;
    case kMvendorid:
    case kMarchid:
    case kMimpid:
    case kMconfigptr:
      value = 0;
      return true;
    case kMhartid:
      value = h.hart_id;
      return true;
    default:
      return read_counter(h, number, now, value);
  }
}

bool csr_write(Hart& h, unsigned number, const CounterView& now, uint64_t value) {
  const bool read_only = (number >> 10) == 3;
  uint64_t ignored = 0;
  if (read_only || !csr_read(h, number, now, ignored)) return false;
  if (is_float_csr(number)) h.mstatus |= kFs;
  switch (number) {
    case kFflags:
      h.fflags = static_cast<uint32_t>(value & 0x1F);
      break;
    case kFrm:
      h.frm = static_cast<uint32_t>(value & 7);
      break;
    case kFcsr:
      h.fflags = static_cast<uint32_t>(value & 0x1F);
      h.frm = static_cast<uint32_t>((value >> 5) & 7);
      break;
    case kMstatus:
      h.mstatus = (value & (kMie | kMpie | kFs)) | kMpp;
      break;
    case kMieCsr:
      h.mie = value & kAllInterrupts;
      break;
    case kMtvec:
      if ((value & 2) == 0) h.mtvec = value;  // modes 2 and 3 are reserved
      break;
    case kMscratch:
      h.mscratch = value;
      break;
    case kMepc:
      h.mepc = value & ~uint64_t{1};
      break;
    case kMcause:
      h.mcause = value;
      break;
    case kMtval:
      h.mtval = value;
      break;
    // A written counter shows the value to the next instruction: the write counts as done after it.
    case kMcycle:
      h.mcycle_offset = value - now.cycles;
      break;
    case kMinstret:
      h.minstret_offset = value - now.instructions - 1;
      break;
    default:
      break;  // the rest holds read-only values
  }
  return true;
}

}  // namespace dlavp::iss
