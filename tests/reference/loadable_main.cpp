// dlavp-ref-loadable: runs a loadable on the reference interpreter and writes its outputs, so that
// tests can compare them with `dlavp run`. A developer's tool; not installed.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/reference/loadable_interpreter.hpp"

namespace {

using namespace dlavp;
namespace fs = std::filesystem;

constexpr int kBadInput = 2;

int refuse(const std::string& text) {
  fmt::print(stderr, "dlavp-ref-loadable: {}\n", text);
  return kBadInput;
}

bool read_file(const fs::path& path, std::vector<uint8_t>& out) {
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path)) return false;
  out.assign(std::istreambuf_iterator<char>(in), {});
  return true;
}

void write_file(const fs::path& path, std::span<const uint8_t> bytes) {
  std::ofstream out(path, std::ios::binary);
  for (const uint8_t byte : bytes) out.put(static_cast<char>(byte));
}

int run(const std::string& model, const std::string& input, const fs::path& folder,
        const std::string& config) {
  std::vector<uint8_t> file, data;
  if (!read_file(model, file)) return refuse(model + ": cannot open this file");
  if (input != "-" && !read_file(input, data)) return refuse(input + ": cannot open this file");
  const Result<loadable::Loadable> l = loadable::read_loadable(file);
  if (!l) return refuse(l.errors().text());
  const Result<reference::Machine> machine = reference::machine_named(config);
  if (!machine) return refuse(machine.errors().text());
  reference::LoadableInterpreter interpreter(*l, *machine);
  if (input != "-")
    if (const Diagnostics errors = interpreter.bind_input(0, data); !errors.empty())
      return refuse(errors.text());
  fs::create_directories(folder);
  interpreter.set_watch([&folder](uint16_t task, size_t number, std::span<const uint8_t> bytes) {
    write_file(folder / fmt::format("task{}_op{}.bin", task, number), bytes);
  });
  if (const Diagnostics errors = interpreter.run(); !errors.empty()) return refuse(errors.text());
  for (uint16_t i = 0;; ++i) {
    const Result<std::vector<uint8_t>> out = interpreter.output(i);
    if (!out) return i == 0 ? refuse(out.errors().text()) : 0;
    write_file(folder / fmt::format("output{}.bin", i), *out);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() != 4) {
    fmt::print(
        stderr,
        "usage: dlavp-ref-loadable MODEL INPUT OUT CONFIG\n\n"
        "Interprets an int8 loadable with plain loops. INPUT: the bytes of input 0 as they lie "
        "in memory, or -\nfor none. Writes OUT/output<n>.bin and OUT/task<t>_op<n>.bin, the "
        "bytes each operation wrote.\n\nExample:\n"
        "  dlavp-ref-loadable lenet.nvdla image.bin out nv_small\n");
    return kBadInput;
  }
  return run(args[0], args[1], args[2], args[3]);
}
