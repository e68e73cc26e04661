#include "apps/dlavp/in_child.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

namespace dlavp::app {

namespace {

bool write_all(int file, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t n = write(file, text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += static_cast<size_t>(n);
  }
  return true;
}

std::string read_all(int file) {
  std::string text;
  std::array<char, 65536> part{};
  for (;;) {
    const ssize_t n = read(file, part.data(), part.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(part.data(), static_cast<size_t>(n));
  }
}

Error failed(const std::string& place, const std::string& why) {
  return {"child.failed", place, why};
}

/// What the child does; it never comes back.
[[noreturn]] void be_child(int file, const std::function<std::string()>& work) {
  int code = 0;
  try {
    code = write_all(file, work()) ? 0 : 1;
  } catch (const std::exception& e) {
    fmt::print(stderr, "dlavp: {}\n", e.what());
    code = 1;
  }
  std::fflush(stderr);
  _exit(code);
}

}  // namespace

Result<std::string> in_child(const std::string& place, const std::function<std::string()>& work) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return failed(place, fmt::format("no pipe: {}", strerror(errno)));
  std::fflush(stdout);
  std::fflush(stderr);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    be_child(ends[1], work);
  }
  close(ends[1]);
  std::string text = child < 0 ? std::string() : read_all(ends[0]);
  close(ends[0]);
  if (child < 0) return failed(place, fmt::format("no process: {}", strerror(errno)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status))
    return failed(place, fmt::format("ended by signal {}", WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0)
    return failed(place, fmt::format("ended with {}, expected 0", WEXITSTATUS(status)));
  return text;
}

}  // namespace dlavp::app
