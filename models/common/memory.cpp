#include "models/common/memory.hpp"

#include <algorithm>
#include <cstring>

namespace dlavp {

std::vector<uint8_t>& SparseMemory::page(uint64_t address) {
  const uint64_t index = address / kPageBytes;
  if (index == last_index_) return *last_page_;
  std::vector<uint8_t>& page = pages_[index];
  if (page.empty()) page.resize(kPageBytes);
  last_index_ = index;
  last_page_ = &page;
  return page;
}

bool SparseMemory::read(uint64_t address, std::span<uint8_t> out) {
  for (size_t done = 0; done < out.size();) {
    const uint64_t at = address + done, offset = at % kPageBytes;
    const size_t n = std::min<size_t>(out.size() - done, kPageBytes - offset);
    std::memcpy(out.data() + done, page(at).data() + offset, n);
    done += n;
  }
  return true;
}

bool SparseMemory::write(uint64_t address, std::span<const uint8_t> in) {
  for (size_t done = 0; done < in.size();) {
    const uint64_t at = address + done, offset = at % kPageBytes;
    const size_t n = std::min<size_t>(in.size() - done, kPageBytes - offset);
    std::memcpy(page(at).data() + offset, in.data() + done, n);
    done += n;
  }
  return true;
}

}  // namespace dlavp
