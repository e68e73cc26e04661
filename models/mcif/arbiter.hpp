// The weighted round robin arbiter of the memory interface, for reads and for writes: a client
// keeps its grant until its weight is used up or it stops asking, then the next one in order gets
// it. A client of weight 0 is never served. Hardware manual: MCIF weight registers.
#pragma once

#include <array>
#include <cstdint>

namespace dlavp::mcif {

template <unsigned kClients>
class WeightedRoundRobin {
 public:
  void set_weight(unsigned client, uint8_t weight) { weights_[client] = weight; }
  [[nodiscard]] uint8_t weight(unsigned client) const { return weights_[client]; }

  /// Picks one of `requests` (a bit a client, clients of weight 0 ignored); -1 if there is none.
  int grant(uint32_t requests) {
    for (unsigned i = 0; i < kClients; ++i)
      if (weights_[i] == 0) requests &= ~(1u << i);
    if (requests == 0) return -1;
    if (left_ != 0 && last_ >= 0 && (requests >> last_ & 1) != 0) {
      --left_;
      return last_;
    }
    const unsigned start = static_cast<unsigned>(last_ + 1);
    for (unsigned i = 0; i < kClients; ++i) {
      const unsigned client = (start + i) % kClients;
      if ((requests >> client & 1) == 0) continue;
      last_ = static_cast<int>(client);
      left_ = static_cast<uint8_t>(weights_[client] - 1);
      return last_;
    }
    return -1;
  }

 private:
  std::array<uint8_t, kClients> weights_{};
  int last_ = -1;
  uint8_t left_ = 0;
};

}  // namespace dlavp::mcif
