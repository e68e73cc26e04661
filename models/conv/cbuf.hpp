// Cbuf: what the convolution buffer holds, in function: input lines and weight bytes, each in the
// order of arrival, from the point where CSC reads. Hardware manual: "Convolution buffer". Banks
// and entries are time, and are counted by the fetchers and the sequencer; here only positions
// count, so that a program whose CDMA and CSC disagree about sizes reads what the hardware would
// read.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "models/conv/input_lines.hpp"

namespace dlavp::conv {

class Cbuf {
 public:
  void add_lines(const std::shared_ptr<InputLines>& lines);
  void release_lines(uint64_t lines);
  [[nodiscard]] uint64_t lines() const { return lines_.size(); }
  /// The first `count` lines; requires lines() >= count.
  [[nodiscard]] std::vector<Slice> first_lines(uint32_t count) const;
  void clear_data() { lines_.clear(); }

  /// `count` bytes of weights; where nothing is computed there are none in `bytes`.
  void add_weights(std::vector<int8_t> bytes, uint64_t count);
  void release_weights(uint64_t bytes);
  [[nodiscard]] uint64_t weight_bytes() const { return weight_bytes_; }
  /// The first `count` weight bytes; requires weight_bytes() >= count.
  [[nodiscard]] std::vector<int8_t> first_weights(uint64_t count) const;
  void clear_weights() {
    weights_.clear();
    weight_bytes_ = 0;
  }

 private:
  std::deque<Slice> lines_;
  std::vector<int8_t> weights_;
  uint64_t weight_bytes_ = 0;
};

}  // namespace dlavp::conv
