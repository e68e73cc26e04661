// The graph passes and the pipeline that runs them with the verifier around each.
#pragma once

#include <string>
#include <vector>

#include "compiler/ir/graph.hpp"

namespace dlavp::compiler {

/// A graph rewrite; returns how many times it applied.
using PassFunction = size_t (*)(Graph&);

size_t remove_identities(Graph& graph);    ///< Identity, and Flatten of what is already flat
size_t batch_norm_to_scale(Graph& graph);  ///< BatchNorm to one factor and shift a channel
size_t gemm_to_conv(Graph& graph);  ///< (Flatten +) Gemm to a convolution as large as its input
size_t fold_scale(Graph& graph);    ///< Scale into the weights and bias of the Conv before it
size_t fuse_add(Graph& graph);      ///< Add into one of the Convs before it
size_t fuse_relu(Graph& graph);     ///< Relu into the Conv, Scale or Add before it
size_t remove_dead_nodes(Graph& graph);    ///< nodes whose output nobody reads
size_t drop_unused_tensors(Graph& graph);  ///< renumbers the tensors that are left

struct Pass {
  const char* name;
  PassFunction run;
};

/// The passes before quantisation, in order.
[[nodiscard]] const std::vector<Pass>& standard_passes();

struct PassStatistic {
  std::string name;
  size_t applied = 0;
};

/// Runs the passes; the graph is verified before the first and after each, and a pass that breaks a
/// rule is an internal error naming it. Precondition: `graph` is well formed.
std::vector<PassStatistic> run_passes(Graph& graph,
                                      const std::vector<Pass>& passes = standard_passes());

}  // namespace dlavp::compiler
