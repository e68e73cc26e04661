// Starting QEMU and reading its log.
#include "tests/iss/qemu.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace dlavp::iss::test {
namespace {

namespace fs = std::filesystem;

/// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name)
      : path_(fs::temp_directory_path() / ("dlavp_" + name + "_" + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

uint64_t* slot_of(QemuState& s, const std::string& name) {
  if (name == "pc") return &s.pc;
  if (name == "mstatus") return &s.mstatus;
  if (name == "mip") return &s.mip;
  if (name == "mie") return &s.mie;
  if (name == "mtvec") return &s.mtvec;
  if (name == "mepc") return &s.mepc;
  if (name == "mcause") return &s.mcause;
  if (name == "mtval") return &s.mtval;
  if (name == "mscratch") return &s.mscratch;
  const size_t slash = name.find('/');
  if (slash == std::string::npos) return nullptr;
  const auto index = static_cast<size_t>(std::atoi(name.substr(1, slash - 1).c_str()));
  if (index >= 32) return nullptr;
  return name[0] == 'x' ? &s.x[index] : name[0] == 'f' ? &s.f[index] : nullptr;
}

std::vector<QemuState> read_log(const fs::path& log) {
  std::ifstream in(log);
  std::vector<QemuState> states;
  bool started = false;
  QemuState state;
  std::string name;
  std::string value;
  const auto keep = [&] {
    if (state.pc == 0x80000000) started = true;
    if (started) states.push_back(state);
  };
  bool any = false;
  while (in >> name >> value) {
    if (name == "pc") {
      if (any) keep();
      any = true;
    }
    if (uint64_t* slot = slot_of(state, name)) *slot = std::strtoull(value.c_str(), nullptr, 16);
  }
  if (any) keep();
  return states;
}

}  // namespace

bool qemu_exists() { return std::system("command -v qemu-system-riscv64 >/dev/null 2>&1") == 0; }

std::vector<QemuState> run_qemu(const std::vector<uint8_t>& image, const std::string& name) {
  const TemporaryFolder folder(name);
  const fs::path image_file = folder.path() / "image.bin";
  const fs::path log = folder.path() / "log";
  const fs::path messages = folder.path() / "messages";
  std::ofstream(image_file, std::ios::binary)
      .write(reinterpret_cast<const char*>(image.data()),
             static_cast<std::streamsize>(image.size()));
  // Machine mode and RV64GC only: what else QEMU has by default is switched off.
  const std::string command =
      "timeout 60 qemu-system-riscv64 -M virt -bios none -display none -serial none -monitor none "
      "-cpu rv64,s=false,u=false,h=false,zba=false,zbb=false,zbc=false,zbs=false,sstc=false,"
      "mmu=false,pmp=false,Zihintpause=false -device loader,file=" +
      image_file.string() + ",addr=0x80000000,force-raw=on -singlestep -d cpu,fpu,nochain -D " +
      log.string() + " >" + messages.string() + " 2>&1";
  const int status = std::system(command.c_str());
  if (status != 0) {
    std::ifstream in(messages);
    const std::string text(std::istreambuf_iterator<char>(in), {});
    throw std::runtime_error("qemu ended with status " + std::to_string(status) + ": " + text);
  }
  return read_log(log);
}

}  // namespace dlavp::iss::test
