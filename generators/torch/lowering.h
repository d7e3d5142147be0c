// From a TorchScript graph to the layers of a Network; private to generators/torch.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <optional>
#include <vector>

#include "pullback/generators/network/network.h"

namespace pullback::internal {

// The layers that the graph, frozen and inlined, is a chain of; nothing where it is anything else. What is found is to
// be compared with the module, since shapes are followed only as far as they matter to the usual stacks.
std::optional<std::vector<Layer>> lower(const torch::jit::Graph& graph, int latent_dimension);

}  // namespace pullback::internal
