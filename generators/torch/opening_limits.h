// Bounds on what a TorchScript program may cost; private to generators/torch.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pullback::internal {

// Puts a count into the body of every loop of the graph, also of those without a bound of their own ("while"), which
// ends an evaluation inside of a LoopLimit by an exception.
void limit_loops(torch::jit::Graph& graph);

// While it lives, the evaluations of this thread may go through at most 100,000 bodies of loops. Not to be nested.
// Beyond that the interpreter throws, with "a loop of its forward …" in the message.
class LoopLimit {
 public:
  LoopLimit();
  ~LoopLimit();
  LoopLimit(const LoopLimit&) = delete;
  LoopLimit& operator=(const LoopLimit&) = delete;
};

// While it lives, this thread opens a file. Its loops may take ten seconds in all, and one that went beyond its limit
// ends every later evaluation at once, so that trying other inputs does not take as long again. No tensor may be larger
// than 2 GiB and eight times the file, or than half of the memory that is free: the system would end the process where
// it has promised more memory than there is.
class OpeningLimits {
 public:
  explicit OpeningLimits(std::uintmax_t file_size);
  ~OpeningLimits();
  OpeningLimits(const OpeningLimits&) = delete;
  OpeningLimits& operator=(const OpeningLimits&) = delete;
};

}  // namespace pullback::internal
