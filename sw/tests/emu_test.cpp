// The core's own operators against the standard library's functions.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <vector>

#include "emu.h"

namespace dlavp::fw_test {

TEST_CASE("firmware: exponential and power agree with the standard library") {
  for (double x = -87; x < 88; x += 0.37) CHECK(emu_exp(x) == Approx(std::exp(x)).epsilon(1e-13));
  CHECK(emu_exp(0) == 1.0);
  CHECK(emu_exp(-1000) == 0.0);
  CHECK(std::isinf(emu_exp(1000)));
  for (double x = 0.01; x < 50; x *= 1.7)
    for (const double p : {-2.5, -1.0, -0.75, 0.5, 1.0, 2.0, 3.3})
      CHECK(emu_pow(x, p) == Approx(std::pow(x, p)).epsilon(1e-12));
  CHECK(emu_pow(-3, 2) == 9.0);
  CHECK(emu_pow(-3, 3) == -27.0);
  CHECK(std::isnan(emu_pow(-3, 0.5)));
  CHECK(emu_pow(0, 0) == 1.0);
  CHECK(emu_pow(0, 0.5) == 0.0);
}

TEST_CASE("firmware: conversion to int8 rounds to nearest, ties away from zero, and saturates") {
  CHECK(emu_to_int8(0.49999997) == 0);
  CHECK(emu_to_int8(0.5F) == 1);
  CHECK(emu_to_int8(-0.5F) == -1);
  CHECK(emu_to_int8(-127.5F) == -128);
  CHECK(emu_to_int8(126.5F) == 127);
  CHECK(emu_to_int8(1e9F) == 127);
  CHECK(emu_to_int8(-1e9F) == -128);
  CHECK(emu_to_int8(NAN) == 0);
}

namespace {

struct CpuTask {
  std::vector<uint8_t> memory = std::vector<uint8_t>(4096);
  DlaEmuOp op{};
  DlaEmuBuffers buffers{};
  TaskAddress address{};
  Task task{};

  CpuTask(uint16_t channels, uint16_t format, uint32_t surface_bytes) {
    address = {reinterpret_cast<uintptr_t>(memory.data()), memory.size(), 0};
    task.num_addresses = 1;
    task.addresses = &address;
    task.interface = DLA_INTERFACE_EMU;
    for (DlaEmuBuffer* b : {&buffers.src_data, &buffers.dst_data}) {
      b->format = format;
      b->width = b->height = 1;
      b->channel = channels;
      b->line_stride = b->surf_stride = surface_bytes;
    }
    buffers.dst_data.offset = 2048;
    op.input_scale_factor = 0.05F;
    op.output_scale_factor = 1.0F / 127;
    task.emu_operations = reinterpret_cast<const uint8_t*>(&op);
    task.emu_buffers = reinterpret_cast<const uint8_t*>(&buffers);
  }
  FwError run(bool apply = true) {
    FwError error;
    fw_error_clear(&error);
    emu_operation(&task, 0, apply, &error);
    return error;
  }
};

}  // namespace

TEST_CASE("firmware: softmax over channels of several surfaces") {
  CpuTask t(20, 1, 16);
  t.op.op_type = DLA_EMU_SOFTMAX;
  const auto at = [](unsigned c) { return c / 8 * 16 + c % 8; };
  double sum = 0;
  for (unsigned c = 0; c < 20; ++c) {
    t.memory[at(c)] = static_cast<uint8_t>(static_cast<int>(c) * 7 - 60);
    sum += std::exp((static_cast<int>(c) * 7 - 60) * 0.05);
  }
  REQUIRE(t.run().code == FW_OK);
  for (unsigned c = 0; c < 20; ++c) {
    const double expected = std::exp((static_cast<int>(c) * 7 - 60) * 0.05) / sum * 127;
    CHECK(std::abs(static_cast<int8_t>(t.memory[2048 + at(c)]) - expected) <= 0.501);
  }
}

TEST_CASE("firmware: power scales, shifts and raises each element") {
  CpuTask t(3, 0, 32);
  t.op.op_type = DLA_EMU_POWER;
  t.op.u.power.power = 2;
  t.op.u.power.scale = 1;
  t.op.u.power.shift = 0.1F;
  t.op.input_scale_factor = 0.01F;
  for (int c = 0; c < 3; ++c) t.memory[static_cast<size_t>(c)] = static_cast<uint8_t>(20 * c - 20);
  REQUIRE(t.run().code == FW_OK);
  for (int c = 0; c < 3; ++c) {
    const double x = 0.01 * (20 * c - 20) + 0.1;
    CHECK(t.memory[2048 + static_cast<size_t>(c)] ==
          static_cast<uint8_t>(std::lround(x * x * 127)));
  }
}

TEST_CASE("firmware: softmax of half floats") {
  CpuTask t(2, 3, 32);
  t.op.op_type = DLA_EMU_SOFTMAX;
  t.memory[1] = 0x3c;  // 1.0, and 0.0
  REQUIRE(t.run().code == FW_OK);
  const unsigned first = t.memory[2048] | t.memory[2049] << 8;
  CHECK(first == 0x39d9);  // 0.7311 to the nearest half
}

TEST_CASE("firmware: a broken CPU operation is refused before it touches memory") {
  CpuTask t(20, 1, 16);
  t.op.op_type = DLA_EMU_SOFTMAX;
  SECTION("type") { t.op.op_type = 2; }
  SECTION("format") { t.buffers.src_data.format = 5; }
  SECTION("sizes that differ") { t.buffers.dst_data.channel = 19; }
  SECTION("no elements") { t.buffers.src_data.channel = t.buffers.dst_data.channel = 0; }
  SECTION("a scale of zero") { t.op.output_scale_factor = 0; }
  CHECK(t.run(false).code == FW_E_EMU);
}

TEST_CASE("firmware: a CPU tensor outside of its memory is refused") {
  CpuTask t(20, 1, 16);
  t.op.op_type = DLA_EMU_SOFTMAX;
  t.buffers.dst_data.surf_stride = 1U << 31;
  CHECK(t.run(false).code == FW_E_ADDRESS);
}

}  // namespace dlavp::fw_test
