// The DMA ports between a unit and its memory interface (MCIF or CVIF), in time only: sizes and
// cycles, no data. A unit hands over requests of whole lines; the interface cuts them into bus
// transactions, arbitrates, and counts what is outstanding. Bytes are moved by the functional
// cores.
#pragma once

#include <cstdint>
#include <functional>

#include "models/sim/event_queue.hpp"

namespace dlavp::mcif {

/// Read clients, in the order of the hardware's arbiter inputs' meaning (not all exist in every
/// size).
enum class ReadClient : uint8_t {
  kBdma,
  kSdp,
  kPdp,
  kCdp,
  kRubik,
  kSdpB,
  kSdpN,
  kSdpE,
  kCdmaDat,
  kCdmaWt
};
inline constexpr unsigned kReadClients = 10;
enum class WriteClient : uint8_t { kBdma, kSdp, kPdp, kCdp, kRubik };
inline constexpr unsigned kWriteClients = 5;

/// Beats that arrive one a cycle.
struct BeatRun {
  sim::Cycle at = 0;  ///< the first
  uint32_t beats = 0;
  uint32_t atoms = 0;  ///< of each
};

/// When the first and the last atom of a whole transfer arrive.
struct Transfer {
  sim::Cycle first = 0, last = 0;
  sim::Cycle turns = 0;  ///< beats of other clients in front, with which its own take turns
};

/// A unit's read connection to one memory interface.
class ReadPort {
 public:
  virtual ~ReadPort() = default;
  /// True while the interface can take another request this cycle.
  [[nodiscard]] virtual bool can_request() const = 0;
  /// Asks for `atoms` consecutive memory atoms from `address` (atom aligned). Requires
  /// can_request().
  virtual void request(uint64_t address, uint32_t atoms) = 0;
  /// Atoms that have arrived, in request order, and wait in the client's latency FIFO.
  [[nodiscard]] virtual uint32_t available() const = 0;
  /// Takes `atoms` out of the latency FIFO: their credits go back to the interface.
  virtual void pop(uint32_t atoms) = 0;
  /// `on_ready`: can_request() became true again. `on_data`: atoms arrived (call available()).
  /// Both run inside the event queue, at the cycle in which it happens.
  virtual void set_handlers(std::function<void()> on_ready, std::function<void()> on_data) = 0;
  /// For a client without credits that works out ahead when it takes what: instead of on_data,
  /// `on_beats(run)` says as soon as it is known which beats arrive when, in order. available() and
  /// pop() have no meaning then. It must not ask for more.
  virtual void set_beat_handler(std::function<void(const BeatRun& run)> on_beats) = 0;
  /// Many beats at once, as if they were consecutive, without a request for each: for timing modes
  /// that do not play them. The first request leaves at `at`; the client takes a beat out of its
  /// latency FIFO `hold` cycles after it has come.
  virtual Transfer read_whole(sim::Cycle at, uint64_t address, uint64_t beats, sim::Cycle hold) = 0;
  /// From the first to the last of so many beats, when no other client has any.
  [[nodiscard]] virtual sim::Cycle least_cycles(uint64_t beats, sim::Cycle hold) const = 0;
  /// Beats that may be asked for before the client takes the first; 0: any number.
  [[nodiscard]] virtual uint32_t depth() const = 0;
  /// Data beats that `atoms` consecutive atoms touch.
  [[nodiscard]] virtual uint64_t beats_of(uint64_t address, uint64_t atoms) const = 0;
  /// Data beats that this client has asked for so far.
  [[nodiscard]] virtual uint64_t beats() const { return 0; }
};

/// A unit's write connection to one memory interface.
class WritePort {
 public:
  virtual ~WritePort() = default;
  [[nodiscard]] virtual bool can_request() const = 0;
  /// Announces a write of `atoms` consecutive atoms to `address`; its data follow through data().
  /// With `ack`, on_ack is called when the memory has acknowledged this and all earlier writes of
  /// the client.
  virtual void request(uint64_t address, uint32_t atoms, bool ack) = 0;
  /// Atoms of announced writes that the interface can take now.
  [[nodiscard]] virtual uint32_t data_space() const = 0;
  /// Hands over `atoms` of data (<= data_space()).
  virtual void data(uint32_t atoms) = 0;
  virtual void set_handlers(std::function<void()> on_ready, std::function<void()> on_space,
                            std::function<void()> on_ack) = 0;
  /// All beats of an operation at once, the first leaving at `from`, the last at `until`. on_ack
  /// is called when the memory has acknowledged them; gives that cycle.
  virtual sim::Cycle write_whole(sim::Cycle from, sim::Cycle until, uint64_t address,
                                 uint64_t beats) = 0;
  /// Data beats that `atoms` consecutive atoms touch.
  [[nodiscard]] virtual uint64_t beats_of(uint64_t address, uint64_t atoms) const = 0;
  /// Data beats that this client has announced so far.
  [[nodiscard]] virtual uint64_t beats() const { return 0; }
};

/// The memory behind a memory interface, in time. Calls come in the order of the bus.
class MemoryTiming {
 public:
  virtual ~MemoryTiming() = default;
  /// A read transaction accepted at `at`: the cycle in which each of its `beats` is on the bus.
  /// Returns the first; beat i comes at `first + i` unless the memory says otherwise through
  /// `last`.
  struct Beats {
    sim::Cycle first = 0, last = 0;
  };
  virtual Beats read(sim::Cycle at, uint64_t address, uint32_t beats, uint32_t beat_bytes) = 0;
  /// A write whose last data beat is accepted at `at`: the cycle of its response.
  virtual sim::Cycle write(sim::Cycle at, uint64_t address, uint32_t beats,
                           uint32_t beat_bytes) = 0;
};

/// One memory interface: hands ports to units. Implemented by mcif.hpp.
class MemoryInterface {
 public:
  virtual ~MemoryInterface() = default;
  virtual ReadPort& read_port(ReadClient client) = 0;
  virtual WritePort& write_port(WriteClient client) = 0;
};

}  // namespace dlavp::mcif
