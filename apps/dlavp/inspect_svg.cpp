#include "apps/dlavp/inspect_svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "apps/dlavp/svg.hpp"

namespace dlavp::app {

namespace {

constexpr double kMargin = 20, kTop = 132, kBoxWidth = 340, kGap = 16, kLane = 11;
constexpr double kHead = 44, kLine = 14, kInset = 10, kTap = 12;
constexpr double kPanelGap = 26, kWidePanel = 260, kPanel = 150, kNarrowPanel = 46;
constexpr size_t kMostPanels = 6;
constexpr size_t kMostLines = 60;  ///< of chains in the whole picture, else they are summed up
constexpr double kCharWidth = 6.1, kBoldWidth = 6.9;
constexpr std::array<const char*, 8> kLaneColours = {"#2a7f62", "#d1495b", "#30638e", "#d9901a",
                                                     "#8e6c8a", "#5b8e23", "#b5485d", "#3a8fa3"};

std::string shortened(const std::string& text, double width, double char_width) {
  const auto fits = static_cast<size_t>(std::max(width / char_width, 1.0));
  if (text.size() <= fits) return text;
  size_t cut = fits - 1;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;  // in UTF-8
  return text.substr(0, cut) + "\u2026";
}

std::string count_text(uint64_t n, const char* unit) {
  constexpr std::array<const char*, 4> kPrefixes = {"", "k", "M", "G"};
  auto value = static_cast<double>(n);
  size_t prefix = 0;
  while (value >= 1000 && prefix + 1 < kPrefixes.size()) {
    value /= 1000;
    ++prefix;
  }
  return fmt::format("{:.3g} {}{}", value, kPrefixes[prefix], unit);
}

/// Gives each span of rows the first lane that is free all along.
class Lanes {
 public:
  size_t take(size_t first, size_t last) {
    for (size_t lane = 0; lane < until_.size(); ++lane)
      if (until_[lane] <= first) {
        until_[lane] = last;
        return lane;
      }
    until_.push_back(last);
    return until_.size() - 1;
  }
  [[nodiscard]] double width() const { return static_cast<double>(until_.size()) * kLane; }

 private:
  std::vector<size_t> until_;
};

/// A vertical line from a node to those that follow it, with a branch to each.
struct Wire {
  size_t from = 0, lane = 0;
  std::vector<size_t> to;
};

struct Panel {
  const GraphMemory* memory = nullptr;
  uint64_t used = 0;  ///< bytes up to the last that is read or written
  double x = 0, width = 0;
  bool constant = true;  ///< nothing in it is written
};

class Picture {
 public:
  Picture(const LoadableGraph& graph, const std::string& title) : g_(graph), title_(title) {}
  std::string draw();

 private:
  void place_rows();
  void place_wires();
  void place_panels();
  [[nodiscard]] double panel_width(const Panel& panel) const;
  void draw_node(size_t i);
  /// Gives the x after the last one.
  double draw_engines(const GraphNode& node, double x, double y);
  void draw_wires();
  void draw_waits();
  void draw_arrow(double x, double y, const char* colour);
  void draw_panel(const Panel& panel);
  void draw_range(const Panel& panel, const ByteRange& range, size_t from, size_t to,
                  bool constant);
  void draw_head();
  [[nodiscard]] double bottom(size_t i) const { return y_[i] + height_[i]; }

  const LoadableGraph& g_;
  const std::string& title_;
  std::vector<double> y_, height_;
  bool lines_ = false;  ///< a line for each chain
  std::vector<Wire> wires_, waits_;
  double boxes_x_ = 0, waits_x_ = 0, width_ = 0, end_ = 0;
  std::vector<Panel> panels_;
  size_t hidden_ = 0;  ///< memories without a panel
  std::string out_;
};

void Picture::place_rows() {
  size_t chains = 0;
  for (const GraphNode& n : g_.nodes) chains += n.chains.size();
  lines_ = chains <= kMostLines;
  double y = kTop;
  for (const GraphNode& n : g_.nodes) {
    double h = n.kind == GraphNode::Kind::kLayer ? kHead : kHead / 2 + 2;
    if (lines_ && n.chains.size() > 1) h += kLine * static_cast<double>(n.chains.size()) + 4;
    y_.push_back(y);
    height_.push_back(h);
    y += h + kGap;
  }
  end_ = y;
}

void Picture::place_wires() {
  const size_t count = g_.nodes.size();
  std::vector<std::vector<size_t>> to(count), wait(count);
  for (size_t i = 0; i < count; ++i) {
    for (const size_t f : g_.nodes[i].from) to[f].push_back(i);
    for (const size_t f : g_.nodes[i].after) wait[f].push_back(i);
  }
  const auto place = [](size_t from, const std::vector<size_t>& targets, Lanes& lanes,
                        std::vector<Wire>& wires) {
    Wire wire{from, 0, {}};
    for (const size_t t : targets)
      if (t != from + 1) wire.to.push_back(t);  // the next one is reached straight down
    if (wire.to.empty()) return;
    wire.lane = lanes.take(from, wire.to.back());
    wires.push_back(wire);
  };
  Lanes left, right;
  for (size_t i = 0; i < count; ++i) {
    place(i, to[i], left, wires_);
    place(i, wait[i], right, waits_);
  }
  boxes_x_ = kMargin + left.width() + kTap;
  waits_x_ = boxes_x_ + kBoxWidth + kTap;
  width_ = waits_x_ + right.width();
}

double Picture::panel_width(const Panel& panel) const {
  size_t ranges = 0;
  for (const GraphNode& n : g_.nodes) {
    if (n.kind != GraphNode::Kind::kLayer) continue;
    for (const ByteRange& r : panel.constant ? n.reads : n.writes)
      ranges += r.memory == panel.memory->id ? 1 : 0;
  }
  return ranges < 2 ? kNarrowPanel : panel.constant ? kPanel : kWidePanel;
}

void Picture::place_panels() {
  for (const GraphMemory& m : g_.memories) {
    Panel p;
    p.memory = &m;
    for (const GraphNode& n : g_.nodes) {
      if (n.kind != GraphNode::Kind::kLayer) continue;
      for (const ByteRange& r : n.reads)
        if (r.memory == m.id) p.used = std::max(p.used, r.end);
      for (const ByteRange& r : n.writes) {
        if (r.memory != m.id) continue;
        p.used = std::max(p.used, r.end);
        p.constant = false;
      }
    }
    if (p.used != 0) panels_.push_back(p);
  }
  if (panels_.size() > kMostPanels) {
    hidden_ = panels_.size() - kMostPanels;
    std::stable_sort(panels_.begin(), panels_.end(),
                     [](const Panel& a, const Panel& b) { return a.used > b.used; });
    panels_.resize(kMostPanels);
  }
  for (Panel& p : panels_) {
    p.width = panel_width(p);
    p.x = width_ + kPanelGap;
    width_ = p.x + p.width;
  }
  width_ += kMargin;
}

double Picture::draw_engines(const GraphNode& node, double x, double y) {
  for (const auto& [engine, count] : node.engines) {
    const std::string label = count == 1 ? engine : fmt::format("{} \u00d7{}", engine, count);
    const size_t letters = count == 1 ? label.size() : label.size() - 1;  // the sign has two bytes
    const double w = 11 + (kCharWidth + 0.5) * static_cast<double>(letters);
    out_ += svg_box(x, y, w, 15, unit_colour(engine), label);
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"chip\">{}</text>\n", x + 5, y + 11,
                        label);
    x += w + 2;
  }
  return x;
}

void Picture::draw_node(size_t i) {
  const GraphNode& n = g_.nodes[i];
  const bool layer = n.kind == GraphNode::Kind::kLayer;
  const char* edge = n.engines.empty() ? "#888" : unit_colour(n.engines.front().first);
  out_ += fmt::format(
      "<g><title>{}</title><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.0f}\" height=\"{:.1f}\" "
      "rx=\"4\" class=\"{}\" stroke=\"{}\"/>",
      escape_xml(
          fmt::format("{}\n{}\n{} {}", n.name, fmt::join(n.chains, "\n"), n.shape, n.detail)),
      boxes_x_, y_[i], kBoxWidth, height_[i], layer ? "layer" : "port", edge);
  const double right = boxes_x_ + kBoxWidth - kInset;
  const double shape_width = kCharWidth * static_cast<double>(n.shape.size());
  const std::string name = !layer && n.kind == GraphNode::Kind::kInput ? "input " + n.name
                           : !layer                                    ? "output " + n.name
                                                                       : n.name;
  out_ += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"name\">{}</text>", boxes_x_ + kInset, y_[i] + 16,
      escape_xml(shortened(name, kBoxWidth - 3 * kInset - shape_width, kBoldWidth)));
  out_ += svg_text(right, y_[i] + 16, n.shape, "end");
  const double used = layer ? draw_engines(n, boxes_x_ + kInset, y_[i] + 23) : boxes_x_;
  std::string detail = n.detail;
  if (n.macs != 0) detail += (detail.empty() ? "" : ", ") + count_text(n.macs, "MAC");
  out_ += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"detail\" text-anchor=\"end\">{}</text>", right,
      y_[i] + 34, escape_xml(shortened(detail, right - used - kInset, kCharWidth - 0.6)));
  double y = y_[i] + kHead + kLine - 4;
  for (size_t k = 0; lines_ && n.chains.size() > 1 && k < n.chains.size(); ++k, y += kLine)
    out_ += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"detail\">{}</text>", boxes_x_ + kInset, y,
        escape_xml(shortened(n.chains[k], kBoxWidth - 2 * kInset, kCharWidth - 0.8)));
  out_ += "</g>\n";
}

void Picture::draw_arrow(double x, double y, const char* colour) {
  out_ += fmt::format("<path d=\"M{:.1f} {:.1f}l-6 -3.5v7z\" fill=\"{}\"/>", x, y, colour);
}

void Picture::draw_wires() {
  for (const Wire& w : wires_) {
    const char* colour = kLaneColours[w.lane % kLaneColours.size()];
    const double x = boxes_x_ - kTap - kLane * (static_cast<double>(w.lane) + 0.5);
    const double start = bottom(w.from) - 7;
    out_ += fmt::format("<path class=\"wire\" stroke=\"{}\" d=\"M{:.1f} {:.1f}H{:.1f}V{:.1f}\">",
                        colour, boxes_x_, start, x, y_[w.to.back()] + 9);
    out_ += fmt::format("<title>{}</title></path>", escape_xml(g_.nodes[w.from].name));
    for (const size_t t : w.to) {
      out_ += fmt::format("<path class=\"wire\" stroke=\"{}\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>",
                          colour, x, y_[t] + 9, boxes_x_ - 4);
      draw_arrow(boxes_x_, y_[t] + 9, colour);
    }
    out_ += "\n";
  }
  for (size_t i = 1; i < g_.nodes.size(); ++i) {
    const auto& from = g_.nodes[i].from;
    if (std::find(from.begin(), from.end(), i - 1) == from.end()) continue;
    const double x = boxes_x_ + 40;
    out_ += fmt::format(
        "<path class=\"wire\" stroke=\"#555\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>"
        "<path d=\"M{:.1f} {:.1f}l-3.5 -6h7z\" fill=\"#555\"/>\n",
        x, bottom(i - 1), y_[i] - 4, x, y_[i]);
  }
}

void Picture::draw_waits() {
  const double box = boxes_x_ + kBoxWidth;
  for (const Wire& w : waits_) {
    const double x = waits_x_ + kLane * (static_cast<double>(w.lane) + 0.5);
    out_ += fmt::format(
        "<path class=\"wait\" d=\"M{:.1f} {:.1f}H{:.1f}V{:.1f}\"><title>{}</title></path>", box,
        bottom(w.from) - 7, x, y_[w.to.back()] + 9,
        escape_xml("waits for " + g_.nodes[w.from].name));
    for (const size_t t : w.to)
      out_ += fmt::format("<path class=\"wait\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>", x, y_[t] + 9, box);
    out_ += "\n";
  }
}

void Picture::draw_range(const Panel& panel, const ByteRange& range, size_t from, size_t to,
                         bool constant) {
  const GraphNode& n = g_.nodes[from];
  const double scale = panel.width / static_cast<double>(panel.used);
  const double x = panel.x + static_cast<double>(range.begin) * scale;
  const double w = std::max(static_cast<double>(range.end - range.begin) * scale, 1.0);
  const double h = to > from ? y_[to] + kHead / 2 - y_[from] : std::min(height_[from], kHead);
  const char* colour = n.engines.empty() ? "#888" : unit_colour(n.engines.front().first);
  const std::string name = n.name + (constant ? ", constants" : "");
  out_ += fmt::format(
      "<g class=\"{}\">{}</g>", constant ? "constant" : "live",
      svg_box(x, y_[from], w, h, colour,
              fmt::format("{}: {} bytes at {:#x}", name, range.end - range.begin, range.begin)));
  if (!constant && w > 40)
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"detail\">{}</text>", x + 3,
                        y_[from] + 12, escape_xml(shortened(n.name, w - 6, kCharWidth - 0.6)));
  out_ += "\n";
}

void Picture::draw_panel(const Panel& panel) {
  out_ += fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" class=\"panel\"/>\n",
      panel.x, kTop - 4, panel.width, end_ - kTop);
  const bool narrow = panel.width < kPanel;
  out_ += svg_text(panel.x, kTop - 36, fmt::format("memory {}", panel.memory->id));
  out_ += svg_text(panel.x, kTop - 23, count_text(panel.used, "B"));
  if (!narrow) {
    out_ += svg_text(panel.x + 62, kTop - 36, "(" + panel.memory->what + ")");
    out_ += svg_text(panel.x + panel.width, kTop - 10, fmt::format("{:#x}", panel.used), "end");
  }
  out_ += svg_text(panel.x, kTop - 10, "0");
  for (size_t i = 0; i < g_.nodes.size(); ++i) {
    const GraphNode& n = g_.nodes[i];
    if (n.kind == GraphNode::Kind::kOutput) continue;
    for (const ByteRange& r : n.writes)
      if (r.memory == panel.memory->id && r.begin < panel.used)
        draw_range(panel, {r.memory, r.begin, std::min(r.end, panel.used)}, i, n.last_reader,
                   false);
    for (const ByteRange& r : n.reads)
      if (panel.constant && r.memory == panel.memory->id && n.kind == GraphNode::Kind::kLayer &&
          panel.memory->what.find("constants") != std::string::npos)
        draw_range(panel, r, i, i, true);
  }
}

void Picture::draw_head() {
  out_ += fmt::format("<text x=\"{:.0f}\" y=\"28\" class=\"title\">{}</text>", kMargin,
                      escape_xml(title_));
  double x = kMargin;
  for (const char* unit : {"CONV", "SDP", "PDP", "CDP", "RUBIK", "CPU"}) {
    const bool there = std::any_of(g_.nodes.begin(), g_.nodes.end(), [&](const GraphNode& n) {
      return std::any_of(n.engines.begin(), n.engines.end(),
                         [&](const auto& e) { return e.first == unit; });
    });
    if (!there) continue;
    out_ += svg_box(x, 40, 11, 11, unit_colour(unit), unit) + svg_text(x + 16, 50, unit);
    x += 66;
  }
  out_ += svg_text(kMargin, 68,
                   "A box is a layer, below it what follows; lanes at the left carry data past "
                   "layers,");
  std::string rest =
      "dashed lines at the right are waits without data. Beside: memories, address "
      "across, time down.";
  if (hidden_ != 0) rest += fmt::format(" {} smaller memories are not shown.", hidden_);
  out_ += svg_text(kMargin, 82, rest) + "\n";
}

constexpr const char* kStyle = R"(<style>
text{font:11px system-ui,sans-serif;fill:#222}.title{font-size:17px;font-weight:600}
.name{font-weight:600;font-size:12px}.detail{font-size:10px;fill:#555}.chip{font-size:10px;fill:#fff}
.layer{fill:#fff;stroke-width:1.3}.port{fill:#eee;stroke-width:1}.wire{fill:none;stroke-width:1.5}
.wait{fill:none;stroke:#aaa;stroke-width:1;stroke-dasharray:3 3}.panel{fill:#fafafa;stroke:#ddd}
.live{opacity:.38;stroke:#fff;stroke-width:.6}.constant{opacity:.75}
</style>)";

std::string Picture::draw() {
  place_rows();
  place_wires();
  place_panels();
  width_ = std::max(width_, 640.0);
  draw_head();
  for (const Panel& p : panels_) draw_panel(p);
  draw_waits();
  draw_wires();
  for (size_t i = 0; i < g_.nodes.size(); ++i) draw_node(i);
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.0f}\" height=\"{:.0f}\" viewBox=\"0 0 "
      "{:.0f} {:.0f}\">{}<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{}</svg>\n",
      width_, end_ + kMargin, width_, end_ + kMargin, kStyle, out_);
}

}  // namespace

std::string loadable_svg(const LoadableGraph& graph, const std::string& title) {
  return Picture(graph, title).draw();
}

}  // namespace dlavp::app
