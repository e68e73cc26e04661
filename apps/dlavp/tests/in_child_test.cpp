// Work in a child process: its text comes back, and each way in which it can fail is named.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <stdexcept>

#include "apps/dlavp/in_child.hpp"

using namespace dlavp;
using namespace dlavp::app;

TEST_CASE("in_child: a text larger than a pipe comes back whole, from another process") {
  const pid_t mine = getpid();
  const std::string large(1 << 20, 'x');
  const auto text =
      in_child("here", [&] { return std::string(getpid() == mine ? "same" : "other") + large; });
  REQUIRE(text.ok());
  CHECK(*text == "other" + large);
  CHECK(*in_child("here", [] { return std::string(); }) == "");
}

TEST_CASE("in_child: work that fails is named with how it ended") {
  const auto crashed = in_child("model.nvdla", [] {
    raise(SIGKILL);
    return std::string("never");
  });
  REQUIRE_FALSE(crashed.ok());
  CHECK(crashed.errors().has("child.failed"));
  CHECK(crashed.errors().text().find("model.nvdla: ended by signal 9") == 0);
  const auto threw = in_child("here", []() -> std::string { throw std::runtime_error("no"); });
  REQUIRE_FALSE(threw.ok());
  CHECK(threw.errors().text().find("ended with 1, expected 0") != std::string::npos);
}
