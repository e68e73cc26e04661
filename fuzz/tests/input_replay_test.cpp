// The fuzz targets for files, with any compiler: every seed as it is, then seeded mutations of it,
// half of which keep the form.
// Seed and mutations of each file: DLAVP_FUZZ_SEED, DLAVP_FUZZ_MUTATIONS.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/input_targets.hpp"
#include "fuzz/mutators.hpp"

namespace {

using Bytes = std::vector<uint8_t>;
using Target = bool (*)(std::span<const uint8_t>);
using Mutator = Bytes (*)(std::span<const uint8_t>, uint32_t seed);

uint64_t setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

std::vector<std::filesystem::path> seeds_in(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(DLAVP_SOURCE_DIR) + "/" + folder))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

Bytes bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A few changed bytes, a piece doubled, or the end cut off.
Bytes mutate(Bytes bytes, std::mt19937_64& engine) {
  for (unsigned n = 1 + engine() % 4; n > 0 && !bytes.empty(); --n) {
    const size_t at = engine() % bytes.size();
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    switch (engine() % 8) {
      case 0:
        bytes.resize(at);
        break;
      case 1: {
        const Bytes piece(from, from + static_cast<std::ptrdiff_t>(
                                           std::min<size_t>(bytes.size() - at, 1 + engine() % 32)));
        bytes.insert(from, piece.begin(), piece.end());
        break;
      }
      case 2:
        bytes[at] = static_cast<uint8_t>(engine() % 2 * 0xff);
        break;
      case 3:
        bytes[at] ^= static_cast<uint8_t>(1u << engine() % 8);
        break;
      default:
        bytes[at] = static_cast<uint8_t>(engine());
    }
  }
  return bytes;
}

/// The seeds are accepted as they are.
void replay(Target target, Mutator keep_form, const std::string& folder) {
  const uint64_t seed = setting("DLAVP_FUZZ_SEED", 1), runs = setting("DLAVP_FUZZ_MUTATIONS", 150);
  size_t accepted = 0, refused = 0, files = 0;
  for (const auto& file : seeds_in(folder)) {
    const Bytes bytes = bytes_of(file);
    ++files;
    INFO(file.filename().string() << ", seed " << seed);
    CHECK(target(bytes));
    std::mt19937_64 engine(seed + bytes.size());
    for (uint64_t run = 0; run < runs; ++run) {
      INFO("mutation " << run);
      Bytes changed = mutate(bytes, engine);
      if (run % 2 == 1) {
        changed = bytes;
        for (unsigned n = 1 + engine() % 3; n > 0 && !changed.empty(); --n)
          changed = keep_form(changed, static_cast<uint32_t>(engine()));
      }
      ++(target(changed) ? accepted : refused);
    }
  }
  WARN(folder << ": " << files << " files, " << runs << " mutations of each from seed " << seed
              << ": " << accepted << " accepted, " << refused << " refused");
  CHECK(files > 0);
  CHECK(accepted > 0);
  CHECK(refused > 0);
}

}  // namespace

using namespace dlavp::fuzz;

TEST_CASE("fuzz: damaged loadables are read or refused") {
  replay(run_loadable, mutate_loadable, "fuzz/corpus/loadable");
}
TEST_CASE("fuzz: the firmware runs or refuses damaged loadables") {
  replay(run_firmware, mutate_loadable, "fuzz/corpus/loadable");
}
TEST_CASE("fuzz: damaged traces are read or refused") {
  replay(run_trace, mutate_text, "fuzz/corpus/trace");
}
TEST_CASE("fuzz: damaged ONNX models are imported or refused") {
  replay(run_onnx, mutate_onnx, "fuzz/corpus/onnx");
}
TEST_CASE("fuzz: damaged hardware configurations are loaded or refused") {
  replay(run_hw_config, mutate_text, "configs/hardware");
}
TEST_CASE("fuzz: inputs that once broke a promise keep it") {
  for (const auto& [target, folder] :
       std::initializer_list<std::pair<Target, const char*>>{{run_loadable, "loadable"},
                                                             {run_firmware, "firmware"},
                                                             {run_trace, "trace"},
                                                             {run_onnx, "onnx"},
                                                             {run_hw_config, "hw_config"}}) {
    const std::string name = std::string("fuzz/found/") + folder;
    if (!std::filesystem::exists(std::string(DLAVP_SOURCE_DIR) + "/" + name)) continue;
    for (const auto& file : seeds_in(name)) {
      INFO(file.string());
      CHECK_NOTHROW(target(bytes_of(file)));
    }
  }
}
