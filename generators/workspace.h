// Scratch memory and counters that the caller owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "pullback/generators/types.h"

namespace pullback {

// What was evaluated through one workspace, in points (a batch of K points counts K), and how long it took.
struct EvaluationCounts {
  std::int64_t values = 0;              // f(z)
  std::int64_t jacobians = 0;           // J(z), alone or with the value
  std::int64_t second_derivatives = 0;  // d²f[v,v], or one weighted Hessian
  std::int64_t products = 0;            // Jᵀw
  std::int64_t metrics = 0;             // M(z) of a metric that is given directly
  double seconds = 0;                   // wall time inside generators and metrics

  EvaluationCounts& operator+=(const EvaluationCounts& other);
};
EvaluationCounts operator-(EvaluationCounts a, const EvaluationCounts& b);

// A stack of scratch buffers: every evaluation takes what it needs through a Frame and gives it back at the end of the
// scope, so that after the first call of a kind nothing is allocated. Generators that call generators share the stack.
//
// Cost: amortised none. Thread safety: one workspace per thread.
class Workspace {
 public:
  using Buffer = Eigen::Map<Matrix, Eigen::Aligned64>;

  Workspace() = default;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  Workspace(Workspace&&) = default;
  Workspace& operator=(Workspace&&) = default;
  ~Workspace() = default;

  // The buffers taken through a frame live until the frame ends; frames nest.
  class Frame {
   public:
    explicit Frame(Workspace& workspace) : workspace_(workspace), mark_(workspace.used_) {}
    ~Frame() { workspace_.used_ = mark_; }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

    // rows×cols uninitialised doubles, column-major, aligned to 64 bytes.
    Buffer matrix(Eigen::Index rows, Eigen::Index cols);

   private:
    Workspace& workspace_;
    std::size_t mark_;
  };

  // Counts an evaluation and its time when it is the outermost one: a composition counts once, not once per part.
  class Count {
   public:
    Count(Workspace& workspace, std::int64_t EvaluationCounts::*field, std::int64_t points);
    ~Count();
    Count(const Count&) = delete;
    Count& operator=(const Count&) = delete;

   private:
    Workspace& workspace_;
    std::int64_t start_ = 0;  // nanoseconds of the steady clock
  };

  const EvaluationCounts& counts() const { return counts_; }
  // Counts what an evaluation computed besides, within its own Count.
  void add(std::int64_t EvaluationCounts::*field, std::int64_t points) {
    if (depth_ == 1) counts_.*field += points;
  }

 private:
  struct Release {
    void operator()(double* p) const;
  };
  struct Slot {
    std::unique_ptr<double[], Release> data;
    std::size_t capacity = 0;
  };

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
  int depth_ = 0;
  EvaluationCounts counts_;
};

}  // namespace pullback
