// The weighted round robin arbiter of the memory interface, for reads and for writes: a client
// keeps its grant until its weight is used up or it stops asking, then the next one in order gets
// it. A client of weight 0 is never served. Hardware manual: MCIF weight registers.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace dlavp::mcif {

template <unsigned kClients>
class WeightedRoundRobin {
 public:
  void set_weight(unsigned client, uint8_t weight) {
    weights_[client] = weight;
    served_ = weight == 0 ? served_ & ~(1u << client) : served_ | 1u << client;
  }
  [[nodiscard]] uint8_t weight(unsigned client) const { return weights_[client]; }

  /// Picks one of `requests` (a bit a client, clients of weight 0 ignored); -1 if there is none.
  int grant(uint32_t requests) {
    requests &= served_;
    if (requests == 0) return -1;
    if (left_ != 0 && (requests >> last_ & 1) != 0) {
      --left_;
      return last_;
    }
    // The first one behind the last, else the first of all.
    const uint32_t behind = started_ ? requests & (~uint32_t{1} << last_) : 0;
    last_ = std::countr_zero(behind != 0 ? behind : requests);
    started_ = true;
    left_ = static_cast<uint8_t>(weights_[static_cast<unsigned>(last_)] - 1);
    return last_;
  }

 private:
  std::array<uint8_t, kClients> weights_{};
  uint32_t served_ = 0;  ///< clients of a weight above 0
  int last_ = 0;
  bool started_ = false;
  uint8_t left_ = 0;
};

}  // namespace dlavp::mcif
