// The ELF reader and the cost table: what they read, and each way of refusing.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "vp/iss/cost_table.hpp"
#include "vp/iss/elf.hpp"

using namespace dlavp;
using namespace dlavp::iss;

namespace {

template <typename T>
void put(std::vector<uint8_t>& file, size_t at, T value) {
  if (file.size() < at + sizeof(T)) file.resize(at + sizeof(T));
  std::memcpy(file.data() + at, &value, sizeof(T));
}

/// Two segments of 8 bytes in the file and 16 in memory.
std::vector<uint8_t> small_elf() {
  std::vector<uint8_t> f(64 + 2 * 56 + 16);
  const uint8_t magic[] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
  std::copy(std::begin(magic), std::end(magic), f.begin());
  put<uint16_t>(f, 16, 2);
  put<uint16_t>(f, 18, 243);
  put<uint64_t>(f, 24, 0x80000000);
  put<uint64_t>(f, 32, 64);
  put<uint16_t>(f, 54, 56);
  put<uint16_t>(f, 56, 2);
  for (size_t i = 0; i < 2; ++i) {
    const size_t header = 64 + 56 * i;
    put<uint32_t>(f, header, 1);
    put<uint64_t>(f, header + 8, 64 + 112 + 8 * i);
    put<uint64_t>(f, header + 24, 0x80001000 - 0x1000 * i);
    put<uint64_t>(f, header + 32, 8);
    put<uint64_t>(f, header + 40, 16);
    put<uint64_t>(f, 64 + 112 + 8 * i, 0x1111111111111111 * (i + 1));
  }
  return f;
}

bool fails_with(const std::vector<uint8_t>& file, const std::string& id) {
  const auto result = parse_elf(file, "test.elf");
  return !result.ok() && result.errors().has(id);
}

std::filesystem::path table_file() {
  return std::filesystem::path(DLAVP_SOURCE_DIR) / "configs/iss/rv64gc.yaml";
}

/// Loads the shipped table with one piece of text replaced.
Result<CostTable> load_changed(const std::string& from, const std::string& to) {
  std::ifstream in(table_file());
  std::string text(std::istreambuf_iterator<char>(in), {});
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  const auto path = std::filesystem::temp_directory_path() /
                    ("dlavp_cost_" + std::to_string(std::hash<std::string>{}(from + to)) + ".yaml");
  std::ofstream(path) << text;
  auto result = CostTable::load(path);
  std::filesystem::remove(path);
  return result;
}

}  // namespace

TEST_CASE("iss elf: segments come in address order with zeros behind the file's bytes") {
  const auto image = parse_elf(small_elf(), "test.elf");
  REQUIRE(image.ok());
  CHECK(image->entry == 0x80000000);
  REQUIRE(image->segments.size() == 2);
  CHECK(image->segments[0].address == 0x80000000);
  CHECK(image->segments[0].bytes.size() == 16);
  CHECK(image->segments[0].bytes[7] == 0x22);
  CHECK(image->segments[0].bytes[8] == 0);
}

TEST_CASE("iss elf: each kind of broken file has its error") {
  const auto with = [](size_t at, auto value) {
    auto f = small_elf();
    put(f, at, value);
    return f;
  };
  CHECK(fails_with({}, "elf.truncated"));
  CHECK(fails_with(with(0, uint8_t{0}), "elf.magic"));
  CHECK(fails_with(with(4, uint8_t{1}), "elf.class"));
  CHECK(fails_with(with(18, uint16_t{62}), "elf.machine"));
  CHECK(fails_with(with(16, uint16_t{1}), "elf.type"));
  CHECK(fails_with(with(56, uint16_t{200}), "elf.truncated"));
  CHECK(fails_with(with(54, uint16_t{10}), "elf.segment"));
  CHECK(fails_with(with(64 + 8, uint64_t{100000}), "elf.truncated"));
  CHECK(fails_with(with(64 + 32, uint64_t{17}), "elf.segment"));
  CHECK(fails_with(with(64 + 40, ~uint64_t{0}), "elf.size"));
  CHECK(fails_with(with(64 + 24, uint64_t{0x80000008}), "elf.overlap"));
  CHECK(fails_with(with(56, uint16_t{0}), "elf.empty"));
  auto cut = small_elf();
  cut.resize(cut.size() - 1);
  CHECK(fails_with(cut, "elf.truncated"));
  CHECK(load_elf("/nonexistent/file").errors().has("elf.file"));
}

TEST_CASE("iss elf: no change of bytes is read outside the file") {
  std::mt19937 rng(5);
  size_t refused = 0;
  for (int i = 0; i < 3000; ++i) {
    auto f = small_elf();
    for (int k = 0; k < 4; ++k) f[rng() % f.size()] = static_cast<uint8_t>(rng());
    // Sizes of gigabytes are legal and would only cost time.
    for (size_t header : {64u, 120u}) std::fill_n(f.begin() + header + 43, 5, uint8_t{0});
    if (!parse_elf(f, "test.elf").ok()) ++refused;
  }
  CHECK(refused > 0);
}

TEST_CASE("iss cost table: the shipped table loads") {
  const auto table = CostTable::load(table_file());
  REQUIRE(table.ok());
  CHECK(table->of(CostClass::kAlu) == 1);
  CHECK(table->of(CostClass::kDiv) > table->of(CostClass::kMul));
  CHECK(table->branch_taken >= table->of(CostClass::kBranch));
}

TEST_CASE("iss cost table: broken tables are refused with the reason") {
  CHECK(load_changed("mul:", "mull:").errors().has("iss.cost_unknown"));
  CHECK(load_changed("mul:", "mull:").errors().has("iss.cost_missing"));
  CHECK(load_changed("value: 34", "value: 0").errors().has("iss.cost_value"));
  CHECK(
      load_changed("provenance: assumed", "provenance: guess").errors().has("iss.cost_provenance"));
  CHECK(load_changed("{value: 4,", "{valu: 4,").errors().has("iss.cost_entry"));
  CHECK(load_changed("mul: ", "div: ").errors().has("iss.cost_duplicate"));
  CHECK(load_changed("trap: ", "trap: [").errors().has("iss.cost_file"));
  CHECK(CostTable::load("/nonexistent.yaml").errors().has("iss.cost_file"));
}
