// Chooses the tiles of all convolutions of a network together. Two consecutive operations overlap
// only if they share one bank split (a change of banks empties the buffer), if the buffer has room
// for the next one's input beside the present one's, and if that input is already in memory: so
// the split is one for the network where possible, and a layer's first tile reads no more than what
// all but the last tile of the layer before produced.
#pragma once

#include <string>

#include "compiler/schedule/conv_tiling.hpp"

namespace dlavp::compiler {

/// What the core needs to program a convolution and its SDP operation.
inline constexpr double kPairCycles = 1500;

/// Which optimisations are on; each can be switched off to measure its effect.
struct ScheduleOptions {
  bool overlap = true;        ///< one bank split, tiles that let the next fetch start early
  bool reuse_weights = true;  ///< tiles of a layer keep its weights in the buffer
  bool flatten = true;        ///< 1x1 convolutions are cut at any pixel
  bool extend_rows = true;    ///< images: several kernel rows in one step
  bool fuse_pool = true;      ///< pooling on the fly behind a convolution
  bool fuse = true;           ///< scale, add and ReLU in the operation before; changes the bytes
  bool pipeline = true;       ///< operations start while others run
  bool move_strides = true;   ///< pixels that no reader looks at are not computed
  bool join_sums = true;      ///< a sum of two 1x1 convolutions is one over both inputs
  bool pack_rows = true;      ///< kernel rows as channels where a chunk has one atom of them
  bool pack_all = false;      ///< also where that takes more
  bool bands = true;          ///< long poolings and normalisations start before all is there
  bool use_sram = true;       ///< activations in the second memory, if they fit
  uint64_t sram_bytes = uint64_t{4} << 20;  ///< of the second memory; the default platform's
};

/// What each level (0 to 3) of --optimize has on: nothing but `fuse` and `pipeline`; what concerns
/// one operation; all of a layer and of the network; the second memory too.
[[nodiscard]] ScheduleOptions optimisation_level(unsigned level);

/// One convolution, in the order of execution.
struct ConvJob {
  ConvGeometry geometry;
  std::string name;
  /// The job whose output it reads; none: an input or something that no convolution makes.
  std::optional<size_t> producer;
  /// One of several for other channels: what it takes behind itself decides; of the last one, what
  /// it takes together with the job after it.
  bool repeated = false, last_of_several = false;
  uint64_t operand_beats = 0;  ///< of memory reads an output atom, for SDP
  /// Of the pooling or normalisation that alone reads the result: what of it is done when the last
  /// tile comes is hidden.
  double follower_cycles = 0;
  bool pool_follows = false;  ///< it is a pooling
  /// Of the pooling on the fly in `geometry`: it may also be done apart.
  double pool_cycles = 0;
};

/// A tiling for each job; where pooling apart takes less, of the convolution alone. Errors:
/// schedule.cbuf, with the job's name as place.
Result<std::vector<ConvTiling>> plan_convolutions(const HwConfig& hw,
                                                  const std::vector<ConvJob>& jobs,
                                                  const ScheduleOptions& options);

}  // namespace dlavp::compiler
