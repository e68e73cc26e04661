// Transfers of a whole operation through a memory interface: the memory is asked once for all
// beats, and what a client may have outstanding bounds their rate. The last beats of other clients
// wait behind a transfer instead of taking turns with it.
#include <algorithm>

#include "models/mcif/read_path.hpp"
#include "models/mcif/write_path.hpp"

namespace dlavp::mcif {

using sim::Cycle;

namespace {

constexpr uint64_t kPieceBeats = 1 << 20;  // sizes of transactions have 32 bits

/// Calls visit(address, beats) for pieces of `beats` from `address`.
template <typename Visit>
void for_each_piece(const BusShape& bus, uint64_t address, uint64_t beats, const Visit& visit) {
  while (beats > 0) {
    const auto piece = static_cast<uint32_t>(std::min(beats, kPieceBeats));
    visit(address, piece);
    address += uint64_t{piece} * bus.beat_bytes;
    beats -= piece;
  }
}

/// From the first to the last of `beats`, one a cycle, of which `most` come in each round trip
/// (0: no bound).
Cycle in_round_trips(uint64_t beats, uint64_t most, Cycle round_trip) {
  const uint64_t last = beats - 1;
  return most == 0 ? last : std::max(last, last / most * round_trip + last % most);
}

}  // namespace

// The clients take turns, so the first beat does not wait behind other transfers, but the last one
// does.
Transfer ReadChannel::read_whole(Cycle at, uint64_t address, uint64_t beats, Cycle hold) {
  Transfer out{at, at};
  beats_ += beats;
  if (beats == 0 || !path_.timed_) return out;
  const Cycle request = at + SkidChain::kStages + timing_.read_arbiter_input +
                        timing_.read_arbiter_output + timing_.read_command;
  bool first = true;
  for_each_piece(bus_, address, beats, [&](uint64_t from, uint32_t piece) {
    const MemoryTiming::Beats bus = path_.memory_.read(request, from, piece, bus_.beat_bytes);
    if (path_.activity_) path_.activity_->add(client_, bus.first, bus.last + 1);
    if (first) out.first = bus.first + timing_.read_response;
    out.last = bus.last + timing_.read_response;
    first = false;
  });
  path_.least_flight_ = std::min(path_.least_flight_, out.first - at);
  out.turns = out.first - at - path_.least_flight_;
  out.first = at + path_.least_flight_;
  out.last = std::max(out.last, out.first + least_cycles(beats, hold));
  told_until_ = std::max(told_until_, out.last);
  return out;
}

// What may be outstanding bounds the rate: a client's credits come back to its splitter, the
// interface's when beats have left the bus.
Cycle ReadChannel::least_cycles(uint64_t beats, Cycle hold) const {
  if (beats == 0 || !path_.timed_ || path_.least_flight_ == sim::kNever) return beats;
  const Cycle from_splitter = path_.least_flight_ - SkidChain::kStages;
  const Cycle on_bus = from_splitter - timing_.read_arbiter_input - timing_.read_arbiter_output -
                       timing_.read_response;
  return std::max(in_round_trips(beats, depth_, from_splitter + hold + timing_.read_credit_return),
                  in_round_trips(beats, path_.limit_, on_bus + timing_.outstanding_return));
}

// The memory is asked when the first result leaves, so that who comes later does not wait for
// results that are still to come; the last one is answered as long after it as the first one was.
Cycle WriteChannel::write_whole(Cycle from, Cycle until, uint64_t address, uint64_t beats) {
  const Cycle path = timing_.write_request + timing_.write_arbiter_input +
                     timing_.write_arbiter_output + timing_.write_command;
  const Cycle begin = from + path;
  Cycle response = until;
  bool first = true;
  const auto write = [&](uint64_t at, uint32_t piece) {
    const Cycle answered = path_.memory_.write(begin, at, piece, bus_.beat_bytes);
    response = std::max({response, answered, first ? until + (answered - from) : 0});
    first = false;
  };
  beats_ += beats;
  for_each_piece(bus_, address, path_.timed_ ? beats : 0, [&](uint64_t at, uint32_t piece) {
    const uint32_t alone = first ? 1 : 0;
    if (first) write(at, alone);
    if (piece > alone) write(at + uint64_t{alone} * bus_.beat_bytes, piece - alone);
    if (path_.activity_) path_.activity_->add(client_, begin, std::max(until, from + piece) + path);
  });
  last_response_ = response = std::max(response, last_response_);
  respond(response, true);
  return response + timing_.write_response;
}

}  // namespace dlavp::mcif
