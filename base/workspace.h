// Scratch memory and counters that the caller owns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/types.h"

namespace pullback {

// What was evaluated through one workspace, in points (a batch of K points counts K), and how long it took.
struct PULLBACK_EXPORT EvaluationCounts {
  std::int64_t values = 0;              // f(z)
  std::int64_t jacobians = 0;           // J(z), alone or with the value
  std::int64_t second_derivatives = 0;  // d²f[v,v], or one weighted Hessian
  std::int64_t products = 0;            // Jᵀw
  std::int64_t metrics = 0;             // M(z) of a metric that is given directly
  double seconds = 0;                   // wall time inside generators and metrics

  EvaluationCounts& operator+=(const EvaluationCounts& other);
};
PULLBACK_EXPORT EvaluationCounts operator-(EvaluationCounts a, const EvaluationCounts& b);

// A stack of scratch buffers: every evaluation takes what it needs through a Frame and gives it back at the end of the
// scope, so that after the first call of a kind nothing is allocated. Generators that call generators share the stack.
//
// Cost: amortised none. Thread safety: one workspace per thread.
class PULLBACK_EXPORT Workspace {
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
  // Errors: StopRequested when it is the outermost one and this thread was asked to end (stop.h).
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

  // What is evaluated in parts. Batches of one kind and one source cost about the same per point.
  enum class Kind { kValue, kJacobian, kSecondDirectional, kProduct, kHessian, kSecondOrder, kMetric };

  // What the parts of a batch cost, for the source that was evaluated last.
  struct Cost {
    const void* source = nullptr;
    int measured = 0;
    double seconds = 0;     // per point: the smaller of the last two measurements, as one may have been disturbed
    double last = 0;        // per point, by the last measurement
    double part = 0;        // seconds of the last part
    Eigen::Index size = 0;  // points of the last part
    bool shared = false;    // the last part cost less per point than the smaller one before it
  };

  // Divides a batch into parts. Before each of them a thread that may be stopped (stop.h) is asked whether it is to
  // end:
  //
  //   for (Workspace::Parts parts(ws, Workspace::Kind::kValue, this, points); parts.next();) …
  //     evaluate the points parts.first() … parts.first() + parts.size() − 1
  //
  // The batch is one part if the thread may not be stopped, or if it should take less than 50 ms by earlier
  // measurements. Before the first batch of a kind and source one of its points is evaluated, to find the cost; if that
  // is small, all points are evaluated again together, so that results do not depend on the clock. Each part of an
  // outermost evaluation is counted as by Count. Errors: StopRequested from next(). Cost: the clock is read twice per
  // part.
  class Parts {
   public:
    enum class Split { kOutermost, kAlways, kNever };
    Parts(Workspace& workspace, Kind kind, const void* source, Eigen::Index points, Split split = Split::kOutermost);
    ~Parts();
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;

    bool next();
    Eigen::Index first() const { return first_; }
    Eigen::Index size() const { return size_; }

   private:
    void finish();
    Eigen::Index next_size();
    Cost& cost() const;
    bool cheap(Eigen::Index points) const;

    Workspace& workspace_;
    const Kind kind_;
    const void* const source_;
    const Eigen::Index points_;
    bool outermost_;
    bool splits_;
    bool running_ = false;
    bool probing_ = false;
    bool called_ = false;
    Eigen::Index first_ = 0;
    Eigen::Index size_ = 0;
    Eigen::Index done_ = 0;
    std::int64_t start_ = 0;
  };

  // Seconds per point of this kind by the last measurement; 0 where there is none.
  double seconds_per_point(Kind kind) const { return costs_[2 * static_cast<std::size_t>(kind)].seconds; }

  const EvaluationCounts& counts() const { return counts_; }
  // Counts what another workspace evaluated for this one.
  void count(std::int64_t EvaluationCounts::*field, std::int64_t points) { counts_.*field += points; }
  // Counts what an evaluation computed in addition, while its own Count lives.
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

  static void measured(Cost& cost, Eigen::Index points, double seconds);

  std::vector<Slot> slots_;
  std::array<Cost, 14> costs_;  // of every kind: outermost, and within another evaluation
  std::size_t used_ = 0;
  int depth_ = 0;
  EvaluationCounts counts_;
};

}  // namespace pullback
