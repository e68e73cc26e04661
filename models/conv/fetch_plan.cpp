// The walks over feature cubes and images.
#include "models/conv/fetch_plan.hpp"

#include <algorithm>
#include <vector>

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
    groups_ = (op.height + op.grain_lines - 1) / op.grain_lines;
    count_plain();
  }

  bool requests_left() const override { return request_.group < groups_; }
  uint32_t groups() const override { return groups_; }
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
                   1, false, false};
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
    const bool line_ends = ++column_ == width_;
    if (line_ends) column_ = 0;
    a.blocks = line_ends || (response_.surface & 2) != 0;
    if (++response_.atom == run) {
      response_.atom = 0;
      if (++response_.surface == surfaces_) {
        response_.surface = 0;
        ++response_.group;
        a.ends_group = true;
      }
    }
    count_plain();
    return a;
  }

  void skip_atoms(uint32_t atoms) override {
    column_ += atoms;
    response_.atom += atoms;
    plain_ -= atoms;
  }

 private:
  struct Position {
    uint32_t group = 0, surface = 0;
    uint64_t atom = 0;
  };
  void count_plain() { plain_ = (response_.surface & 2) != 0 ? 0 : width_ - 1 - column_; }
  CdmaOp op_;
  const CdmaTiming& timing_;
  uint32_t atom_, width_, surfaces_, groups_;
  Position request_, response_;
  uint32_t column_ = 0;  ///< of the response side in its line
};

/// Images are fetched line by line, in bundles of eight atoms (nine for a line's first) of plane 0
/// and twice as many of plane 1 in turn. Every line has padding before and behind it, counted in
/// atoms like the pixels: its bursts take part in the walk and in the bundles, but ask for nothing.
class ImagePlan final : public FetchPlan {
 public:
  ImagePlan(const CdmaOp& op, const HwConfig& hw, const CdmaTiming& timing)
      : op_(op), timing_(timing), atom_(hw.memory_atomic_size) {
    std::array<Walk, 2> walks;
    for (unsigned p = 0; p < op.format.planes; ++p) {
      const uint32_t in_atom = atom_ / op.format.pixel_bytes(p);
      const uint32_t left =
          op.pad_left / in_atom + (op.x_offset[p] >= op.pad_left % in_atom ? 0 : 1);
      const uint32_t pixels = (op.width - 1 + op.x_offset[p]) / in_atom + 1;
      const uint32_t all = (op.stored_width() - 1) / in_atom + 2;
      const uint32_t right = all > left + pixels ? all - left - pixels : 0;
      walks[p] = {p, {left, pixels, right}};
    }
    for (uint32_t limit = 0; walks[0].left() > 0 || walks[1].left() > 0;) {
      limit += kRequestAtoms;
      const uint32_t first = limit == kRequestAtoms ? 1 : 0;
      const size_t before = line_.size();
      walks[0].bundle(kRequestAtoms + first, line_);
      walks[1].bundle(2 * kRequestAtoms + first, line_);
      uint32_t atoms = 0;
      for (size_t i = before; i < line_.size(); ++i) atoms += line_[i].atoms;
      // A line's first atom of each plane only fills the shifter.
      line_.back().pack = std::max(1u, atoms - first * op.format.planes);
    }
    count_plain();
    if (op.format.planes == 1) return;
    // Merging takes one more cycle, unless the line's last atom holds nothing that is stored.
    const uint32_t last = op.stored_width() - 1;
    const uint32_t read = last / atom_ + 1 + last * 2 / atom_ + 1;
    const uint32_t stored = (op.stored_width() * op.format.channels + atom_ - 1) / atom_;
    if (stored == read) merge_ = timing.image_merge;
  }

  bool requests_left() const override { return request_.line < op_.height; }
  uint32_t groups() const override { return op_.height; }
  uint32_t group_lines(uint32_t) const override { return 1; }
  sim::Cycle first_request() const override { return timing_.image_request; }
  sim::Cycle update() const override { return timing_.image_update + merge_; }
  sim::Cycle done() const override { return timing_.image_done + merge_; }

  FetchRequest next_request() override {
    const Burst& burst = line_[request_.burst];
    const Plane& plane = op_.planes[burst.plane];
    FetchRequest r{
        plane.address + uint64_t{request_.line} * plane.line_stride + uint64_t{burst.first} * atom_,
        burst.atoms, 1, burst.padding, false};
    if (++request_.burst < line_.size()) return r;
    request_.burst = 0;
    ++request_.line;
    r.gap = static_cast<uint32_t>(timing_.image_line_gap);
    r.ends_group = true;
    return r;
  }

  bool next_request_is_padding() const override { return line_[request_.burst].padding; }
  bool next_is_padding() const override {
    return response_.line < op_.height && line_[response_.burst].padding;
  }

  FetchAtom next_atom() override {
    const Burst& burst = line_[response_.burst];
    FetchAtom a;
    if (++response_.atom == burst.atoms) {
      response_.atom = 0;
      a.pack = burst.pack;
      if (++response_.burst == line_.size()) {
        response_.burst = 0;
        ++response_.line;
        a.ends_group = true;
      }
    }
    count_plain();
    return a;
  }

  void skip_atoms(uint32_t atoms) override {
    response_.atom += atoms;
    plain_ -= atoms;
  }

 private:
  void count_plain() {
    const Burst& burst = line_[response_.burst];
    plain_ = burst.padding ? 0 : burst.atoms - 1 - response_.atom;
  }
  struct Burst {
    unsigned plane = 0;
    uint32_t first = 0, atoms = 0;  ///< `first`: of the plane's line
    bool padding = false;
    uint32_t pack = 0;  ///< of the bundle that it ends
  };
  /// One plane's way through a line: left padding, pixels, right padding.
  struct Walk {
    unsigned plane = 0;
    std::array<uint32_t, 3> section{};
    unsigned at = 0;
    uint32_t done = 0, fetched = 0;

    [[nodiscard]] uint32_t left() const { return section[0] + section[1] + section[2] - done; }
    void bundle(uint32_t room, std::vector<Burst>& line) {
      for (uint32_t begin = 0; at < section.size(); begin = 0) {
        for (unsigned s = 0; s < at; ++s) begin += section[s];
        const uint32_t rest = begin + section[at] - done;
        const uint32_t atoms = std::min(rest, room);
        const bool padding = at != 1;
        if (atoms > 0) line.push_back({plane, padding ? 0 : fetched, atoms, padding, 0});
        if (!padding) fetched += atoms;
        done += atoms;
        room -= atoms;
        if (atoms < rest) return;
        ++at;
      }
    }
  };
  struct Position {
    uint32_t line = 0, atom = 0;
    size_t burst = 0;
  };
  CdmaOp op_;
  const CdmaTiming& timing_;
  uint32_t atom_;
  sim::Cycle merge_ = 0;
  std::vector<Burst> line_;  ///< every line's bursts
  Position request_, response_;
};

}  // namespace

std::unique_ptr<FetchPlan> make_fetch_plan(const CdmaOp& op, const HwConfig& hw,
                                           const CdmaTiming& timing) {
  if (op.cbuf.image) return std::make_unique<ImagePlan>(op, hw, timing);
  return std::make_unique<FeaturePlan>(op, hw, timing);
}

}  // namespace dlavp::conv
