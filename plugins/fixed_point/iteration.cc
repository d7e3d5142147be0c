#include "pullback/plugins/fixed_point/iteration.h"

#include <Eigen/QR>
#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <utility>

namespace pullback {
namespace {

constexpr std::array<double, 3> kDampings{1, 0.33, 0.33 * 0.33};
constexpr double kUnconditional = 0.33 * 0.33 * 0.33;
// Differences of iterates that depend on one another to this share say nothing new.
constexpr double kDependent = 1e-8;
// Without progress by this share over as many steps as this, an iteration has stalled.
constexpr double kProgress = 0.9;
constexpr int kPatience = 30;

struct Iterate {
  Matrix A;  // n×N
  Matrix r;  // a(c_A, ċ_A) − A
  double length = 0;
  double cost() const { return r.squaredNorm(); }
};

class Iteration {
 public:
  Iteration(const WhitenedChart& chart, const AccelerationProcess& process, const ConstVectorRef& from,
            const ConstVectorRef& to, SolveContext& context)
      : chart_(chart), process_(process), from_(from), to_(to), context_(context) {}

  FixedPoint run(Matrix start, const IterationBounds& bounds, int first_iteration);

 private:
  Iterate evaluate(Matrix A) const;
  Matrix direction() const;
  bool step(int memory);
  void remember(Iterate iterate, int memory);
  bool solved(const IterationBounds& bounds) const;
  double mean_residual() const;
  bool progressing(int iteration);

  const WhitenedChart& chart_;
  const AccelerationProcess& process_;
  const ConstVectorRef& from_;
  const ConstVectorRef& to_;
  SolveContext& context_;
  Iterate now_;
  std::deque<Iterate> before_;
  double marked_cost_ = 0;  // the cost that is to be improved upon
  int marked_at_ = 0;
};

Iterate Iteration::evaluate(Matrix A) const {
  Iterate out;
  out.A = std::move(A);
  out.r.resize(out.A.rows(), out.A.cols());
  const Matrix velocities = process_.velocities(out.A, from_, to_);
  chart_.acceleration(process_.positions(out.A, from_, to_), velocities, out.r, context_.workspace());
  out.r -= out.A;
  out.length = std::sqrt(velocities.squaredNorm() / static_cast<double>(velocities.cols()));
  return out;
}

// r + Σ γ_j (A_j − A + r_j − r), γ the least-squares solution of r + Σ γ_j (r_j − r) = 0.
Matrix Iteration::direction() const {
  if (before_.empty()) return now_.r;
  Matrix changes(now_.r.size(), static_cast<Eigen::Index>(before_.size()));
  for (Eigen::Index j = 0; j < changes.cols(); ++j) {
    changes.col(j) = (before_[static_cast<std::size_t>(j)].r - now_.r).reshaped();
  }
  Eigen::ColPivHouseholderQR<Matrix> qr(changes);
  qr.setThreshold(kDependent);
  const Vector gamma = qr.solve(-now_.r.reshaped());
  Matrix out = now_.r;
  for (Eigen::Index j = 0; j < changes.cols(); ++j) {
    const Iterate& other = before_[static_cast<std::size_t>(j)];
    out += gamma(j) * (other.A - now_.A + other.r - now_.r);
  }
  return out.allFinite() ? out : now_.r;
}

void Iteration::remember(Iterate iterate, int memory) {
  before_.push_back(std::move(iterate));
  if (static_cast<int>(before_.size()) > memory) before_.pop_front();
}

// False: not finite.
bool Iteration::step(int memory) {
  const Matrix p = direction();
  Iterate trial;
  for (const double damping : kDampings) {
    trial = evaluate(now_.A + damping * p);
    if (trial.cost() < now_.cost()) {
      std::swap(now_, trial);
      if (memory > 0) remember(std::move(trial), memory);
      return true;
    }
    if (context_.should_stop()) return true;
  }
  if (memory == 0) {
    now_ = evaluate(now_.A + kUnconditional * p);
    return now_.r.allFinite();
  }
  if (trial.r.allFinite()) {
    remember(std::move(trial), memory);
    return true;
  }
  // The trial has left the domain: the iterates before may have led there.
  if (before_.empty()) return false;
  before_.clear();
  return true;
}

double Iteration::mean_residual() const {
  return std::sqrt(now_.cost() / static_cast<double>(now_.r.cols())) / now_.length;
}

bool Iteration::solved(const IterationBounds& bounds) const {
  if (bounds.every) return now_.r.cwiseAbs().maxCoeff() <= bounds.tolerance * now_.length;
  return mean_residual() <= bounds.tolerance;
}

bool Iteration::progressing(int iteration) {
  if (iteration == 0 || now_.cost() < kProgress * marked_cost_) {
    marked_cost_ = now_.cost();
    marked_at_ = iteration;
  }
  return iteration - marked_at_ < kPatience;
}

FixedPoint Iteration::run(Matrix start, const IterationBounds& bounds, int first_iteration) {
  FixedPoint out;
  now_ = evaluate(std::move(start));
  Iterate best = now_;
  bool finite = now_.r.allFinite();
  for (;; ++out.iterations) {
    if (!finite) break;
    if (now_.cost() < best.cost()) best = now_;
    context_.record(first_iteration + out.iterations, now_.length);
    if (solved(bounds)) {
      out.status = IterationStatus::kConverged;
      break;
    }
    if (out.iterations == bounds.max_iterations) {
      out.status = IterationStatus::kMaxIterations;
      break;
    }
    if (!progressing(out.iterations)) {
      out.status = IterationStatus::kStalled;
      break;
    }
    if (context_.should_stop()) {
      out.status = IterationStatus::kStopped;
      break;
    }
    finite = step(bounds.memory);
  }
  if (finite) now_ = std::move(best);
  out.length = now_.length;
  out.residual = mean_residual();
  out.accelerations = std::move(now_.A);
  return out;
}

}  // namespace

FixedPoint iterate(const WhitenedChart& chart, const AccelerationProcess& process, const ConstVectorRef& from,
                   const ConstVectorRef& to, Matrix start, const IterationBounds& bounds, int first_iteration,
                   SolveContext& context) {
  return Iteration(chart, process, from, to, context).run(std::move(start), bounds, first_iteration);
}

}  // namespace pullback
