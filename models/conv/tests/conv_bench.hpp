// A bench for the convolution pipeline's tests: memory with a fixed latency, the memory interface,
// the pipeline and a consumer of its output, programmed through registers from a plain description
// of a layer. Memory layouts are written here from the manual, apart from the unit's own code.
#pragma once

#include <catch2/catch.hpp>
#include <random>

#include "models/conv/conv_pipeline.hpp"
#include "models/mcif/mcif.hpp"
#include "models/mcif/memory_timing.hpp"
#include "registers.hpp"

namespace dlavp::conv::test {

/// A convolution as its user sees it: true sizes, values in plain order.
struct Layer {
  uint32_t width = 1, height = 1, channels = 1, kernels = 1;
  uint32_t kernel_width = 1, kernel_height = 1;
  uint32_t stride_x = 1, stride_y = 1, dilation_x = 1, dilation_y = 1;
  uint32_t pad_left = 0, pad_right = 0, pad_top = 0, pad_bottom = 0;
  int pad_value = 0;
  uint32_t truncate = 0;
  uint32_t data_banks = 2, weight_banks = 2;
  uint32_t release = 0;  ///< lines; 0: all
  bool data_reuse = false, weight_reuse = false, keep_data = false, keep_weights = false;
  uint32_t fetched_lines = 0;  ///< CDMA's height if not the whole input
  uint32_t grain = 0;          ///< lines fetched at a time; 0: lines are not packed
  // Image input.
  int format = -1;  ///< PIXEL_FORMAT code; -1: feature input
  uint32_t x_offset = 0, y_extension = 0;
  bool signed_pixels = false, convert = false, mean = false;
  int offset = 0, scale = 1, cvt_truncate = 0;
  std::array<int, 4> means{};

  std::vector<int8_t>
      input;  ///< [y][x][c]; images: the bytes as pixels hold them, in R(Y) G(U) B(V) A(X) order
  std::vector<int8_t> weights;  ///< [k][r][s][c]
  [[nodiscard]] uint32_t out_width() const {
    return (pad_left + width + pad_right - (kernel_width - 1) * dilation_x - 1) / stride_x + 1;
  }
  [[nodiscard]] uint32_t out_height() const {
    return (pad_top + height + pad_bottom - (kernel_height - 1) * dilation_y - 1) / stride_y + 1;
  }
  void randomise(std::mt19937& random);
};

/// Naive loops from the definition of a convolution: [k][y][x].
[[nodiscard]] std::vector<int32_t> naive(const Layer& layer);

class Bench : public Observer {
 public:
  explicit Bench(const std::string& config, sim::Cycle latency = 20, sim::Cycle atom_period = 9);

  /// Writes the layer's operands to memory and all registers of `group`; does not enable.
  void program(const Layer& layer, unsigned group = 0);
  /// Enables the units of `group` in the order of `order` (C csc, D cdma, A cacc, M cmacs).
  void enable(unsigned group = 0, const std::string& order = "AMCD");
  void run();
  /// Programs, enables and runs one layer; compares its output with naive().
  void check(const Layer& layer);
  void compare(const Layer& layer, AtomCube<int32_t> cube) const;

  void operation_done(const OpRecord& record) override { records.push_back(record); }
  void program_error(const Diagnostics& e) override { errors.append(e); }
  void write(regs::RegBlock* block, uint32_t offset, uint32_t value) {
    block->write(offset, value);
  }

  HwConfig hw;
  TimingParams timing;
  sim::EventQueue events;
  SparseMemory memory;
  mcif::FixedLatencyMemory bus;
  mcif::Mcif mcif;
  std::unique_ptr<ConvPipeline> conv;
  regs::RegBlock *cdma, *csc, *cmac_a, *cmac_b, *cacc;
  std::vector<OpRecord> records;
  Diagnostics errors;
  std::vector<AtomCube<int32_t>> outputs;
  std::vector<std::pair<IntrSource, sim::Cycle>> interrupts;
  std::vector<sim::Cycle> atom_times;

 private:
  void put_feature(const Layer& layer, uint64_t address);
  void put_image(const Layer& layer, uint64_t address, uint64_t second, uint32_t stride);
  uint32_t put_weights(const Layer& layer, uint64_t address);
  void program_input(const Layer& layer, uint64_t address);
  void program_csc(const Layer& layer, uint32_t weight_bytes);
  void consume();

  UnitContext context_;
  sim::Cycle period_;
  sim::Event consume_event_;
  sim::Cycle next_pop_ = 0;
  uint64_t next_address_ = 0x10000;
};

}  // namespace dlavp::conv::test
