#include "pullback/plugins/newton/moving_curve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "pullback/manifold/numerics/chords.h"
#include "pullback/manifold/numerics/whitening.h"
#include "pullback/plugins/newton/hessian_models.h"

namespace pullback {
namespace {

// Damping, in units of the Gauss–Newton part: the first, by what it grows and falls, what is as good as none, and what
// is too much to move.
constexpr double kFirstDamping = 0.25;
constexpr double kDampingGrowth = 4;
constexpr double kDampingFall = 8;
constexpr double kNoDamping = 0.01;
constexpr double kMostDamping = 1e6;
// Keeps a projected Hessian definite.
constexpr double kProjectedDamping = 1e-4;
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
// An eigenvalue of the second variation (the flat one's is π²) below this is negative.
constexpr double kNegative = -1e-5;
constexpr double kLowerEnergy = 1e-9;

double dot(const Matrix& a, const Matrix& b) { return a.cwiseProduct(b).sum(); }

struct Model {
  BlockTridiagonalFactor factor;
  bool exact;  // the Hessian itself, damped
};

// H + damping G, or where that is not positive definite its chords' projections.
Model positive_model(const BlockTridiagonal& H, double damping) {
  BlockTridiagonalFactor factor =
      damping > 0 ? BlockTridiagonalFactor(sum(H, damping, gauss_newton_part(H))) : BlockTridiagonalFactor(H);
  if (factor.positive_definite()) return {std::move(factor), true};
  return {BlockTridiagonalFactor(sum(projected(H), std::max(damping, kProjectedDamping), gauss_newton_part(H))), false};
}

}  // namespace

MovingCurve::MovingCurve(const Manifold& manifold, Matrix nodes, SolveContext& context)
    : manifold_(manifold), nodes_(std::move(nodes)), context_(context) {}

void MovingCurve::replace(Matrix nodes) {
  nodes_ = std::move(nodes);
  variation_.reset();
}

// False: not finite.
bool MovingCurve::linearise() {
  if (!variation_) {
    variation_ = manifold_.variation(nodes_, context_.workspace());
    energy_ = variation_->energy;
    floor_diagonal(variation_->factor);
    context_.record(iterations_, std::sqrt(2 * variation_->energy));
  }
  return std::isfinite(variation_->energy) && variation_->gradient.allFinite() &&
         variation_->hessian.diagonal.allFinite() && variation_->hessian.upper.allFinite();
}

Matrix MovingCurve::moved(const Matrix& step) const { return moved_nodes(nodes_, variation_->factor, step); }

// Takes the step if it lowers the energy enough, and adapts the damping. A trial is linearised at once, as most are
// taken, unless the one before was not.
bool MovingCurve::try_step(const Matrix& step, double promised, double& damping) {
  const double before = variation_->energy;
  Matrix trial = moved(step);
  ++iterations_;
  MovingCurve there(manifold_, trial, context_);
  there.iterations_ = iterations_;
  double after = std::numeric_limits<double>::quiet_NaN();
  if (trial.allFinite()) {
    if (last_trial_failed_) {
      after = chord_energy(manifold_, trial, context_.workspace());
    } else if (there.linearise()) {
      after = there.energy();
    }
  }
  const double ratio = (before - after) / promised;
  last_trial_failed_ = !(ratio >= kAccepted);
  if (!(ratio >= kPoor)) {
    damping = std::max(kDampingGrowth * damping, kFirstDamping);
  } else if (ratio > kGood) {
    damping = damping > kDampingFall * kNoDamping ? damping / kDampingFall : 0;
  }
  if (last_trial_failed_) return false;
  nodes_ = std::move(trial);
  variation_ = std::move(there.variation_);
  if (variation_) energy_ = variation_->energy;
  return true;
}

IterationStatus MovingCurve::descend(double tolerance, int max_iterations) {
  double damping = 0;
  for (int iteration = 0;; ++iteration) {
    if (context_.should_stop()) return IterationStatus::kStopped;
    if (!linearise()) return IterationStatus::kNotFinite;
    context_.keep(Curve::through(nodes_));
    const Model model = positive_model(variation_->hessian, damping);
    const Matrix step = -model.factor.solve(variation_->chord_gradient);
    const double promised = -0.5 * dot(variation_->chord_gradient, step);
    if (!std::isfinite(promised)) return IterationStatus::kNotFinite;
    const double excess = promised / (2 * variation_->energy);
    if (damping == 0 && model.exact && excess <= tolerance) return IterationStatus::kConverged;
    if (damping == 0 && !model.exact && excess <= std::min(tolerance, kStationary)) return IterationStatus::kSaddle;
    if (excess <= kRounding) return IterationStatus::kStalled;
    if (iteration >= max_iterations) return IterationStatus::kMaxIterations;
    try_step(step, promised, damping);
    if (damping > kMostDamping) return IterationStatus::kStalled;
  }
}

IterationStatus MovingCurve::correct(double tolerance, int max_iterations, double* excess) {
  *excess = -1;
  double previous = std::numeric_limits<double>::infinity();
  bool descended = false;
  for (int iteration = 0; iteration <= max_iterations; ++iteration) {
    if (context_.should_stop()) return IterationStatus::kStopped;
    if (!linearise()) return IterationStatus::kNotFinite;
    context_.keep(Curve::through(nodes_));
    const BlockTridiagonalFactor factor(variation_->hessian);
    const Matrix& gradient = variation_->gradient;
    const Matrix step = -factor.solve(gradient);
    double decrement = std::abs(0.5 * dot(gradient, step));
    if (!factor.positive_definite()) {
      // Positive and negative curvatures may cancel one another in it.
      const BlockTridiagonalFactor flat(gauss_newton_part(variation_->hessian));
      decrement = std::max(decrement, 0.5 * dot(gradient, flat.solve(gradient)));
    }
    const double now = decrement / (2 * variation_->energy);
    if (!std::isfinite(now)) return IterationStatus::kNotFinite;
    if (*excess < 0) *excess = now;
    const bool definite = factor.positive_definite();
    const bool contracts = now <= kNear && now * kContraction <= previous;
    if (!definite && now <= std::min(tolerance, kStationary)) return IterationStatus::kSaddle;
    if (definite && (now <= tolerance || contracts)) {
      replace(moved(step));
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
  const BlockTridiagonal& H = variation_->hessian;
  const double lambda = smallest_eigenvalue(H);
  if (!(chords() * lambda < kNegative)) return false;
  const Matrix mode = lowest_mode(H, lambda) * std::sqrt(2 * variation_->energy * chords());
  double lowest = variation_->energy * (1 - kLowerEnergy);
  std::optional<Matrix> best;
  for (const double size : kSaddleMoves) {
    for (const double side : {1.0, -1.0}) {
      Matrix trial = moved(side * size * mode);
      const double energy = chord_energy(manifold_, trial, context_.workspace());
      if (!(energy < lowest)) continue;
      lowest = energy;
      best = std::move(trial);
    }
  }
  if (!best) return false;
  replace(*std::move(best));
  ++iterations_;
  return true;
}

Matrix with_midpoints(const ConstMatrixRef& nodes) {
  const Eigen::Index K = nodes.cols() - 1;
  // Weights of six nodes for the middle of their first, second and third gap, in 1/256; the others by symmetry.
  constexpr std::array<std::array<double, 6>, 3> kWeights{
      {{63, 315, -210, 126, -45, 7}, {-7, 105, 210, -70, 21, -3}, {3, -25, 150, 150, -25, 3}}};
  Matrix out(nodes.rows(), 2 * K + 1);
  for (Eigen::Index i = 0; i <= K; ++i) out.col(2 * i) = nodes.col(i);
  for (Eigen::Index i = 0; i < K; ++i) {
    const bool mirrored = i > K - 1 - i;
    const Eigen::Index from_end = mirrored ? K - 1 - i : i;
    const auto& weights = kWeights[static_cast<std::size_t>(std::min<Eigen::Index>(from_end, 2))];
    const Eigen::Index first = std::max<Eigen::Index>(from_end - 2, 0);
    Vector middle = Vector::Zero(nodes.rows());
    for (Eigen::Index s = 0; s < 6; ++s) {
      const Eigen::Index node = mirrored ? K - first - s : first + s;
      middle += weights[static_cast<std::size_t>(s)] / 256 * nodes.col(node);
    }
    out.col(2 * i + 1) = middle;
  }
  return out;
}

}  // namespace pullback
