// A file mapped, and what cannot be.
#include "models/common/mapped_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace dlavp;

namespace {

struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("dlavp_mapped_" + std::to_string(getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

}  // namespace

TEST_CASE("mapped file: its bytes, also after it moved") {
  const Folder folder;
  const std::string path = (folder.path / "file").string();
  const std::string text(10000, 'x');
  std::ofstream(path) << text << "end";
  auto file = MappedFile::open(path, "test.open");
  REQUIRE(file.ok());
  const MappedFile moved = std::move(file).value();
  REQUIRE(moved.bytes() == text + "end");
}

TEST_CASE("mapped file: an empty one has no bytes, a pipe's are read") {
  const Folder folder;
  const std::string empty = (folder.path / "empty").string();
  std::ofstream{empty};
  const auto none = MappedFile::open(empty, "test.open");
  REQUIRE(none.ok());
  REQUIRE(none->bytes().empty());
  const std::string pipe = (folder.path / "pipe").string();
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] { std::ofstream(pipe) << "through a pipe"; });
  const auto read = MappedFile::open(pipe, "test.open");
  writer.join();
  REQUIRE(read.ok());
  REQUIRE(read->bytes() == "through a pipe");
}

TEST_CASE("mapped file: a folder and a file that is not there are errors") {
  REQUIRE(MappedFile::open("/", "test.open").errors().text().find("is a folder") !=
          std::string::npos);
  REQUIRE(MappedFile::open("no/such/file", "test.open").errors().has("test.open"));
}
