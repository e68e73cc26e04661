// The lowering of graph nodes to layers: one class, its methods by kind of operator in lower_*.cpp.
// Internal to quantisation.
#pragma once

#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "compiler/interpreter/float_interpreter.hpp"
#include "compiler/quantise/multiplier.hpp"
#include "compiler/quantise/quantise.hpp"

namespace dlavp::compiler {

class Quantiser {
 public:
  Quantiser(const HwConfig& hw, const Graph& graph, const std::vector<InputRange>& ranges,
            const QuantiseOptions& options)
      : hw_(hw), graph_(graph), ranges_(ranges), options_(options) {}
  Result<LayerProgram> run();

 private:
  struct Failure {
    Diagnostics errors;
  };
  using Work = decltype(Layer::work);

  [[noreturn]] void fail(const Node& node, const std::string& message) const;
  template <typename T>
  [[nodiscard]] T take(Result<T> result, const Node& node) const {
    if (result.ok()) return std::move(result).value();
    Diagnostics placed;
    for (const Error& e : result.errors().errors())
      placed.add(e.id, fmt::format("node '{}'", node.name), e.message);
    throw Failure{placed};
  }

  // What everything shares.
  [[nodiscard]] const Shape& shape(TensorId id) const { return graph_.tensor(id).shape; }
  [[nodiscard]] Quantisation quantisation(TensorId id) const;
  [[nodiscard]] double scale(TensorId id) const { return quantisation(id).scale; }
  /// The layer tensor of an activation or constant; made when first asked for.
  TensorId layer_tensor(TensorId id);
  TensorId new_tensor(const std::string& name, const Shape& s, const Quantisation& q);
  [[nodiscard]] TensorId in(const Node& node, size_t i = 0) { return layer_tensor(node.inputs[i]); }
  [[nodiscard]] const Quantisation& in_quantisation(const Node& node, size_t i = 0) {
    return out_.tensors[in(node, i)].quantisation;
  }
  [[nodiscard]] double in_scale(const Node& node, size_t i = 0) {
    return in_quantisation(node, i).scale;
  }
  [[nodiscard]] std::pair<int16_t, uint8_t> multiplier(const Node& node, double factor) const;
  void emit(const Node& node, Work work);
  void emit(const std::string& name, Work work, TensorId output);
  /// Values above `most`, and with `cut_below` those below zero, that the quantisation of `node`'s
  /// output still holds are cut off afterwards.
  void emit_bounded(const Node& node, Work work, float most, bool cut_below = false);
  void core(const Node& node, CoreLayer layer, const char* reason);
  /// X1 as a multiplier of values whose real zero is `zero_point`; its factor is still to be set.
  static void subtract_zero_point(int32_t zero_point, SdpStage& x1);
  /// Makes the output converter, whose factor is set, turn a real zero of 0 into `zero_point`.
  void add_zero_point(const Node& node, int32_t zero_point, SdpProgram& sdp) const;
  /// Turns values of `from` into those of `to`.
  void rescale(const Node& node, const Quantisation& from, const Quantisation& to,
               SdpProgram& sdp) const;
  /// A copy on the SDP, rescaled.
  [[nodiscard]] PointLayer copy(const Node& node, TensorId from, const Quantisation& to);
  [[nodiscard]] std::vector<uint8_t> table(const std::function<double(double)>& f,
                                           const Quantisation& from, const Quantisation& to) const;
  [[nodiscard]] bool is_output(TensorId id) const;
  TensorId own_output(TensorId id);

  // Inputs.
  void add_inputs();
  void choose_input(const InputRange& range, LayerInput& in) const;
  [[nodiscard]] bool takes_image(TensorId id) const;

  // lower_conv.cpp
  void find_tails();
  void conv(const Node& node, const ConvOp& op);
  void conv_tail(const Node& node, const Node& tail, double unit, ConvLayer& layer);
  void conv_main(const Node& node, const ConvOp& op, const Tensor& weights, double unit,
                 bool x2_free, ConvLayer& layer);
  [[nodiscard]] SdpStage channel_sum(const std::vector<float>& shifts, double unit) const;
  [[nodiscard]] TensorId padded_input(const Node& node, Window& window);
  void scale_layer(const Node& node, const ScaleOp& op);
  [[nodiscard]] std::vector<float> spread_values(const std::vector<float>& values,
                                                 TensorId input) const;
  [[nodiscard]] std::optional<Tensor> spread_weights(const Tensor& weights, TensorId input) const;
  [[nodiscard]] std::optional<std::vector<double>> slopes_of(const Node& node) const;
  [[nodiscard]] SdpStage prelu_stage(const Node& node, const std::vector<double>& slopes) const;

  // lower_point.cpp
  void relu(const Node& node, float most);
  void prelu(const Node& node);
  void unary(const Node& node, const UnaryOp& op);
  void add(const Node& node, const AddOp& op);
  void binary(const Node& node, const BinaryOp& op);
  bool binary_on_sdp(const Node& node, const BinaryOp& op);
  void multiply(const Node& node, const BinaryOp& op, TensorId x, TensorId operand, StageMode mode);
  [[nodiscard]] SdpStage add_operand(TensorId operand, StageMode mode, bool relu,
                                     unsigned bits) const;
  [[nodiscard]] static unsigned operand_bits(double operand_scale, double out_scale);

  // lower_window.cpp
  void pool(const Node& node, const PoolOp& op);
  bool pool_in_stages(const Node& node, const PoolOp& op);
  void pool_on_core(const Node& node, const PoolOp& op, const char* reason);
  void lrn(const Node& node, const LrnOp& op);

  // lower_join.cpp
  void plan_views();
  void plan_join(const Node& node);
  void plan_spread_join(const Node& node);
  bool concat_apart(const Node& node);
  [[nodiscard]] bool takes_spread(TensorId id) const;
  void mark_spread(TensorId id, const std::vector<int64_t>& channels);

  // lower_layout.cpp
  void flatten(const Node& node);
  void concat(const Node& node, const ConcatOp& op);
  void slice(const Node& node, const SliceOp& op);
  bool cut_as_view(const Node& node, TensorId from, const std::vector<int64_t>& channels);
  void pad(const Node& node, const PadOp& op);
  void resize(const Node& node, const ResizeOp& op);
  [[nodiscard]] static std::optional<uint32_t> repeats(const std::vector<ResizeTap>& taps,
                                                       int64_t in);
  bool repeat(const Node& node, const std::vector<ResizeTap>& rows,
              const std::vector<ResizeTap>& columns);
  void reorder(const Node& node, const ReorderOp& op);
  void map(const Node& node, std::vector<int32_t> params, const char* reason);

  // lower_move.cpp
  struct MoveBlock {
    int64_t first = 0, channels = 0;        ///< of the output
    int64_t in_first = 0, in_channels = 0;  ///< whole atoms of the input; the last may reach over
  };
  [[nodiscard]] int64_t channel_place(TensorId id, int64_t c) const;
  [[nodiscard]] std::optional<std::vector<int64_t>> moved_channels(const Node& node) const;
  void find_reordered_cuts();
  [[nodiscard]] MoveBlock move_block(const std::vector<int64_t>& from, int64_t first,
                                     int64_t count) const;
  [[nodiscard]] std::vector<MoveBlock> move_blocks(const std::vector<int64_t>& from,
                                                   const Shape& o) const;
  void move_channels(const Node& node, TensorId source, const std::vector<int64_t>& from,
                     const char* reason);

  // lower_core.cpp
  void softmax(const Node& node, const SoftmaxOp& op);
  void reduce(const Node& node, const ReduceOp& op);
  void layer_norm(const Node& node, const LayerNormOp& op);
  void arg_max(const Node& node, const ArgMaxOp& op);
  void custom(const Node& node, const CustomOp& op);

  void lower(const Node& node);

  const HwConfig& hw_;
  const Graph& graph_;
  const std::vector<InputRange>& ranges_;
  const QuantiseOptions& options_;
  LayerProgram out_;
  std::map<TensorId, TensorId> ids_;        ///< graph tensor to layer tensor
  std::map<TensorId, Quantisation> own_;    ///< where the layer's is not calibration's
  std::map<TensorId, ChannelView> placed_;  ///< graph tensors inside of a joined one's memory
  std::map<TensorId, const Node*> tails_;   ///< by a convolution's output: what it also computes
  std::set<const Node*> fused_;             ///< nodes that others compute
  std::set<TensorId> joined_;               ///< concatenations without a layer
  /// Tensors with gaps between the parts of a join: for each channel its place; the last element is
  /// the number of channels with gaps.
  std::map<TensorId, std::vector<int64_t>> spread_;
  std::vector<size_t> uses_;            ///< by graph tensor
  std::vector<const Node*> producers_;  ///< by graph tensor
};

inline bool same(const Quantisation& a, const Quantisation& b) {
  return std::abs(a.scale - b.scale) <= 1e-9 * std::max(a.scale, b.scale) &&
         a.zero_point == b.zero_point;
}

/// start, start + step, ...
template <typename T>
void append_range(std::vector<T>& out, int64_t count, int64_t start = 0, int64_t step = 1) {
  for (int64_t i = 0; i < count; ++i) out.push_back(static_cast<T>(start + i * step));
}

/// Bits below one step of an eltwise operand, so that two roundings do not follow each other.
inline constexpr unsigned kExtraBits = 6;
/// PDP kernel.
inline constexpr uint32_t kLargestPool = 8;
/// Width, height and channels that registers hold.
inline constexpr int64_t kLargestCube = 8192;

}  // namespace dlavp::compiler
