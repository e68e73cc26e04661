#include "apps/dlavp/report_html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "apps/dlavp/svg.hpp"

namespace dlavp::app {

namespace {

constexpr double kWidth = 960, kLeft = 190, kRight = 20;
/// By cause, in the order of the legend; idle-like causes are pale.
constexpr std::array<std::pair<const char*, const char*>, 9> kCauseColours = {{
    {"busy", "#2a7f62"},
    {"pipeline", "#9bc4b5"},
    {"data", "#d1495b"},
    {"weights", "#edae49"},
    {"buffer", "#8e6c8a"},
    {"downstream", "#30638e"},
    {"acknowledge", "#8fb8de"},
    {"overlap", "#cccccc"},
    {"core", "#777777"},
}};
constexpr std::array<const char*, 5> kUnits = {"CONV", "SDP", "PDP", "CDP", "CPU"};

template <typename Table>
const char* colour(const Table& table, const std::string& name) {
  for (const auto& [key, value] : table)
    if (name == key) return value;
  return "#777777";
}

std::string svg(double height, const std::string& inside) {
  return fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" width=\"100%\" role=\"img\">{}</svg>\n",
                     kWidth, height, inside);
}

template <typename Table>
std::string legend(const Table& table) {
  std::string out = "<p class=\"legend\">";
  for (const auto& [name, fill] : table)
    out += fmt::format("<span><i style=\"background:{}\"></i>{}</span>", fill, name);
  return out + "</p>\n";
}

/// A logarithmic axis from `low` to `high`, onto `from` to `to`.
struct LogAxis {
  double low, high, from, to;
  [[nodiscard]] double at(double value) const {
    const double t = (std::log10(std::clamp(value, low, high)) - std::log10(low)) /
                     (std::log10(high) - std::log10(low));
    return from + t * (to - from);
  }
};

std::string roofline(const ReportRun& run) {
  constexpr double kHeight = 380, kTop = 20, kBottom = 45;
  double most = 10, least = 0.1, slowest = run.multipliers;
  for (const ReportOperation& op : run.rows()) {
    if (op.macs <= 0 || op.bytes <= 0 || op.cycles <= 0) continue;
    most = std::max(most, op.macs / op.bytes * 2);
    least = std::min(least, op.macs / op.bytes / 2);
    slowest = std::min(slowest, op.macs / op.cycles / 2);
  }
  most = std::max(most, run.multipliers / run.bytes_per_cycle * 4);
  const LogAxis x{least, most, kLeft / 2, kWidth - kRight};
  const LogAxis y{slowest, run.multipliers * 1.5, kHeight - kBottom, kTop};
  std::string out;
  for (double v = std::pow(10, std::ceil(std::log10(least))); v <= most; v *= 10)
    out += svg_line(x.at(v), kTop, x.at(v), kHeight - kBottom, "grid") +
           svg_text(x.at(v), kHeight - kBottom + 16, fmt::format("{:g}", v), "middle");
  for (double v = std::pow(10, std::ceil(std::log10(slowest))); v <= run.multipliers; v *= 10)
    out += svg_line(x.from, y.at(v), x.to, y.at(v), "grid") +
           svg_text(x.from - 6, y.at(v) + 4, fmt::format("{:g}", v), "end");
  const double ridge = run.multipliers / run.bytes_per_cycle;
  out += svg_line(x.at(ridge), y.at(run.multipliers), x.to, y.at(run.multipliers), "roof");
  out += svg_line(x.at(slowest / run.bytes_per_cycle), y.at(slowest), x.at(ridge),
                  y.at(run.multipliers), "roof");
  for (const ReportOperation& op : run.rows()) {
    if (op.macs <= 0 || op.bytes <= 0 || op.cycles <= 0) continue;
    out += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" class=\"dot\"><title>{}</title></circle>",
        x.at(op.macs / op.bytes), y.at(op.macs / op.cycles),
        3 + 12 * std::sqrt(op.cycles / std::max(run.cycles, 1.0)),
        escape_xml(fmt::format("{}: {:.1f} MAC a byte, {:.1f} MAC a cycle, {:.0f} cycles", op.name,
                               op.macs / op.bytes, op.macs / op.cycles, op.cycles)));
  }
  out += svg_text((x.from + x.to) / 2, kHeight - 8, "multiply-adds a byte moved", "middle");
  out +=
      svg_text(x.from, kTop - 6,
               fmt::format("multiply-adds a cycle; roof: {:.0f} multipliers, {:.0f} bytes a cycle",
                           run.multipliers, run.bytes_per_cycle));
  return svg(kHeight, out);
}

std::string bars(const ReportRun& run) {
  constexpr double kRow = 16;
  double longest = 1;
  std::vector<const ReportOperation*> shown;
  for (const ReportOperation& op : run.rows())
    if (!op.causes.empty()) {
      shown.push_back(&op);
      longest = std::max(longest, op.cycles);
    }
  const double scale = (kWidth - kLeft - kRight - 70) / longest;
  std::string out;
  double y = 4;
  for (const ReportOperation* op : shown) {
    std::string name = op->name.size() > 26 ? op->name.substr(0, 25) + "…" : op->name;
    if (run.layers.empty()) name += " " + op->engine;
    out += svg_text(kLeft - 6, y + 11, name, "end");
    double x = kLeft;
    for (const auto& [cause, cycles] : op->causes) {
      if (cycles <= 0) continue;
      out += svg_box(x, y + 1, cycles * scale, kRow - 3, colour(kCauseColours, cause),
                     fmt::format("{} {}: {} {:.0f} cycles ({:.1f} %)", op->name, op->engine, cause,
                                 cycles, 100 * cycles / op->cycles));
      x += cycles * scale;
    }
    out += svg_text(x + 5, y + 11, fmt::format("{:.0f}", op->cycles));
    y += kRow;
  }
  return legend(kCauseColours) + svg(y + 4, out);
}

std::string timeline(const ReportRun& run) {
  constexpr double kRow = 22;
  const double scale = (kWidth - kLeft / 2 - kRight) / std::max(run.cycles, 1.0);
  std::string out;
  double y = 6;
  for (const char* unit : kUnits) {
    const bool any = std::any_of(run.operations.begin(), run.operations.end(), [&](const auto& op) {
      return op.engine == unit && !op.causes.empty();
    });
    if (!any) continue;
    out += svg_text(kLeft / 2 - 6, y + 14, unit, "end");
    for (const ReportOperation& op : run.operations)
      if (op.engine == unit && !op.causes.empty())
        out +=
            svg_box(kLeft / 2 + op.start * scale, y, op.cycles * scale, kRow - 6, unit_colour(unit),
                    fmt::format("{}: {:.0f} to {:.0f}", op.name, op.start, op.start + op.cycles));
    y += kRow;
  }
  out += svg_text(kLeft / 2, y + 12, "0") +
         svg_text(kWidth - kRight, y + 12, fmt::format("{:.0f} cycles", run.cycles), "end");
  return svg(y + 20, out);
}

/// Cycles against multipliers, both logarithmic; runs that no other beats in both are filled.
std::string pareto(const std::vector<ReportRun>& runs) {
  constexpr double kHeight = 320, kTop = 20, kBottom = 45;
  double few = 1e18, many = 1, fast = 1e18, slow = 1;
  for (const ReportRun& r : runs) {
    few = std::min(few, r.multipliers);
    many = std::max(many, r.multipliers);
    fast = std::min(fast, std::max(r.cycles, 1.0));
    slow = std::max(slow, r.cycles);
  }
  const LogAxis x{few / 2, many * 2, kLeft / 2, kWidth - kRight};
  const LogAxis y{fast / 2, slow * 2, kHeight - kBottom, kTop};
  std::string out =
      svg_line(x.from, kTop, x.from, y.from, "roof") +
      svg_line(x.from, y.from, x.to, y.from, "roof") +
      svg_text(x.from, kTop - 6, "cycles, logarithmic") +
      svg_text((x.from + x.to) / 2, kHeight - 8, "multipliers, logarithmic", "middle");
  for (const ReportRun& r : runs) {
    const bool beaten = std::any_of(runs.begin(), runs.end(), [&](const ReportRun& other) {
      return other.multipliers <= r.multipliers && other.cycles <= r.cycles &&
             (other.multipliers < r.multipliers || other.cycles < r.cycles);
    });
    out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"6\" class=\"{}\"/>",
                       x.at(r.multipliers), y.at(r.cycles), beaten ? "beaten" : "dot");
    const bool right = x.at(r.multipliers) > kWidth / 2;
    out += svg_text(
        x.at(r.multipliers) + (right ? -9 : 9), y.at(r.cycles) + 4,
        fmt::format("{} ({:.0f} multipliers, {:.0f} cycles)", r.title, r.multipliers, r.cycles),
        right ? "end" : "start");
  }
  return svg(kHeight, out);
}

std::string summary(const std::vector<ReportRun>& runs) {
  std::string out =
      "<table><tr><th>run</th><th>cycles</th><th>ms</th><th>frames a "
      "second</th><th>MAC</th><th>use "
      "of the multipliers</th><th>bytes moved</th></tr>\n";
  for (const ReportRun& r : runs) {
    const double seconds = r.cycles / r.clock_hz;
    out += fmt::format(
        "<tr><td>{}</td><td>{:.0f}</td><td>{:.3f}</td><td>{:.2f}</td><td>{:.0f}</td><td>{:.1f} "
        "%</td><td>{:.0f}</td></tr>\n",
        escape_xml(r.title), r.cycles, seconds * 1e3, 1 / seconds, r.macs,
        100 * r.macs / std::max(r.cycles * r.multipliers, 1.0), r.bytes);
  }
  return out + "</table>\n";
}

constexpr const char* kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>dlavp report</title><style>
body{font:14px/1.45 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222}
h1{font-size:1.5em}h2{margin-top:2em;border-bottom:1px solid #ddd}h3{margin-bottom:.3em}
table{border-collapse:collapse}th,td{padding:.25em .8em;text-align:right;border-bottom:1px solid #eee}
th:first-child,td:first-child{text-align:left}p.note{color:#666;margin:.2em 0 1em}
svg{font:11px system-ui,sans-serif;display:block}svg .grid{stroke:#e6e6e6}svg .roof{stroke:#222;stroke-width:1.5}
svg .dot{fill:#2a7f62;fill-opacity:.55;stroke:#1c5a45}svg .beaten{fill:none;stroke:#888}
.legend span{margin-right:1.2em}.legend i{display:inline-block;width:.9em;height:.9em;margin-right:.35em;vertical-align:-.1em}
</style></head><body>
<h1>dlavp report</h1>
)";

}  // namespace

std::string report_page(const std::vector<ReportRun>& runs) {
  std::string out = kHead + summary(runs);
  if (runs.size() > 1) out += "<h2>Cycles against multipliers</h2>\n" + pareto(runs);
  for (const ReportRun& r : runs) {
    out += fmt::format("<h2>{}</h2>\n<p class=\"note\">{}</p>\n", escape_xml(r.title),
                       escape_xml(r.details));
    out += "<h3>Roofline</h3>\n" + roofline(r);
    out += "<h3>Units over time</h3>\n" + timeline(r);
    out += fmt::format("<h3>Where each {}'s cycles went</h3>\n",
                       r.layers.empty() ? "operation" : "layer") +
           bars(r);
  }
  return out + "</body></html>\n";
}

}  // namespace dlavp::app
