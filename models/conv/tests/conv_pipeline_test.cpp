// Order and time of the convolution pipeline: register groups, reuse of the buffer between
// operations, interrupts, errors of a program, and exact cycles of small layers.
#include "models/conv/tests/conv_bench.hpp"

using namespace dlavp;
using namespace dlavp::conv;
using namespace dlavp::conv::test;

namespace {

Layer plain(uint32_t width, uint32_t height, uint32_t channels, uint32_t kernels, uint32_t size) {
  Layer l;
  l.width = width, l.height = height, l.channels = channels, l.kernels = kernels;
  l.kernel_width = l.kernel_height = size;
  std::mt19937 random(width * 31 + height * 7 + channels + kernels);
  l.randomise(random);
  return l;
}

// One operation alone, with `change` applied to the registers after programming.
Diagnostics errors_of(const std::function<void(Bench&)>& change, int format = -1) {
  Bench bench("nv_small");
  Layer l = plain(6, 6, format < 0 ? 8 : format == 0 ? 1 : 4, 8, 2);
  l.format = format;
  bench.program(l);
  change(bench);
  bench.enable();
  bench.run();
  return bench.errors;
}

}  // namespace

TEST_CASE(
    "conv: two operations queued in both groups run in order, whatever order enables the units") {
  for (const std::string order : {"AMCD", "DCMA", "CDAM", "MDAC"}) {
    Bench bench("nv_small");
    const Layer first = plain(9, 8, 20, 12, 3), second = plain(5, 7, 9, 17, 2);
    bench.program(first, 0);
    bench.program(second, 1);
    bench.enable(0, order);
    bench.enable(1, order);
    bench.run();
    REQUIRE(bench.errors.text() == "");
    REQUIRE(bench.outputs.size() == 2);
    bench.compare(first, bench.outputs[0]);
    bench.compare(second, bench.outputs[1]);
    REQUIRE(bench.records.size() == 2);
    REQUIRE(bench.records[0].group == 0);
    REQUIRE(bench.records[1].group == 1);
    REQUIRE(bench.records[0].done < bench.records[1].done);
    size_t data = 0, weights = 0, done = 0;
    for (const auto& [source, at] : bench.interrupts) {
      data += source == IntrSource::kCdmaDat;
      weights += source == IntrSource::kCdmaWt;
      done += source == IntrSource::kCacc;
    }
    REQUIRE(data == 2);
    REQUIRE(weights == 2);
    REQUIRE(done == 2);
  }
}

TEST_CASE("conv: kept data and kept weights are used again without a second fetch") {
  Bench bench("nv_small");
  Layer first = plain(7, 6, 16, 8, 3);
  first.keep_data = first.keep_weights = true;
  bench.check(first);
  const uint64_t beats = bench.mcif.read_beats();
  Layer second = first;
  second.data_reuse = second.weight_reuse = true;
  second.keep_data = second.keep_weights = false;
  bench.check(second);
  REQUIRE(bench.mcif.read_beats() == beats);
  Layer third = plain(7, 6, 16, 8, 3);  // nothing is left over
  bench.check(third);
}

TEST_CASE("conv: lines that a partial release leaves are joined by newly fetched ones") {
  Bench bench("nv_small");
  Layer top = plain(6, 8, 10, 9, 3);
  top.release = 6;  // two lines stay
  top.keep_weights = true;
  bench.check(top);
  Layer bottom = plain(6, 7, 10, 9, 3);
  std::copy(top.input.end() - 2 * 6 * 10, top.input.end(), bottom.input.begin());
  bottom.weights = top.weights;
  bottom.fetched_lines = 5;
  bottom.data_reuse = bottom.weight_reuse = true;
  bench.check(bottom);
  Layer fresh = plain(6, 7, 10, 9, 3);
  bench.check(fresh);
}

TEST_CASE("conv: data without reuse replaces what an earlier operation kept") {
  Bench bench("nv_small_256");
  Layer first = plain(5, 5, 40, 8, 3);
  first.keep_data = first.keep_weights = true;
  bench.check(first);
  bench.check(plain(5, 5, 40, 8, 2));
  Layer moved = plain(4, 4, 33, 24, 1);  // other banks: the buffer starts anew
  moved.data_banks = 3, moved.weight_banks = 4;
  bench.check(moved);
  bench.check(plain(8, 3, 8, 8, 3));
}

TEST_CASE("conv: weights larger than their banks stream through them") {
  Bench bench("nv_small");
  Layer l = plain(5, 5, 64, 64, 3);  // 36 KiB of weights through 8 KiB
  bench.check(l);
  REQUIRE(bench.records[0].stalls.at("weights") > 0);
  REQUIRE(bench.mcif.read_beats(mcif::ReadClient::kCdmaWt) == 64u * 64 * 9 / 8);
}

TEST_CASE(
    "conv: CBUF flush status rises half the entries after reset, and CACC counts saturation") {
  Bench bench("nv_small");
  REQUIRE(bench.cdma->read(regs::cdma::S_CBUF_FLUSH_STATUS) == 0);
  bench.events.run_until(8192);
  REQUIRE(bench.cdma->read(regs::cdma::S_CBUF_FLUSH_STATUS) == 1);
  bench.check(plain(2, 2, 8, 8, 1));
  REQUIRE(bench.cacc->peek(regs::cacc::D_OUT_SATURATION, 0) == 0);
}

TEST_CASE(
    "conv: exact cycles of a layer of one atom, and one cycle more of memory latency costs one") {
  const auto first_atom = [](const char* config, sim::Cycle latency) {
    Bench bench(config, latency);
    bench.events.run_until(100);
    bench.program(plain(1, 1, bench.hw.memory_atomic_size, 1, 1));
    bench.enable();
    bench.run();
    REQUIRE(bench.atom_times.size() == 1);
    return bench.atom_times[0] - 100;
  };
  const sim::Cycle small = first_atom("nv_small", 32);
  REQUIRE(first_atom("nv_small", 33) == small + 1);
  REQUIRE(first_atom("nv_small_256", 32) == small - 2);
  REQUIRE(first_atom("nv_large", 32) == small - 2);
  REQUIRE(small == 126);
}

TEST_CASE("conv: an image's padding takes the response side as long as pixels do") {
  const auto first_atom = [](uint32_t width, uint32_t pad) {
    Bench bench("nv_small");
    Layer l = plain(width, 4, 4, 8, 1);
    l.format = 12, l.pad_left = l.pad_right = pad;
    std::mt19937 random(1);
    l.randomise(random);
    bench.check(l);
    return bench.atom_times.at(0);
  };
  // Two pixels an atom. Lines of 16 stored pixels are nine atoms each, whether memory holds all or
  // eight of them; only the first line's two atoms of left padding pass while its pixels are on
  // their way.
  REQUIRE(first_atom(8, 4) == first_atom(16, 0) - 2);
  // Four atoms more in each of four lines, and four more of the last line to pack behind it.
  REQUIRE(first_atom(16, 0) - first_atom(8, 0) == 4 * 4 + 4);
}

TEST_CASE(
    "conv: steps last as long as their stripe, and a stripe's last step waits for delivery room") {
  // 64 pixels, 2x2 kernel, one channel block: four stripes of 16, four steps each, 16 cycles a
  // step.
  Layer l = plain(9, 9, 8, 8, 2);
  Bench quick("nv_small", 20, 1), slow("nv_small", 20, 40);
  for (Bench* bench : {&quick, &slow}) bench->check(l);
  REQUIRE(quick.atom_times.size() == 64);
  REQUIRE(quick.atom_times[16] - quick.atom_times[0] == 64);
  REQUIRE(slow.atom_times[15] - slow.atom_times[0] == 15 * 40);
  REQUIRE(slow.records[0].stalls.at("output") > 0);
}

namespace {

struct Case {
  const char* id;
  std::function<void(Bench&)> change;
  int format = -1;
};

std::function<void(Bench&)> cdma(uint32_t reg, uint32_t value) {
  return [=](Bench& b) { b.cdma->write(reg, value); };
}

std::function<void(Bench&)> csc(uint32_t reg, uint32_t value) {
  return [=](Bench& b) { b.csc->write(reg, value); };
}

void check_refused(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Diagnostics errors = errors_of(c.change, c.format);
    CAPTURE(c.id, errors.text());
    REQUIRE(errors.has(c.id));
  }
}

}  // namespace

TEST_CASE("conv: illegal and unsupported CDMA programs are refused by name") {
  namespace d = regs::cdma;
  check_refused({
      {"cdma.unsupported_winograd", cdma(d::D_MISC_CFG, 1)},
      {"cdma.unsupported_precision", cdma(d::D_MISC_CFG, 1 << 12)},
      {"cdma.unsupported_precision", cdma(d::D_MISC_CFG, 2 << 8)},
      {"cdma.unsupported_weight_format", cdma(d::D_WEIGHT_FORMAT, 1)},
      {"cdma.unsupported_batch", cdma(d::D_BATCH_NUMBER, 1)},
      {"cdma.ram_type", cdma(d::D_DAIN_RAM_TYPE, 0)},
      {"cdma.ram_type", cdma(d::D_WEIGHT_RAM_TYPE, 0)},
      {"cdma.datain_address", cdma(d::D_DAIN_ADDR_LOW_0, 0x10004)},
      {"cdma.line_stride", cdma(d::D_LINE_STRIDE, 50)},
      {"cdma.surface_stride",
       [](Bench& b) { b.cdma->write(d::D_DATAIN_SIZE_1, 9), b.cdma->write(d::D_SURF_STRIDE, 12); }},
      {"cdma.weight_address", cdma(d::D_WEIGHT_ADDR_LOW, 0x1001)},
      {"cdma.weight_bytes", cdma(d::D_WEIGHT_BYTES, 255)},
      {"cdma.weight_bytes", cdma(d::D_WEIGHT_BYTES, 128)},
      {"cdma.weight_bytes", cdma(d::D_WEIGHT_BYTES, 0xffffff00)},
      {"cdma.weight_bank", cdma(d::D_WEIGHT_SIZE_0, 2000)},
      {"cdma.entry_per_slice", cdma(d::D_ENTRY_PER_SLICE, 4)},
      {"cdma.bank", cdma(d::D_BANK, 31 | 31 << 16)},
      {"cdma.data_bank", cdma(d::D_ENTRY_PER_SLICE, 4000)},
      {"cdma.unsupported_datain_height", cdma(d::D_ENTRY_PER_SLICE, 400)},
      {"cdma.pixel_format", cdma(d::D_DATAIN_FORMAT, 1 | 40 << 8), 12},
      {"cdma.unsupported_pixel_format", cdma(d::D_DATAIN_FORMAT, 1 | 3 << 8), 12},
      {"cdma.unsupported_pixel_format", cdma(d::D_DATAIN_FORMAT, 1 | 20 << 8), 12},
      {"cdma.pixel_mapping", cdma(d::D_DATAIN_FORMAT, 1 | 12 << 8 | 1 << 16), 12},
      {"cdma.datain_channel",
       [](Bench& b) { b.cdma->write(d::D_DATAIN_SIZE_1, 0), b.cdma->write(d::D_MEAN_FORMAT, 1); },
       12},
      {"cdma.pixel_x_offset", cdma(d::D_PIXEL_OFFSET, 2), 12},
      {"cdma.pixel_y_offset", cdma(d::D_PIXEL_OFFSET, 1 << 16), 12},
  });
}

TEST_CASE("conv: every code of PIXEL_FORMAT has a data path or is refused by its name") {
  size_t modelled = 0, wide = 0, unknown = 0;
  for (uint32_t code = 0; code < 64; ++code) {
    const auto format = pixel_format(code);
    const uint32_t word = 1 | code << 8;
    CAPTURE(code);
    if (format && format->int8) {
      // In itself legal; channels and strides of the program at hand are those of format 12.
      const Diagnostics errors = errors_of(cdma(regs::cdma::D_DATAIN_FORMAT, word), 12);
      REQUIRE_FALSE(errors.has("cdma.pixel_format"));
      REQUIRE_FALSE(errors.has("cdma.unsupported_pixel_format"));
      ++modelled;
      continue;
    }
    const Diagnostics errors = errors_of(cdma(regs::cdma::D_DATAIN_FORMAT, word), 12);
    REQUIRE(errors.has(format ? "cdma.unsupported_pixel_format" : "cdma.pixel_format"));
    if (format) REQUIRE(errors.text().find(format->name) != std::string::npos);
    ++(format ? wide : unknown);
  }
  CHECK(modelled == 13);
  CHECK(wide == 23);
  CHECK(unknown == 28);
}

TEST_CASE("conv: illegal and unsupported CSC programs are refused by name") {
  namespace s = regs::csc;
  check_refused({
      {"csc.unsupported_winograd", csc(s::D_MISC_CFG, 1)},
      {"csc.unsupported_precision", csc(s::D_MISC_CFG, 1 << 12)},
      {"csc.unsupported_weight_format", csc(s::D_WEIGHT_FORMAT, 1)},
      {"csc.unsupported_batch", csc(s::D_BATCH_NUMBER, 1)},
      {"csc.bank", csc(s::D_BANK, 31 | 31 << 16)},
      {"csc.atomics", csc(s::D_ATOMICS, 7)},
      {"csc.dataout_height",
       [](Bench& b) {
         b.csc->write(s::D_DATAOUT_SIZE_0, 4 | 80 << 16), b.csc->write(s::D_ATOMICS, 5 * 81 - 1);
       }},
      {"csc.dataout_width",
       [](Bench& b) {
         b.csc->write(s::D_DATAOUT_SIZE_0, 80 | 4 << 16), b.csc->write(s::D_ATOMICS, 5 * 81 - 1);
       }},
      {"csc.release", csc(s::D_RELEASE, 100)},
      {"csc.data_bank", csc(s::D_ENTRY_PER_SLICE, 400)},
      {"csc.datain_channel", csc(s::D_DATAIN_SIZE_EXT_1, 1), 12},
      {"csc.y_extension", csc(s::D_POST_Y_EXTENSION, 3), 12},
      {"csc.y_extension", csc(s::D_POST_Y_EXTENSION, 1), 12},
  });
}

TEST_CASE("conv: sub-units that contradict each other are refused by name") {
  namespace s = regs::csc;
  check_refused({
      {"cacc.unsupported_winograd", [](Bench& b) { b.cacc->write(regs::cacc::D_MISC_CFG, 1); }},
      {"cacc.unsupported_precision",
       [](Bench& b) { b.cacc->write(regs::cacc::D_MISC_CFG, 1 << 12); }},
      {"cacc.unsupported_batch", [](Bench& b) { b.cacc->write(regs::cacc::D_BATCH_NUMBER, 1); }},
      {"cmac.unsupported_winograd", [](Bench& b) { b.cmac_a->write(regs::cmac_a::D_MISC_CFG, 1); }},
      {"cmac.unsupported_precision",
       [](Bench& b) { b.cmac_b->write(regs::cmac_b::D_MISC_CFG, 2 << 12); }},
      {"conv.datain_format", csc(s::D_DATAIN_FORMAT, 0), 12},
      {"conv.data_bank", csc(s::D_BANK, 2 | 1 << 16)},
      {"conv.weight_bank", csc(s::D_BANK, 1 | 2 << 16)},
      {"conv.entry_per_slice", csc(s::D_ENTRY_PER_SLICE, 7)},
      {"conv.data_reuse", csc(s::D_MISC_CFG, 1 << 16)},
      {"conv.weight_reuse", csc(s::D_MISC_CFG, 1 << 20)},
      {"conv.skip_data_release", csc(s::D_MISC_CFG, 1 << 24)},
      {"conv.skip_weight_release", csc(s::D_MISC_CFG, 1 << 28)},
      {"conv.kernels", csc(s::D_WEIGHT_SIZE_EXT_1, 7 | 6 << 16)},
      {"conv.bytes_per_kernel", csc(s::D_WEIGHT_SIZE_EXT_0, 1 | 2 << 16)},
      {"conv.in_width", csc(s::D_DATAIN_SIZE_EXT_0, 4 | 5 << 16)},
      {"conv.in_height", csc(s::D_DATAIN_SIZE_EXT_0, 5 | 9 << 16)},
      {"conv.in_channels", csc(s::D_DATAIN_SIZE_EXT_1, 2), 12},
      {"conv.out_width",
       [](Bench& b) {
         b.csc->write(s::D_DATAOUT_SIZE_0, 9 | 4 << 16), b.csc->write(s::D_ATOMICS, 49);
       },
       12},
  });
}

TEST_CASE("conv: reused weights that are too few for the kernels are refused with both sizes") {
  Bench bench("nv_small");
  Layer first = plain(6, 6, 8, 8, 1);
  first.keep_weights = true;
  bench.check(first);
  Layer second = plain(6, 6, 8, 8, 3);
  second.weight_reuse = true;
  bench.program(second, 1);
  bench.enable(1);
  bench.run();
  INFO(bench.errors.text());
  REQUIRE(bench.errors.has("conv.weight_bytes"));
  REQUIRE(bench.errors.text().find("8 kernels of 72 bytes, the buffer has 64 bytes") !=
          std::string::npos);
}

TEST_CASE("conv: operands outside memory are refused by name") {
  class Nowhere final : public Memory {
   public:
    bool read(uint64_t, std::span<uint8_t>) override { return false; }
    bool write(uint64_t, std::span<const uint8_t>) override { return false; }
  } nowhere;
  HwConfig hw = load_hw_config("nv_small").value();
  CdmaOp op;
  op.width = op.height = op.channels = 1;
  REQUIRE(InputLines::capture(op, nowhere, hw).errors().has("cdma.datain_unmapped"));
  op.weight_bytes = uint64_t{1} << 40;  // must not be allocated first
  REQUIRE(capture_weights(op, nowhere).errors().has("cdma.weight_unmapped"));
}

TEST_CASE("conv: CDMA counts refused requests and cycles with data in flight, where enabled") {
  namespace r = regs::cdma;
  struct Counts {
    uint32_t data_stall, data_flight, weight_stall, weight_flight;
    bool operator==(const Counts&) const = default;
  };
  const auto counts = [](const Layer& l, sim::Cycle latency, bool enabled) {
    Bench bench("nv_small", latency);
    bench.program(l);
    bench.write(bench.cdma, r::D_PERF_ENABLE, enabled);
    bench.enable();
    bench.run();
    REQUIRE(bench.errors.text() == "");
    bench.compare(l, bench.outputs.at(0));
    return Counts{
        bench.cdma->read(r::D_PERF_DAT_READ_STALL), bench.cdma->read(r::D_PERF_DAT_READ_LATENCY),
        bench.cdma->read(r::D_PERF_WT_READ_STALL), bench.cdma->read(r::D_PERF_WT_READ_LATENCY)};
  };
  const Layer one = plain(1, 1, 8, 1, 1), large = plain(16, 12, 16, 16, 3);
  const Counts small = counts(one, 32, true);
  CHECK(small.data_stall == 0);
  CHECK(small.weight_stall == 0);
  CHECK(small.data_flight > 32);
  CHECK(small.data_flight < 64);
  CHECK(counts(one, 96, true).data_flight == small.data_flight + 64);
  const Counts busy = counts(large, 128, true);
  CHECK(busy.data_stall > 128);  // 48 requests of eight atoms, and room for fewer at a time
  CHECK(busy.data_flight > busy.data_stall);
  CHECK(busy.weight_flight == 0);
  CHECK(counts(large, 128, false) == Counts{0, 0, 0, 0});
}

TEST_CASE("conv: CDMA's counters belong to their group and are cleared when it is enabled again") {
  namespace r = regs::cdma;
  Bench bench("nv_small", 64);
  Layer first = plain(9, 8, 16, 8, 3);
  first.keep_data = true;
  Layer second = first;
  second.data_reuse = true, second.keep_data = false;
  bench.program(first, 0);
  bench.write(bench.cdma, r::D_PERF_ENABLE, 1);
  bench.program(second, 1);
  bench.write(bench.cdma, r::D_PERF_ENABLE, 1);
  bench.enable(0);
  bench.enable(1);
  bench.run();
  REQUIRE(bench.outputs.size() == 2);
  REQUIRE(bench.cdma->peek(r::D_PERF_DAT_READ_LATENCY, 0) > 64);
  REQUIRE(bench.cdma->peek(r::D_PERF_DAT_READ_LATENCY, 1) == 0);  // it fetched no data
  bench.program(plain(9, 8, 16, 8, 3), 0);
  bench.enable(0, "D");
  REQUIRE(bench.cdma->peek(r::D_PERF_DAT_READ_LATENCY, 0) == 0);
}
