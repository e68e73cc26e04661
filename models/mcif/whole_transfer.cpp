// Transfers of a whole operation through a memory interface: the memory is asked once for all
// beats, and what a client may have outstanding bounds their rate. Other clients wait behind a
// transfer instead of taking turns with it.
#include <algorithm>

#include "models/mcif/read_path.hpp"
#include "models/mcif/write_path.hpp"

namespace dlavp::mcif {

using sim::Cycle;

namespace {

constexpr uint64_t kPieceAtoms = 1 << 20;  // sizes of transactions have 32 bits

/// Calls visit(address, beats) for pieces of `atoms` from `address`.
template <typename Visit>
void for_each_piece(const BusShape& bus, uint64_t address, uint64_t atoms, const Visit& visit) {
  while (atoms > 0) {
    const auto piece = static_cast<uint32_t>(std::min(atoms, kPieceAtoms));
    visit(address, bus.beats(address, piece));
    address += uint64_t{piece} * bus.atom_bytes;
    atoms -= piece;
  }
}

}  // namespace

Transfer ReadChannel::read_whole(Cycle at, uint64_t address, uint64_t atoms) {
  Transfer out{at, at};
  if (atoms == 0) return out;
  const Cycle request = at + SkidChain::kStages + timing_.read_arbiter_input +
                        timing_.read_arbiter_output + timing_.read_command;
  uint64_t all = 0;
  for_each_piece(bus_, address, atoms, [&](uint64_t from, uint32_t beats) {
    if (path_.timed_) {
      const MemoryTiming::Beats bus = path_.memory_.read(request, from, beats, bus_.beat_bytes);
      if (path_.activity_)
        path_.activity_->add(static_cast<size_t>(client_), bus.first, bus.last + 1);
      if (all == 0) out.first = bus.first + timing_.read_response;
      out.last = bus.last + timing_.read_response;
    }
    all += beats;
  });
  beats_ += all;
  if (!path_.timed_) return out;
  // As much as may be outstanding arrives in each round trip. The wait behind other transfers is
  // no part of that: clients take turns.
  const Cycle flight = path_.least_flight_ = std::min(path_.least_flight_, out.first - at);
  const auto bound = [&](uint64_t count, uint64_t most, Cycle round_trip) {
    if (most != 0 && count > most)
      out.last = std::max(out.last, at + flight + (count - most) * round_trip / most);
  };
  bound(all, depth_, flight + timing_.read_credit_return);
  bound(all, path_.limit_, flight - timing_.read_response + timing_.outstanding_return);
  told_until_ = std::max(told_until_, out.last);
  return out;
}

// The memory is asked when the first result leaves, so that who comes later does not wait for
// results that are still to come; the last one is answered as long after it as the first one was.
Cycle WriteChannel::write_whole(Cycle from, Cycle until, uint64_t address, uint64_t atoms) {
  const Cycle path = timing_.write_request + timing_.write_arbiter_input +
                     timing_.write_arbiter_output + timing_.write_command;
  const Cycle begin = from + path;
  Cycle response = until;
  bool first = true;
  const auto write = [&](uint64_t at, uint32_t beats) {
    const Cycle answered = path_.memory_.write(begin, at, beats, bus_.beat_bytes);
    response = std::max({response, answered, first ? until + (answered - from) : 0});
    first = false;
  };
  for_each_piece(bus_, address, atoms, [&](uint64_t at, uint32_t beats) {
    beats_ += beats;
    if (!path_.timed_) return;
    const uint32_t alone = first ? 1 : 0;
    if (first) write(at, alone);
    if (beats > alone) write(at + uint64_t{alone} * bus_.beat_bytes, beats - alone);
    if (path_.activity_)
      path_.activity_->add(static_cast<size_t>(client_), begin,
                           std::max(until, from + beats) + path);
  });
  last_response_ = response = std::max(response, last_response_);
  respond(response, true);
  return response + timing_.write_response;
}

}  // namespace dlavp::mcif
