// Loadables that others wrote: NVIDIA's regression loadables and those of its compiler.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "compiler/loadable/task_view.hpp"

using namespace dlavp;
using namespace dlavp::loadable;
namespace fs = std::filesystem;

namespace {

std::vector<fs::path> published() {
  const char* set = std::getenv("DLAVP_NVDLA_DATA");
  const fs::path data = set != nullptr ? set : DLAVP_NVDLA_DATA_DEFAULT;
  std::vector<fs::path> out;
  for (const char* folder : {"kmd_loadables", "peer_loadables"}) {
    if (!fs::exists(data / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(data / folder)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with("_fbuf") || name.ends_with(".nvdla")) out.push_back(entry.path());
    }
  }
  std::sort(out.begin(), out.end());
  if (out.empty()) std::cout << "skipped: no data\n";
  return out;
}

std::vector<uint8_t> bytes_of_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("loadable: every published file survives read, write, read") {
  for (const fs::path& path : published()) {
    INFO(path);
    const Result<Loadable> first = read_loadable(bytes_of_file(path));
    if (!first) FAIL(first.errors().text());
    const Result<Loadable> second = read_loadable(write_loadable(*first));
    REQUIRE(second.ok());
    CHECK(*first == *second);
  }
}

TEST_CASE("task view: every task of every published file is decoded") {
  for (const fs::path& path : published()) {
    INFO(path);
    const Result<Loadable> l = read_loadable(bytes_of_file(path));
    REQUIRE(l.ok());
    for (const Task& task : l->tasks) {
      if (task.interface == DLA_INTERFACE_DLA) {
        const Result<DlaTask> view = read_dla_task(*l, task);
        if (!view) FAIL(view.errors().text());
        CHECK_FALSE(view->operations.empty());
      } else {
        const Result<EmuTask> view = read_emu_task(*l, task);
        if (!view) FAIL(view.errors().text());
        CHECK(view->operations.size() == 1);
      }
    }
  }
}

TEST_CASE("loadable: no damaged byte of a published file makes the reader crash") {
  const std::vector<fs::path> files = published();
  const auto small = std::find_if(files.begin(), files.end(), [](const fs::path& p) {
    return p.filename() == "u_relu_only_nv_small_int8_feat.nvdla";
  });
  if (small == files.end()) return;
  const std::vector<uint8_t> whole = bytes_of_file(*small);
  size_t refused = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    std::vector<uint8_t> damaged = whole;
    damaged[at] ^= 0x81;
    const Result<Loadable> l = read_loadable(damaged);
    bool good = l.ok();
    for (size_t t = 0; good && t < l->tasks.size(); ++t)
      good = l->tasks[t].interface == DLA_INTERFACE_DLA ? read_dla_task(*l, l->tasks[t]).ok()
                                                        : read_emu_task(*l, l->tasks[t]).ok();
    refused += good ? 0 : 1;
  }
  CHECK(refused > 300);
}
