// Cubes of elements as the units hand them on and as they lie in memory (NC/xHWx: atoms of x
// channels, lines, surfaces). Hardware manual: "In-memory data formats".
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <vector>

#include "models/common/memory.hpp"
#include "models/common/worker.hpp"

namespace dlavp {

/// True sizes of a cube, in elements.
struct CubeSize {
  uint32_t width = 0, height = 0, channels = 0;
  [[nodiscard]] uint64_t pixels() const { return uint64_t{width} * height; }
  bool operator==(const CubeSize&) const = default;
};

/// A cube in memory; strides in bytes.
struct CubeRef {
  RamType ram = RamType::kMc;
  uint64_t address = 0;
  uint64_t line_stride = 0, surface_stride = 0;
};

/// Values in atom order: index = ((surface * height + y) * width + x) * atom + lane, where
/// surface = channel / atom and lane = channel % atom. Lanes beyond `size.channels` exist.
template <typename T>
struct AtomCube {
  CubeSize size;
  uint32_t atom = 0;  ///< lanes (elements) of one atom
  std::vector<T> values;

  AtomCube() = default;
  AtomCube(CubeSize s, uint32_t lanes)
      : size(s), atom(lanes), values(size_t{surfaces()} * s.pixels() * lanes) {}
  [[nodiscard]] uint32_t surfaces() const { return (size.channels + atom - 1) / atom; }
  [[nodiscard]] size_t index(uint32_t x, uint32_t y, uint32_t channel) const {
    return ((size_t{channel / atom} * size.height + y) * size.width + x) * atom + channel % atom;
  }
  [[nodiscard]] T& at(uint32_t x, uint32_t y, uint32_t channel) {
    return values[index(x, y, channel)];
  }
  [[nodiscard]] const T& at(uint32_t x, uint32_t y, uint32_t channel) const {
    return values[index(x, y, channel)];
  }
};

/// A cube handed from one unit to the next on the fly (convolution to SDP: int32; SDP to PDP:
/// int8). Evaluated once, when first asked for: the producer captures its inputs when it starts.
template <typename T>
class LazyCube {
 public:
  explicit LazyCube(std::function<AtomCube<T>()> compute) : compute_(std::move(compute)) {}
  /// Begins to evaluate it in `worker`, which get() then waits for.
  void start(Worker& worker) {
    const auto task = std::make_shared<std::packaged_task<AtomCube<T>()>>(std::move(compute_));
    compute_ = nullptr;
    computed_ = task->get_future();
    worker.run([task] { (*task)(); });
  }
  /// Once it was started, from any thread.
  [[nodiscard]] const AtomCube<T>& get() {
    if (computed_.valid()) return computed_.get();
    if (compute_) {
      cube_ = compute_();
      compute_ = nullptr;
    }
    return cube_;
  }

 private:
  std::function<AtomCube<T>()> compute_;
  std::shared_future<AtomCube<T>> computed_;
  AtomCube<T> cube_;
};

}  // namespace dlavp
