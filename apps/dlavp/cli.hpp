// What all subcommands share: options with help and examples, exit codes, printing of errors.
#pragma once

#include <boost/program_options.hpp>
#include <optional>
#include <string>
#include <vector>

#include "models/common/result.hpp"

namespace dlavp::app {

/// Exit codes of every subcommand.
inline constexpr int kDone = 0;           ///< done, and what was checked is so
inline constexpr int kNotSo = 1;          ///< the thing checked is not so
inline constexpr int kBadInput = 2;       ///< input refused; every error is on stderr
inline constexpr int kInternalError = 3;  ///< a bug in dlavp

/// Prints every error on stderr, one a line; gives kBadInput.
int fail(const Diagnostics& errors);
int fail(const std::string& id, const std::string& place, const std::string& message);

/// The one of `known` that `word` seems to mean, a letter or two off; empty: none.
[[nodiscard]] std::string meant(const std::string& word, const std::vector<std::string>& known);

/// One subcommand's options. --help is there already, --json if asked for.
///
///   Cli cli("trace", "DIR... --config NAME", "Plays register traces.", {"dlavp trace t --config
///   nv_small"}); cli.add()("config", po::value<std::string>(), "hardware configuration");
///   cli.positional("dir", -1);
///   if (auto exit = cli.parse(args)) return *exit;
class Cli {
 public:
  Cli(std::string command, std::string synopsis, std::string about,
      std::vector<std::string> examples);

  /// Options shown in the help.
  boost::program_options::options_description_easy_init add() { return shown_.add_options(); }
  void add_json() { shown_.add_options()("json", "print JSON instead of text"); }
  /// Words that are no options go to `name` (at most `count`, -1 for any number).
  void positional(const std::string& name, int count);

  using Check = void (*)(const Cli&, Diagnostics&);
  /// An exit code if there is nothing more to do (help printed, bad options, also those that `check`
  /// finds), else nothing.
  [[nodiscard]] std::optional<int> parse(const std::vector<std::string>& args,
                                         Check check = nullptr);

  [[nodiscard]] bool has(const std::string& name) const { return values_.count(name) != 0; }
  [[nodiscard]] bool json() const { return has("json"); }
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise = "") const;
  [[nodiscard]] std::vector<std::string> texts(const std::string& name) const;
  /// An option declared with po::value<int64_t>(), checked against its range; errors are collected.
  [[nodiscard]] int64_t integer(const std::string& name, int64_t otherwise, int64_t min,
                                int64_t max, Diagnostics& errors) const;
  /// An option declared with po::value<double>(), which must be above 0; errors are collected.
  [[nodiscard]] double positive(const std::string& name, double otherwise,
                                Diagnostics& errors) const;

  /// All values of an option declared with po::value<std::vector<int64_t>>().
  [[nodiscard]] std::vector<int64_t> integers(const std::string& name,
                                              std::vector<int64_t> otherwise) const;

 private:
  [[nodiscard]] std::string help() const;

  std::string command_, synopsis_, about_;
  std::vector<std::string> examples_;
  boost::program_options::options_description shown_, hidden_;
  boost::program_options::positional_options_description positional_;
  boost::program_options::variables_map values_;
};

}  // namespace dlavp::app
