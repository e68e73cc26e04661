#include "apps/dlavp/cli.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace dlavp::app {

namespace po = boost::program_options;

namespace {

/// Bytes of the UTF-8 character that begins at `at`, 0 if there is none.
size_t character_at(const std::string& text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(at);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xc0U) != 0x80) return 0;
  return length;
}

/// What a message quotes from a file need not be text: such bytes are shown as numbers.
std::string printable(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const bool space = text[at] == '\n' || text[at] == '\t';
    const size_t length = space ? 1 : character_at(text, at);
    if (length != 0)
      out += text.substr(at, length);
    else
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
    at += std::max<size_t>(length, 1);
  }
  return out;
}

}  // namespace

int fail(const Diagnostics& errors) {
  std::fflush(stdout);
  for (const Error& error : errors.errors())
    fmt::print(stderr, "dlavp: error: {}\n", printable(error.text()));
  return kBadInput;
}

int fail(const std::string& id, const std::string& place, const std::string& message) {
  return fail(Diagnostics(Error{id, place, message}));
}

namespace {

/// Letters to insert, drop, replace or swap with their neighbour to make one word the other.
size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::string meant(const std::string& word, const std::vector<std::string>& known) {
  size_t least = std::min<size_t>(2, word.size() / 3) + 1;
  std::string best;
  for (const std::string& k : known)
    if (const size_t d = distance(word, k); d < least) {
      least = d;
      best = k;
    }
  return best;
}

Cli::Cli(std::string command, std::string synopsis, std::string about,
         std::vector<std::string> examples)
    : command_(std::move(command)),
      synopsis_(std::move(synopsis)),
      about_(std::move(about)),
      examples_(std::move(examples)),
      shown_("Options", 100, 50) {
  shown_.add_options()("help,h", "show this text");
}

void Cli::positional(const std::string& name, int count) {
  hidden_.add_options()(name.c_str(), po::value<std::vector<std::string>>());
  positional_.add(name.c_str(), count);
}

std::string Cli::help() const {
  std::stringstream options;
  options << shown_;
  std::string text =
      fmt::format("usage: dlavp {} {}\n\n{}\n\n{}", command_, synopsis_, about_, options.str());
  text += "\nExamples:\n";
  for (const std::string& example : examples_) text += "  " + example + "\n";
  return text + "\nExit code: 0 done, 1 the thing checked is not so, 2 bad input.\n";
}

std::optional<int> Cli::parse(const std::vector<std::string>& args, Check check) {
  po::options_description all;
  all.add(shown_).add(hidden_);
  const auto style =
      po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  try {
    po::store(po::command_line_parser(args).options(all).positional(positional_).style(style).run(),
              values_);
    if (has("help")) {
      fmt::print("{}", help());
      return kDone;
    }
    po::notify(values_);
  } catch (const po::unknown_option& e) {
    std::vector<std::string> names;
    for (const auto& option : shown_.options()) names.push_back("--" + option->long_name());
    const std::string near = meant(e.get_option_name(), names);
    return fail("cli.option", "dlavp " + command_,
                fmt::format("{}{}; see dlavp {} --help", e.what(),
                            near.empty() ? "" : fmt::format(" (is {} meant?)", near), command_));
  } catch (const po::error& e) {
    return fail("cli.option", "dlavp " + command_,
                fmt::format("{}; see dlavp {} --help", e.what(), command_));
  }
  Diagnostics errors;
  if (check != nullptr) check(*this, errors);
  if (!errors.empty()) return fail(errors);
  return std::nullopt;
}

std::string Cli::text(const std::string& name, const std::string& otherwise) const {
  return has(name) ? values_[name].as<std::string>() : otherwise;
}

std::vector<std::string> Cli::texts(const std::string& name) const {
  return has(name) ? values_[name].as<std::vector<std::string>>() : std::vector<std::string>{};
}

int64_t Cli::integer(const std::string& name, int64_t otherwise, int64_t min, int64_t max,
                     Diagnostics& errors) const {
  const int64_t value = has(name) ? values_[name].as<int64_t>() : otherwise;
  if (value < min || value > max)
    errors.add("cli.range", "--" + name, fmt::format("is {}, expected {} to {}", value, min, max));
  return value;
}

double Cli::positive(const std::string& name, double otherwise, Diagnostics& errors) const {
  const double value = has(name) ? values_[name].as<double>() : otherwise;
  if (!(value > 0 && value < 1e12))
    errors.add("cli.range", "--" + name, fmt::format("is {}, expected a number above 0", value));
  return value;
}

std::vector<int64_t> Cli::integers(const std::string& name, std::vector<int64_t> otherwise) const {
  return has(name) ? values_[name].as<std::vector<int64_t>>() : otherwise;
}

}  // namespace dlavp::app
