// The walks over feature cubes and images.
#include "models/conv/fetch_plan.hpp"

#include <algorithm>

namespace dlavp::conv {

namespace {

constexpr uint32_t kRequestAtoms = 8;  // a request never crosses a boundary of eight atoms

class FeaturePlan final : public FetchPlan {
 public:
  FeaturePlan(const CdmaOp& op, const HwConfig& hw, const CdmaTiming& timing)
      : op_(op), timing_(timing), atom_(hw.memory_atomic_size) {
    const uint32_t surfaces = (op.channels + atom_ - 1) / atom_;
    width_ = op.one_pixel ? surfaces : op.width;
    surfaces_ = op.one_pixel ? 1 : surfaces;
  }

  bool requests_left() const override { return request_.group < groups(); }
  uint32_t groups() const override { return (op_.height + op_.grain_lines - 1) / op_.grain_lines; }
  uint32_t group_lines(uint32_t group) const override {
    return std::min(op_.grain_lines, op_.height - group * op_.grain_lines);
  }
  sim::Cycle first_request() const override { return timing_.data_request; }
  sim::Cycle update() const override { return timing_.data_update; }
  sim::Cycle done() const override { return timing_.data_done; }

  FetchRequest next_request() override {
    const uint64_t run = uint64_t{group_lines(request_.group)} * width_;
    const uint64_t address =
        op_.planes[0].address +
        uint64_t{request_.group} * op_.grain_lines * op_.planes[0].line_stride +
        uint64_t{request_.surface} * op_.surface_stride + request_.atom * atom_;
    const uint32_t limit =
        request_.atom == 0 ? kRequestAtoms - address / atom_ % kRequestAtoms : kRequestAtoms;
    FetchRequest r{address, static_cast<uint32_t>(std::min<uint64_t>(limit, run - request_.atom)),
                   1, false};
    request_.atom += r.atoms;
    if (request_.atom < run) return r;
    request_.atom = 0;
    r.gap = static_cast<uint32_t>(timing_.surface_gap);
    if (++request_.surface < surfaces_) return r;
    request_.surface = 0;
    ++request_.group;
    r.gap = static_cast<uint32_t>(timing_.grain_gap);
    r.ends_group = true;
    return r;
  }

  FetchAtom next_atom() override {
    const uint64_t run = uint64_t{group_lines(response_.group)} * width_;
    FetchAtom a;
    // A line's last atom, and every atom of the third and fourth surface of four, costs the shared
    // buffer a cycle unless it already paused.
    a.blocks = ++response_.atom % width_ == 0 || (response_.surface & 2) != 0;
    if (response_.atom < run) return a;
    response_.atom = 0;
    if (++response_.surface < surfaces_) return a;
    response_.surface = 0;
    ++response_.group;
    a.ends_group = true;
    return a;
  }

 private:
  struct Position {
    uint32_t group = 0, surface = 0;
    uint64_t atom = 0;
  };
  CdmaOp op_;
  const CdmaTiming& timing_;
  uint32_t atom_, width_, surfaces_;
  Position request_, response_;
};

/// Images are fetched line by line; with two planes a bundle of plane 0 (eight atoms, nine for the
/// first) and one of plane 1 (twice as many) take turns. Padding takes the response side's time.
class ImagePlan final : public FetchPlan {
 public:
  ImagePlan(const CdmaOp& op, const HwConfig& hw, const CdmaTiming& timing)
      : op_(op), timing_(timing), atom_(hw.memory_atomic_size) {
    for (unsigned p = 0; p < op.format.planes; ++p) {
      const uint32_t in_atom = atom_ / op.format.pixel_bytes(p);
      const uint32_t filled = op.pad_left % in_atom;
      const uint32_t left = op.pad_left / in_atom + (op.x_offset[p] >= filled ? 0 : 1);
      atoms_[p] = (op.width - 1 + op.x_offset[p]) / in_atom + 1;
      const uint32_t all = (op.stored_width() - 1) / in_atom + 2;
      line_atoms_ += atoms_[p];
      padding_ += left + (all > left + atoms_[p] ? all - left - atoms_[p] : 0);
    }
  }

  bool requests_left() const override { return line_ < op_.height; }
  uint32_t groups() const override { return op_.height; }
  uint32_t group_lines(uint32_t) const override { return 1; }
  sim::Cycle first_request() const override { return timing_.image_request; }
  sim::Cycle update() const override { return timing_.image_update; }
  sim::Cycle done() const override { return timing_.image_done; }

  FetchRequest next_request() override {
    const uint32_t bundle = (kRequestAtoms << plane_) + (done_[plane_] == 0 ? 1 : 0);
    FetchRequest r;
    r.address = op_.planes[plane_].address + uint64_t{line_} * op_.planes[plane_].line_stride +
                uint64_t{done_[plane_]} * atom_;
    r.atoms = std::min(bundle, atoms_[plane_] - done_[plane_]);
    done_[plane_] += r.atoms;
    const unsigned other = plane_ ^ 1u;
    if (op_.format.planes == 2 && done_[other] < atoms_[other]) plane_ = other;
    if (done_[0] < atoms_[0] || (op_.format.planes == 2 && done_[1] < atoms_[1])) return r;
    done_ = {};
    plane_ = 0;
    ++line_;
    r.gap = static_cast<uint32_t>(timing_.image_line_gap);
    r.ends_group = true;
    return r;
  }

  FetchAtom next_atom() override {
    FetchAtom a;
    if (++taken_ < line_atoms_) return a;
    taken_ = 0;
    a.pause = padding_;
    a.ends_group = true;
    return a;
  }

 private:
  CdmaOp op_;
  const CdmaTiming& timing_;
  uint32_t atom_, line_atoms_ = 0, padding_ = 0;
  std::array<uint32_t, 2> atoms_{}, done_{};
  unsigned plane_ = 0;
  uint32_t line_ = 0, taken_ = 0;
};

}  // namespace

std::unique_ptr<FetchPlan> make_fetch_plan(const CdmaOp& op, const HwConfig& hw,
                                           const CdmaTiming& timing) {
  if (op.cbuf.image) return std::make_unique<ImagePlan>(op, hw, timing);
  return std::make_unique<FeaturePlan>(op, hw, timing);
}

}  // namespace dlavp::conv
