// One bare-metal image on QEMU's virt machine and on the SystemC platform: it reads and writes
// CLINT, PLIC and UART registers, takes a timer, a software and an external interrupt, and prints
// what it saw over the UART. Both texts must be equal.
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/iss/qemu.hpp"
#include "vp/iss/tests/assembler.hpp"
#include "vp/iss/tests/test_platform.hpp"

using namespace dlavp::iss;
using namespace dlavp::iss::test;

namespace {

constexpr uint32_t kT0 = 5, kT1 = 6, kT2 = 7, kS0 = 8, kS1 = 9, kA0 = 10, kS2 = 18, kRa = 1;
constexpr uint32_t kMieCsr = 0x304, kMip = 0x344, kMcause = 0x342, kMepc = 0x341, kMtvec = 0x305;
constexpr uint32_t kPrintOffset = 0xE00, kHandlerOffset = 0xF00;

uint32_t store_byte(uint32_t rs2, uint32_t rs1, int32_t imm) {
  return s_type(0x23, 0, rs1, rs2, imm);
}
uint32_t load_byte(uint32_t rd, uint32_t rs1, int32_t imm) { return i_type(3, 4, rd, rs1, imm); }

class Image {
 public:
  Image() {
    load_immediate(code, kS0, TestPlatform::kUart);
    load_immediate(code, kS1, TestPlatform::kPlic);
    load_immediate(code, kS2, TestPlatform::kClint);
    code.push_back(auipc(kT0, 0));
    code.push_back(addi(kT0, kT0, static_cast<int32_t>(0x700)));
    code.push_back(addi(kT0, kT0, static_cast<int32_t>(kHandlerOffset - 0x700 - 4 * 6)));
    code.push_back(csrrw(0, kMtvec, kT0));
  }
  /// Prints a0 as sixteen hexadecimal digits and a new line.
  void print() {
    const auto at = static_cast<int32_t>(4 * code.size());
    code.push_back(jal(kRa, static_cast<int32_t>(kPrintOffset) - at));
  }
  void print_csr(uint32_t csr, uint32_t mask_register) {
    code.push_back(csrrs(kA0, csr, 0));
    code.push_back(r_type(0x33, 7, 0, kA0, kA0, mask_register));
    print();
  }
  void store_word(uint32_t base, int32_t offset, int32_t value) {
    load_immediate(code, kT0, value);
    load_immediate(code, kT1, offset);
    code.push_back(add(kT1, kT1, base));
    code.push_back(sw(kT0, kT1, 0));
  }
  void print_word(uint32_t base, int32_t offset) {
    load_immediate(code, kT1, offset);
    code.push_back(add(kT1, kT1, base));
    code.push_back(lw(kA0, kT1, 0));
    print();
  }
  void print_byte(int32_t offset) {
    code.push_back(load_byte(kA0, kS0, offset));
    print();
  }
  void enable(int32_t interrupt) {
    load_immediate(code, kT0, interrupt);
    code.push_back(csrrw(0, kMieCsr, kT0));
  }
  std::vector<uint32_t> finish();

  std::vector<uint32_t> code;

 private:
  void place(uint32_t offset, const std::vector<uint32_t>& words) {
    code.resize(offset / 4, kNop);
    code.insert(code.end(), words.begin(), words.end());
  }
};

std::vector<uint32_t> Image::finish() {
  load_immediate(code, kT0, TestPlatform::kExit);
  load_immediate(code, kT1, 0x5555);
  code.push_back(sw(kT1, kT0, 0));
  code.push_back(kLoopForever);
  REQUIRE(code.size() * 4 <= kPrintOffset);
  place(kPrintOffset,
        {addi(kT0, 0, 60), r_type(0x33, 5, 0, kT1, kA0, kT0),  // srl t1, a0, t0
         i_type(0x13, 7, kT1, kT1, 15),                        // andi
         addi(kT2, 0, 10), b_type(4, kT1, kT2, 8), addi(kT1, kT1, 39), addi(kT1, kT1, '0'),
         store_byte(kT1, kS0, 0), addi(kT0, kT0, -4), b_type(5, kT0, 0, -32), addi(kT1, 0, '\n'),
         store_byte(kT1, kS0, 0), i_type(0x67, 0, 0, kRa, 0)});
  // The handler disables what interrupted it, leaves the cause in s3 and goes on.
  place(kHandlerOffset, {csrrs(19, kMcause, 0), csrrw(0, kMieCsr, 0), kMret});
  return code;
}

/// Sets mstatus.MIE, so that what is pending and enabled interrupts, and prints the cause.
void take(Image& image) {
  image.code.push_back(addi(19, 0, 0));
  image.code.push_back(0x73 | (6u << 12) | (8u << 15) | (0x300u << 20));
  image.code.push_back(kNop);
  image.code.push_back(0x73 | (7u << 12) | (8u << 15) | (0x300u << 20));
  image.code.push_back(addi(kA0, 19, 0));
  image.print();
}

/// The timer and the software interrupt, then the UART's through the PLIC up to its trap.
void add_interrupts(Image& i) {
  load_immediate(i.code, 20, 0x888);
  i.print_csr(kMip, 20);
  i.enable(0x80);
  take(i);  // the timer, pending from reset
  i.store_word(kS2, 0x4000, -1);
  i.store_word(kS2, 0x4004, -1);
  i.print_csr(kMip, 20);
  i.print_word(kS2, 0x4004);
  i.store_word(kS2, 0, 1);
  i.print_csr(kMip, 20);
  i.enable(8);
  take(i);  // software
  i.store_word(kS2, 0, 0);
  i.print_csr(kMip, 20);
  // The UART's transmit-empty interrupt, source 10.
  i.store_word(kS1, 4 * 10, 7);
  i.print_word(kS1, 4 * 10);
  i.store_word(kS1, 0x2000, 1 << 10);
  i.print_word(kS1, 0x2000);
  i.store_word(kS1, 0x200000, 6);
  i.print_word(kS1, 0x200000);
  i.print_byte(2);
  i.code.push_back(addi(kT0, 0, 2));
  i.code.push_back(store_byte(kT0, kS0, 1));
  i.print_csr(kMip, 20);
  load_immediate(i.code, 21, 0x800);
  i.code.push_back(csrrw(0, kMieCsr, 21));
  take(i);  // external
}

std::vector<uint32_t> devices_image() {
  Image i;
  add_interrupts(i);
  // Claim, silence the source, complete; QEMU's gateway would take a new edge before completion.
  load_immediate(i.code, kT1, 0x200004);
  i.code.push_back(add(kT1, kT1, kS1));
  i.code.push_back(lw(22, kT1, 0));
  i.code.push_back(csrrs(23, kMip, 0));
  i.code.push_back(store_byte(0, kS0, 1));
  i.code.push_back(sw(22, kT1, 0));
  i.code.push_back(addi(kA0, 22, 0));
  i.print();
  i.code.push_back(r_type(0x33, 7, 0, kA0, 23, 20));
  i.print();
  i.print_csr(kMip, 20);
  i.print_byte(5);
  i.code.push_back(addi(kT0, 0, 0x5A));
  i.code.push_back(store_byte(kT0, kS0, 7));
  i.print_byte(7);
  // Sleep until the timer: 1000 ticks from now.
  i.code.push_back(lui(kT1, 0xC));
  i.code.push_back(add(kT1, kT1, kS2));
  i.code.push_back(ld(kT0, kT1, -8));
  i.code.push_back(addi(kT0, kT0, 1000));
  i.code.push_back(lui(kT2, 4));
  i.code.push_back(add(kT2, kT2, kS2));
  i.code.push_back(sd(kT0, kT2, 0));
  i.enable(0x80);
  i.code.push_back(kWfi);
  i.code.push_back(ld(kA0, kT1, -8));
  i.code.push_back(r_type(0x33, 3, 0, kA0, kA0, kT0));  // 1 if woken too early
  i.print();
  i.print_csr(kMip, 20);
  return i.finish();
}

std::string on_qemu(const std::vector<uint32_t>& code) {
  const auto folder = std::filesystem::temp_directory_path() / "dlavp_virt_devices";
  std::filesystem::create_directories(folder);
  const auto image = folder / "image.bin";
  const auto text = folder / "uart.txt";
  std::ofstream(image, std::ios::binary)
      .write(reinterpret_cast<const char*>(code.data()),
             static_cast<std::streamsize>(code.size() * 4));
  const std::string command =
      "timeout 30 qemu-system-riscv64 -M virt -bios none -display none -monitor none -serial "
      "file:" +
      text.string() + " -device loader,file=" + image.string() +
      ",addr=0x80000000,force-raw=on >/dev/null 2>&1";
  REQUIRE(std::system(command.c_str()) == 0);
  std::ifstream in(text);
  std::string result(std::istreambuf_iterator<char>(in), {});
  std::filesystem::remove_all(folder);
  return result;
}

}  // namespace

TEST_CASE("iss against qemu: devices of the virt machine answer alike") {
  if (!qemu_exists()) {
    std::puts("skipped: no qemu");
    return;
  }
  const std::vector<uint32_t> code = devices_image();
  TestPlatform platform;
  platform.load(TestPlatform::kRamBase, code);
  sc_core::sc_start(sc_core::sc_time(1, sc_core::SC_SEC));
  REQUIRE(platform.core.stopped());
  CHECK(platform.core.sleep_cycles() > 0);
  const std::string ours = platform.uart_text.str();
  CHECK(std::count(ours.begin(), ours.end(), '\n') > 15);
  CHECK(ours == on_qemu(code));
}
