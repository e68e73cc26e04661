// dlavp: finds the subcommand, runs it, and is the one place where an internal error ends.
#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <exception>

#include "apps/dlavp/cli.hpp"
#include "apps/dlavp/commands.hpp"
#include "models/common/check.hpp"

namespace dlavp::app {

namespace {

std::string usage() {
  std::string text =
      "usage: dlavp COMMAND ARGUMENTS...\n\n"
      "An open virtual platform for the NVDLA deep-learning accelerator.\n\nCommands:\n";
  for (const Command& command : commands())
    text += fmt::format("  {:<10} {}\n", command.name, command.about);
  return text +
         "\n  dlavp COMMAND --help   options and examples of one command\n"
         "  dlavp --version        the version\n";
}

int run(const std::vector<std::string>& args) {
  if (args.empty()) {
    fmt::print(stderr, "{}", usage());
    return kBadInput;
  }
  if (args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
    fmt::print("{}", usage());
    return kDone;
  }
  if (args[0] == "--version") {
    fmt::print("dlavp {}\n", DLAVP_VERSION);
    return kDone;
  }
  for (const Command& command : commands())
    if (args[0] == command.name) return command.run({args.begin() + 1, args.end()});
  std::vector<std::string> names;
  for (const Command& command : commands()) names.emplace_back(command.name);
  const std::string near = meant(args[0], names);
  return fail("cli.command", "",
              fmt::format("no command '{}'{}; see dlavp --help", args[0],
                          near.empty() ? "" : fmt::format(" (is {} meant?)", near)));
}

}  // namespace

}  // namespace dlavp::app

// jemalloc's settings. Tensors come and go by megabytes: taken from the system in pages of 4 KiB
// they would cost more time than the compiler's work on them.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "thp:always,dirty_decay_ms:-1,narenas:2";
}

// SystemC's library asks for sc_main; simulations are elaborated by the commands themselves.
extern "C" int sc_main(int, char**) { return 0; }

int main(int argc, char** argv) {
  try {
    return dlavp::app::run({argv + 1, argv + argc});
  } catch (const dlavp::InternalError& e) {
    fmt::print(stderr, "dlavp: {}\nThis is a bug in dlavp, not in the input.\n", e.what());
  } catch (const std::exception& e) {
    fmt::print(stderr, "dlavp: internal error: {}\n", e.what());
  }
  return dlavp::app::kInternalError;
}
