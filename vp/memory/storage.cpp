#include "vp/memory/storage.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "models/common/check.hpp"

namespace dlavp::vp {

Storage::Storage(uint64_t bytes) : bytes_(bytes) {
  DLAVP_CHECK(bytes > 0, "a memory of {} bytes", bytes);
  if (bytes > kFlatLimit) return;
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p != MAP_FAILED) flat_ = static_cast<uint8_t*>(p);
}

Storage::~Storage() {
  if (flat_) munmap(flat_, bytes_);
}

void Storage::Free::operator()(uint8_t* p) const { std::free(p); }

Storage::Chunk Storage::chunk(uint64_t address) {
  DLAVP_CHECK(address < bytes_, "address {:#x} in a memory of {:#x} bytes", address, bytes_);
  if (flat_) return {0, bytes_ - 1, flat_};
  const uint64_t first = address / kPageBytes * kPageBytes;
  Page& page = pages_[first];
  if (!page) {
    page.reset(static_cast<uint8_t*>(std::calloc(1, kPageBytes)));
    DLAVP_CHECK(page != nullptr, "no host memory for {} bytes", kPageBytes);
  }
  return {first, std::min(first + kPageBytes, bytes_) - 1, page.get()};
}

void Storage::read(uint64_t address, std::span<uint8_t> out) {
  DLAVP_CHECK(contains(address, out.size()), "read of {} bytes at {:#x}, size {:#x}", out.size(),
              address, bytes_);
  for (size_t done = 0; done < out.size();) {
    const Chunk c = chunk(address + done);
    const size_t n = std::min<uint64_t>(out.size() - done, c.last - (address + done) + 1);
    std::memcpy(out.data() + done, c.data + (address + done - c.first), n);
    done += n;
  }
}

void Storage::write(uint64_t address, std::span<const uint8_t> in) {
  DLAVP_CHECK(contains(address, in.size()), "write of {} bytes at {:#x}, size {:#x}", in.size(),
              address, bytes_);
  for (size_t done = 0; done < in.size();) {
    const Chunk c = chunk(address + done);
    const size_t n = std::min<uint64_t>(in.size() - done, c.last - (address + done) + 1);
    std::memcpy(c.data + (address + done - c.first), in.data() + done, n);
    done += n;
  }
}

void Storage::fill(uint64_t address, uint64_t bytes, uint8_t value) {
  DLAVP_CHECK(contains(address, bytes), "fill of {} bytes at {:#x}, size {:#x}", bytes, address,
              bytes_);
  for (uint64_t done = 0; done < bytes;) {
    const uint64_t at = address + done, page = at / kPageBytes * kPageBytes;
    const uint64_t n = std::min(bytes - done, page + kPageBytes - at);
    if (flat_ || value != 0 || pages_.contains(page)) {
      const Chunk c = chunk(at);
      std::memset(c.data + (at - c.first), value, n);
    }
    done += n;
  }
}

}  // namespace dlavp::vp
