// The graph passes and the pipeline that runs them with the verifier around each.
#pragma once

#include <string>
#include <vector>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

/// A graph rewrite; returns how many times it applied.
using PassFunction = size_t (*)(Graph&);

size_t remove_identities(Graph& graph);     ///< what gives its input back as it is
size_t find_layer_norms(Graph& graph);      ///< (x - mean) / sqrt(variance + e), written out
size_t lower_conv_transpose(Graph& graph);  ///< zeros inserted, then Conv with turned weights
size_t reduce_to_pool(Graph& graph);        ///< mean or maximum over space to a pooling
size_t merge_unary(Graph& graph);           ///< functions of one tensor to one program
size_t simplify_unary(Graph& graph);        ///< programs that are a Scale, a Relu or nothing
size_t drop_relus(Graph& graph);            ///< Relu of what is not negative to Identity
size_t flatten_concats(Graph& graph);       ///< Concat of Concat
size_t merge_reorders(Graph& graph);        ///< Reorder or Flatten after Reorder or Flatten
size_t fold_pads(Graph& graph);             ///< Pad into the windows of Conv and Pool after it
size_t batch_norm_to_scale(Graph& graph);   ///< BatchNorm to one factor and shift a channel
size_t gemm_to_conv(Graph& graph);          ///< Gemm to a convolution as large as its input
size_t fold_scale(Graph& graph);            ///< Scale into Conv, LayerNorm or Scale before it
size_t fold_scale_forward(Graph& graph);    ///< Scale into the Convs after it
size_t fuse_add(Graph& graph);              ///< Add into one of the Convs before it
size_t fuse_relu(Graph& graph);             ///< Relu into Conv, Scale, Add or Binary before it
size_t remove_dead_nodes(Graph& graph);     ///< nodes whose output nobody reads
size_t drop_unused_tensors(Graph& graph);   ///< renumbers the tensors that are left

/// A convolution or pooling whose readers all step over its pixels computes only those they read;
/// so does what is before it. A residual that others read whole is sampled by a pooling of 1x1.
size_t move_strides(Graph& graph);
/// A 1x1 convolution that adds the result of another becomes one over the inputs of both.
size_t join_sums(Graph& graph);

struct Pass {
  const char* name;
  PassFunction run;
};

/// The passes before quantisation, in order.
[[nodiscard]] const std::vector<Pass>& standard_passes();

/// Without those that put scale, add and ReLU into the operation before.
[[nodiscard]] std::vector<Pass> unfused_passes();

struct PassStatistic {
  std::string name;
  size_t applied = 0;
};

/// Runs the passes; the graph is verified before the first and after each (the values of constants
/// after the last), and a pass that breaks a rule is an internal error naming it. Precondition:
/// `graph` is well formed.
std::vector<PassStatistic> run_passes(Graph& graph,
                                      const std::vector<Pass>& passes = standard_passes());

}  // namespace dlavp::compiler
