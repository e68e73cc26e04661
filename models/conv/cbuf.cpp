// The convolution buffer's contents.
#include "models/conv/cbuf.hpp"

#include <algorithm>

#include "models/common/check.hpp"

namespace dlavp::conv {

void Cbuf::add_lines(const std::shared_ptr<InputLines>& lines) {
  for (uint32_t y = 0; y < lines->lines(); ++y) lines_.push_back({lines, y});
}

void Cbuf::release_lines(uint64_t lines) {
  lines_.erase(lines_.begin(),
               lines_.begin() + static_cast<ptrdiff_t>(std::min<uint64_t>(lines, lines_.size())));
}

std::vector<Slice> Cbuf::first_lines(uint32_t count) const {
  DLAVP_CHECK(count <= lines_.size(), "{} lines wanted, {} there", count, lines_.size());
  return {lines_.begin(), lines_.begin() + count};
}

void Cbuf::add_weights(std::vector<int8_t> bytes, uint64_t count) {
  weight_bytes_ += count;
  if (weights_.empty())
    weights_ = std::move(bytes);
  else
    weights_.insert(weights_.end(), bytes.begin(), bytes.end());
}

void Cbuf::release_weights(uint64_t bytes) {
  weight_bytes_ -= std::min(bytes, weight_bytes_);
  weights_.erase(weights_.begin(), weights_.begin() + static_cast<ptrdiff_t>(std::min<uint64_t>(
                                                          bytes, weights_.size())));
}

std::vector<int8_t> Cbuf::first_weights(uint64_t count) const {
  DLAVP_CHECK(count <= weights_.size(), "{} weight bytes wanted, {} there", count, weights_.size());
  return {weights_.begin(), weights_.begin() + static_cast<ptrdiff_t>(count)};
}

}  // namespace dlavp::conv
