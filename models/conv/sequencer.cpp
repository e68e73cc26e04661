// CSC, CMAC and CACC in time.
#include "models/conv/sequencer.hpp"

#include <algorithm>

namespace dlavp::conv {

using sim::Cycle;

uint32_t delivery_atoms(const HwConfig& hw) {
  return hw.mac_atomic_k_size * (hw.mac_atomic_c_size / hw.mac_atomic_k_size >= 4 ? 4 : 2);
}

uint32_t delivery_pieces(const HwConfig& hw) {
  const uint32_t widest =
      std::max({hw.sdp_bs_throughput, hw.sdp_bn_throughput, hw.sdp_ew_throughput, 1u});
  return std::max(1u, hw.mac_atomic_k_size / widest);
}

uint32_t stripe_length(const CscOp& op, const HwConfig& hw, uint64_t done, uint64_t atoms) {
  const uint32_t lower = op.cbuf.image ? delivery_atoms(hw) : hw.mac_atomic_k_size;
  const uint32_t upper = op.cbuf.image ? lower : 2 * lower;
  const uint64_t rest = atoms - done;
  if (rest >= 2 * uint64_t{upper}) return upper;
  return rest <= upper ? static_cast<uint32_t>(rest) : lower;
}

Sequencer::Sequencer(const UnitContext& context, sim::Stream& output, Callbacks callbacks)
    : context_(context),
      hw_(context.hw),
      timing_(context.timing),
      cacc_timing_(context.timing),
      output_(output),
      callbacks_(std::move(callbacks)),
      issue_event_([this] { issue(); }),
      data_event_([this] { callbacks_.data_read(); }),
      csc_event_([this] { callbacks_.csc_done(); }),
      atoms_(context.events,
             [this](const uint32_t& atoms) {
               pushed_ += atoms;
               output_.push(atoms);
             }),
      weights_(context.events,
               [this](const uint64_t& entries) { callbacks_.weights_read(entries); }),
      mac_done_(context.events, [this](const int&) { callbacks_.mac_done(); }),
      cacc_done_(context.events, [this](const int&) { callbacks_.cacc_done(); }),
      delivered_line_(context.events, [this](const int&) { callbacks_.delivered(); }) {
  output_.on_space([this] { space_returned(); });
}

uint32_t Sequencer::group_kernels() const {
  return std::min(hw_.mac_atomic_k_size, op_.kernels - group_ * hw_.mac_atomic_k_size);
}

// A step occupies the MACs for its stripe's atoms, but at least for the load of the next weights.
Cycle Sequencer::step_cycles(uint32_t length) const {
  const uint32_t e = op_.y_extension;
  return std::max((length + e - 1) / e * e, hw_.mac_atomic_k_size);
}

void Sequencer::start(const CscOp& op, Cycle begun, Cycle before) {
  op_ = op;
  active_ = true;
  begun_ = false;
  waiting_for_group_ = true;
  groups_ = (op.kernels + hw_.mac_atomic_k_size - 1) / hw_.mac_atomic_k_size;
  group_ = line_ = 0;
  done_atoms_ = read_weight_bytes_ = 0;
  const uint32_t blocks = (op.kernel_channels + hw_.mac_atomic_c_size - 1) / hw_.mac_atomic_c_size;
  const uint32_t rows = (op.kernel_height + op.y_extension - 1) / op.y_extension;
  steps_ = blocks * rows * op.kernel_width;
  next_step_ = data_at_ = kernels_at_ = waiting_since_ = context_.events.now();
  kernels_needed_ = group_kernels();
  stalls_.clear();
  cycles_.start(begun, context_.activity(ActivityUnit::kConv));
  cycles_.hide(before);
  cycles_.advance(sim::Cause::kPipeline, context_.events.now());
  try_group();
}

void Sequencer::add_lines(uint32_t lines) {
  lines_ += lines;
  if (active_ && !begun_) data_at_ = context_.events.now();
  try_group();
}

void Sequencer::add_kernels(uint32_t kernels) {
  if (active_ && kernels_ < kernels_needed_) kernels_at_ = context_.events.now();
  kernels_ += kernels;
  try_group();
}

void Sequencer::try_group() {
  if (!active_ || !waiting_for_group_ || kernels_ < kernels_needed_) return;
  if (!begun_ && (lines_ < op_.in_height || !callbacks_.begin())) return;
  const Cycle now = context_.events.now();
  const Cycle ready = std::max(kernels_at_, begun_ ? Cycle{0} : std::max(data_at_, now));
  const Cycle load = std::max<Cycle>(group_kernels(), timing_.shortest_load);
  const Cycle first = std::max(next_step_, ready + timing_.package + load);
  if (begun_ && first > next_step_) stalls_["weights"] += first - next_step_;
  if (!begun_) stalls_["input"] += first - waiting_since_;
  account_wait(first);
  begun_ = true;
  waiting_for_group_ = false;
  if (context_.mode.whole()) return run_whole(first);
  if (!op_.cbuf.keep_weights) kernels_ -= group_kernels();
  begin_stripe(first);
}

// What the group waited for before its first step.
void Sequencer::account_wait(Cycle first_step) {
  using sim::Cause;
  if (!begun_) {
    cycles_.advance(Cause::kBuffer, std::min(callbacks_.data_room(), data_at_));
    cycles_.advance(Cause::kData, data_at_);
  }
  if (begun_ && first_step <= next_step_) return;
  cycles_.advance(Cause::kBuffer, std::min(callbacks_.weight_room(), kernels_at_));
  cycles_.advance(Cause::kWeights, kernels_at_);
  // From the second group on the load would be hidden, had the weights been there.
  cycles_.advance(begun_ ? Cause::kWeights : Cause::kPipeline, first_step);
}

void Sequencer::begin_stripe(Cycle first_step) {
  length_ = stripe_length(op_, hw_, done_atoms_, stripe_atoms());
  const Cycle step = step_cycles(length_);
  const Cycle last_step = first_step + (steps_ - 1) * step;
  const bool last_of_group =
      done_atoms_ + length_ == stripe_atoms() && (!op_.cbuf.image || line_ + 1 == op_.out_height);
  if (last_of_group && !op_.cbuf.keep_weights) {
    // The last step's weights are read while the step before it runs.
    const uint64_t before = (read_weight_bytes_ + hw_.cbuf_bank_width - 1) / hw_.cbuf_bank_width;
    read_weight_bytes_ += group_kernels() * op_.bytes_per_kernel();
    const uint64_t entries =
        (read_weight_bytes_ + hw_.cbuf_bank_width - 1) / hw_.cbuf_bank_width - before;
    const Cycle load =
        steps_ > 1 ? last_step - step : std::max(context_.events.now(), first_step - step);
    weights_.send(std::max(load, context_.events.now()) + group_kernels() + timing_.weight_release,
                  entries);
  }
  cycles_.advance(sim::Cause::kBusy, last_step);
  context_.events.schedule(issue_event_, last_step);
}

void Sequencer::issue() {
  const Cycle now = context_.events.now();
  const uint64_t promised = issued_ - pushed_;
  if (output_.space() < promised + length_) {
    if (!waiting_for_credit_) waiting_since_ = now;
    waiting_for_credit_ = true;
    return wait_for_space();
  }
  if (waiting_for_credit_) stalls_["output"] += now - waiting_since_;
  waiting_for_credit_ = false;
  issued_ += length_;
  atoms_.send(now + cacc_timing_.first_atom, length_);
  next_step_ = now + step_cycles(length_);
  cycles_.advance(sim::Cause::kDownstream, now);
  cycles_.advance(sim::Cause::kBusy, next_step_);
  done_atoms_ += length_;
  if (done_atoms_ < stripe_atoms()) return begin_stripe(next_step_);
  done_atoms_ = 0;
  if (op_.cbuf.image && ++line_ < op_.out_height) return begin_stripe(next_step_);
  line_ = 0;
  if (++group_ == groups_) return finish(length_);
  waiting_for_group_ = true;
  // Kept kernels count from the operation's first.
  kernels_needed_ = group_kernels() + (op_.cbuf.keep_weights ? group_ * hw_.mac_atomic_k_size : 0);
  try_group();
}

void Sequencer::finish(uint32_t length) {
  const Cycle now = context_.events.now(), end = now + length;
  active_ = false;
  ends_.push_back(issued_);
  wait_for_space();
  context_.events.schedule(data_event_, end + timing_.data_release);
  context_.events.schedule(csc_event_, end + timing_.done);
  mac_done_.send(end + cacc_timing_.mac_done, 0);
  cacc_done_.send(end + cacc_timing_.done, 0);
}

// What SDP gives back matters when it is the last of an operation or the room for a stripe.
void Sequencer::wait_for_space() {
  uint64_t next = ends_.empty() ? sim::kNever : ends_.front();
  if (waiting_for_credit_) next = std::min(next, issued_ + length_ - delivery_atoms(hw_));
  output_.wake_at(next);
}

void Sequencer::space_returned() {
  for (; !ends_.empty() && output_.freed() >= ends_.front(); ends_.pop_front())
    delivered_line_.send(context_.events.now() + cacc_timing_.interrupt, 0);
  if (waiting_for_credit_) issue();
  wait_for_space();
}

}  // namespace dlavp::conv
