// What the mutators draw: numbers, and numbers near those that readers compare with.
#pragma once

#include <cstdint>
#include <random>

namespace dlavp::fuzz {

class Draw {
 public:
  explicit Draw(uint32_t seed) : engine_(seed) {}
  /// 0 to n - 1; 0 if n is 0.
  size_t below(size_t n) { return n == 0 ? 0 : engine_() % n; }
  bool chance(uint32_t one_in) { return below(one_in) == 0; }
  /// Another value in place of `value`.
  uint64_t number(uint64_t value) {
    switch (below(10)) {
      case 0:
        return 0;
      case 1:
        return value + 1;
      case 2:
        return value - 1;
      case 3:
        return value * 2;
      case 4:
        return value / 2;
      case 5:
        return ~uint64_t{0} >> below(64);
      case 6:
        return uint64_t{1} << below(64);
      case 7:
        return value ^ (uint64_t{1} << below(32));
      case 8:
        return below(256);
      default:
        return uint64_t{engine_()} << below(32);
    }
  }
  template <typename T>
  void change(T& value) {
    value = static_cast<T>(number(static_cast<uint64_t>(value)));
  }
  /// An element is changed by `how`, doubled, or dropped.
  template <typename List, typename How>
  void change_one(List& list, How how) {
    if (list.empty()) return;
    const auto at = list.begin() + static_cast<std::ptrdiff_t>(below(list.size()));
    switch (below(8)) {
      case 0:
        list.erase(at);
        break;
      case 1:
        list.push_back(typename List::value_type(*at));
        break;
      default:
        how(*at);
    }
  }

 private:
  std::mt19937 engine_;
};

}  // namespace dlavp::fuzz
