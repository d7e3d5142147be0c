#include "pullback/plugins/newton/moving_curve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "pullback/manifold/numerics/chords.h"

namespace pullback {
namespace {

// Damping, in units of the Gauss–Newton part: the first, by what it grows and falls, what is as good as none, and what
// is too much to move.
constexpr double kFirstDamping = 0.25;
constexpr double kDampingGrowth = 4;
constexpr double kDampingFall = 8;
constexpr double kNoDamping = 0.01;
constexpr double kMostDamping = 1e6;
// What a step promises below this, relative to the energy, cannot be told from rounding.
constexpr double kRounding = 1e-14;
// A step is taken when it lowers the energy by this share of the promise, and its model is good above the second.
constexpr double kAccepted = 0.05;
constexpr double kGood = 0.75;
constexpr double kPoor = 0.25;
// Below this excess Newton's steps on the smooth gradient are taken as long as each divides the excess by kContraction.
constexpr double kNear = 1e-2;
constexpr double kContraction = 4;
// Descent hands over to them at this excess.
constexpr double kDescended = 1e-4;
// A curve on which the Hessian is not definite is a saddle only when it is stationary to this excess: on the way to a
// minimum it may be indefinite for long.
constexpr double kStationary = 1e-10;
// How far to move off a saddle, root mean square, in lengths of the curve.
constexpr std::array<double, 4> kSaddleMoves{0.3, 0.1, 0.03, 0.01};
// The energy of chords grows by no more than this when there are twice as many, unless the new nodes are out of place.
constexpr double kEnergyGrowth = 1.2;
constexpr double kLowerEnergy = 1e-9;

}  // namespace

MovingCurve::MovingCurve(const Manifold& manifold, Matrix nodes, SolveContext& context)
    : manifold_(manifold), nodes_(std::move(nodes)), context_(context) {}

void MovingCurve::replace(Matrix nodes) {
  nodes_ = std::move(nodes);
  if (model_) before_ = std::move(model_);
}

// False: not finite.
bool MovingCurve::linearise() {
  if (!model_) {
    model_ = make_curve_model(manifold_, nodes_, before_.get(), context_.workspace());
    energy_ = model_->energy();
    context_.record(iterations_, std::sqrt(2 * energy_));
  }
  return model_->finite();
}

Matrix MovingCurve::moved(const Matrix& moves) const {
  Matrix out = nodes_;
  out.middleCols(1, moves.cols()) += moves;
  return out;
}

// Takes the step if it lowers the energy enough, and adapts the damping. A trial is linearised at once, as most are
// taken, unless the one before was not.
bool MovingCurve::try_step(const CurveModel::Step& step, double& damping) {
  const double before = energy_;
  Matrix trial = moved(step.moves);
  ++iterations_;
  std::unique_ptr<CurveModel> there;
  double after = std::numeric_limits<double>::quiet_NaN();
  if (trial.allFinite()) {
    if (last_trial_failed_) {
      after = chord_energy(manifold_, trial, context_.workspace());
    } else {
      there = make_curve_model(manifold_, trial, model_.get(), context_.workspace());
      context_.record(iterations_, std::sqrt(2 * there->energy()));
      if (there->finite()) after = there->energy();
    }
  }
  const double ratio = (before - after) / step.promised;
  last_trial_failed_ = !(ratio >= kAccepted);
  if (!(ratio >= kPoor)) {
    damping = std::max(kDampingGrowth * damping, kFirstDamping);
  } else if (ratio > kGood) {
    damping = damping > kDampingFall * kNoDamping ? damping / kDampingFall : 0;
  }
  if (last_trial_failed_) return false;
  replace(std::move(trial));
  model_ = std::move(there);
  if (model_) energy_ = model_->energy();
  return true;
}

IterationStatus MovingCurve::descend(double tolerance, int max_iterations) {
  double damping = 0;
  for (int iteration = 0;; ++iteration) {
    if (context_.should_stop()) return IterationStatus::kStopped;
    if (!linearise()) return IterationStatus::kNotFinite;
    context_.keep(Curve::through(nodes_));
    const CurveModel::Step step = model_->descent(damping);
    if (!std::isfinite(step.promised)) return IterationStatus::kNotFinite;
    const double excess = step.promised / (2 * energy_);
    if (damping == 0 && step.exact && excess <= tolerance) return IterationStatus::kConverged;
    if (damping == 0 && !step.exact && excess <= std::min(tolerance, kStationary)) return IterationStatus::kSaddle;
    if (excess <= kRounding) return IterationStatus::kStalled;
    if (iteration >= max_iterations) return IterationStatus::kMaxIterations;
    try_step(step, damping);
    if (damping > kMostDamping) return IterationStatus::kStalled;
  }
}

// Asked once: curves that are made from one on which it is definite stay near it.
bool MovingCurve::definite() {
  known_definite_ = known_definite_ || model_->definite();
  return known_definite_;
}

IterationStatus MovingCurve::correct(double tolerance, int max_iterations, double* excess) {
  *excess = -1;
  double previous = std::numeric_limits<double>::infinity();
  bool descended = false;
  for (int iteration = 0; iteration <= max_iterations; ++iteration) {
    if (context_.should_stop()) return IterationStatus::kStopped;
    if (!linearise()) return IterationStatus::kNotFinite;
    context_.keep(Curve::through(nodes_));
    const CurveModel::Correction correction = model_->correction();
    const double now = correction.decrement / (2 * energy_);
    exact_corrections_ = correction.exact;
    if (!std::isfinite(now)) return IterationStatus::kNotFinite;
    if (*excess < 0) *excess = now;
    const bool definite = correction.definite && (now > tolerance || this->definite());
    const bool contracts = now <= kNear && now * kContraction <= previous;
    if (!definite && now <= std::min(tolerance, kStationary)) return IterationStatus::kSaddle;
    if (definite && (now <= tolerance || contracts)) {
      replace(moved(correction.moves));
      ++iterations_;
      last_trial_failed_ = false;
      if (now <= tolerance) return IterationStatus::kConverged;
      previous = now;
      continue;
    }
    if (descended) return IterationStatus::kUnresolved;
    descended = true;
    previous = std::numeric_limits<double>::infinity();
    switch (const IterationStatus status = descend(kDescended, max_iterations)) {
      case IterationStatus::kConverged:
      case IterationStatus::kStalled:  // the smooth gradient may know better
        break;
      default:
        return status;
    }
  }
  return IterationStatus::kMaxIterations;
}

bool MovingCurve::refine() {
  const double coarse = kEnergyGrowth * energy_;
  const Matrix before = nodes_;
  replace(with_midpoints(before));
  if (linearise() && energy_ <= coarse) return true;
  replace(doubled_nodes(before));
  if (linearise() && energy_ <= coarse) return true;
  for (Eigen::Index i = 1; i < nodes_.cols(); i += 2) nodes_.col(i) = 0.5 * (nodes_.col(i - 1) + nodes_.col(i + 1));
  replace(std::move(nodes_));
  return linearise() && energy_ <= coarse;
}

bool MovingCurve::leave_saddle() {
  if (!linearise()) return false;
  const std::optional<Matrix> mode = model_->negative_mode();
  if (!mode) return false;
  double lowest = energy_ * (1 - kLowerEnergy);
  std::optional<Matrix> best;
  for (const double size : kSaddleMoves) {
    for (const double side : {1.0, -1.0}) {
      Matrix trial = moved(side * size * *mode);
      const double energy = chord_energy(manifold_, trial, context_.workspace());
      if (!(energy < lowest)) continue;
      lowest = energy;
      best = std::move(trial);
    }
  }
  if (!best) return false;
  replace(*std::move(best));
  known_definite_ = false;
  ++iterations_;
  return true;
}

Matrix with_midpoints(const ConstMatrixRef& nodes) {
  const Eigen::Index K = nodes.cols() - 1;
  // Weights of eight nodes for the middle of their first four gaps, in 1/2048; the others by symmetry.
  constexpr std::array<std::array<double, 8>, 4> kWeights{{{429, 3003, -3003, 3003, -2145, 1001, -273, 33},
                                                           {-33, 693, 2079, -1155, 693, -297, 77, -9},
                                                           {9, -105, 945, 1575, -525, 189, -45, 5},
                                                           {-5, 49, -245, 1225, 1225, -245, 49, -5}}};
  Matrix out(nodes.rows(), 2 * K + 1);
  for (Eigen::Index i = 0; i <= K; ++i) out.col(2 * i) = nodes.col(i);
  for (Eigen::Index i = 0; i < K; ++i) {
    const bool mirrored = i > K - 1 - i;
    const Eigen::Index from_end = mirrored ? K - 1 - i : i;
    const auto& weights = kWeights[static_cast<std::size_t>(std::min<Eigen::Index>(from_end, 3))];
    const Eigen::Index first = std::max<Eigen::Index>(from_end - 3, 0);
    Vector middle = Vector::Zero(nodes.rows());
    for (Eigen::Index s = 0; s < 8; ++s) {
      const Eigen::Index node = mirrored ? K - first - s : first + s;
      middle += weights[static_cast<std::size_t>(s)] / 2048 * nodes.col(node);
    }
    out.col(2 * i + 1) = middle;
  }
  return out;
}

}  // namespace pullback
