#include "apps/dlavp/cli.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <sstream>

namespace dlavp::app {

namespace po = boost::program_options;

int fail(const Diagnostics& errors) {
  std::fflush(stdout);
  for (const Error& error : errors.errors()) fmt::print(stderr, "dlavp: error: {}\n", error.text());
  return kBadInput;
}

int fail(const std::string& id, const std::string& place, const std::string& message) {
  return fail(Diagnostics(Error{id, place, message}));
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

std::optional<int> Cli::parse(const std::vector<std::string>& args) {
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
  } catch (const po::error& e) {
    return fail("cli.option", "dlavp " + command_,
                fmt::format("{}; see dlavp {} --help", e.what(), command_));
  }
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
