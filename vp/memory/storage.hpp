// Bytes of a simulated memory: one flat lazily allocated mapping, or pages made on first touch
// where the memory is larger than that is wise.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>

namespace dlavp::vp {

class Storage {
 public:
  /// A stretch of bytes that lie together on the host.
  struct Chunk {
    uint64_t first = 0, last = 0;  ///< addresses within the memory
    uint8_t* data = nullptr;
  };

  explicit Storage(uint64_t bytes);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  [[nodiscard]] uint64_t size() const { return bytes_; }
  [[nodiscard]] bool contains(uint64_t address, uint64_t bytes) const {
    return address <= bytes_ && bytes <= bytes_ - address;
  }
  /// The chunk around `address` (< size()).
  [[nodiscard]] Chunk chunk(uint64_t address);

  /// All require contains().
  void read(uint64_t address, std::span<uint8_t> out);
  void write(uint64_t address, std::span<const uint8_t> in);
  /// Zero filling memory that was never touched costs nothing.
  void fill(uint64_t address, uint64_t bytes, uint8_t value);

 private:
  static constexpr uint64_t kFlatLimit = uint64_t{4} << 30;
  static constexpr uint64_t kPageBytes = uint64_t{1} << 20;
  struct Free {
    void operator()(uint8_t* p) const;
  };
  using Page = std::unique_ptr<uint8_t, Free>;

  const uint64_t bytes_;
  uint8_t* flat_ = nullptr;
  std::map<uint64_t, Page> pages_;
};

}  // namespace dlavp::vp
