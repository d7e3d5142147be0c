// A compiled TorchScript program, looked through before anything of it is evaluated; private to generators/torch.
#pragma once

#include <torch/csrc/jit/api/module.h>

namespace pullback::internal {

// Looks at every function and method that the module's file defines, with all nested blocks, and at every value of its
// objects. Refused are operators that is_allowed_operator() refuses, calls that unfold to more than a million
// operations or go deeper than 200 levels, and objects whose values are not of the types that their classes declare,
// which LibTorch does not check and would read out of bounds. What prints (prim::Print, aten::warn) is taken out, since
// it has no part in the result. Cost: the size of the program.
// Errors: ArchiveFailure with the operator and the line.
void scan_program(torch::jit::Module& module);

}  // namespace pullback::internal
