// The subcommands of dlavp: one function each, in a file of its own.
#pragma once

#include <string>
#include <vector>

namespace dlavp::app {

/// Each takes the words after the subcommand's name and gives the exit code (see cli.hpp).
int cmd_compile(const std::vector<std::string>& args);
int cmd_compare(const std::vector<std::string>& args);
int cmd_run(const std::vector<std::string>& args);
int cmd_trace(const std::vector<std::string>& args);
int cmd_inspect(const std::vector<std::string>& args);
int cmd_report(const std::vector<std::string>& args);
int cmd_estimate(const std::vector<std::string>& args);
int cmd_configs(const std::vector<std::string>& args);

struct Command {
  const char* name;
  const char* about;
  int (*run)(const std::vector<std::string>&);
};

/// Those that this build has.
[[nodiscard]] const std::vector<Command>& commands();

}  // namespace dlavp::app
