#include "pullback/plugins/shooting/joints.h"

#include <Eigen/SparseCore>
#include <Eigen/SparseLU>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "pullback/manifold/curves/exponential.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

// A Newton step is not damped further than this.
constexpr double kSmallestDamping = 1.0 / 1024;
// A derivative is kept while it brings corrections down to this share: a flow without variations costs so much less.
constexpr double kKeepDerivative = 0.1;
// Flows are integrated with errors of this share of the miss.
constexpr double kFlowShare = 1e-3;
constexpr double kCoarsestFlow = 1e-7;
// A miss of this many roundings of the coordinates cannot be told from none.
constexpr double kRoundings = 20;

// The flows of all segments, and how far they miss.
struct Flows {
  FlowStatus status = FlowStatus::kComplete;
  std::vector<GeodesicFlow> segments;
  // n×(2m−1): what the ends lack in position and velocity (the last in position alone), in the manifold's chart.
  Matrix gaps;
};

// Whether there is a derivative to go by: none (singular, or no longer good enough), one of joints before, that of
// these.
enum class Derivative { kNone, kKept, kFresh };

class Shooting {
 public:
  Shooting(const Manifold& manifold, const ConstVectorRef& target, const ShootingBounds& bounds, SolveContext& context)
      : manifold_(manifold),
        target_(target),
        bounds_(bounds),
        context_(context),
        n_(manifold.dimension()),
        tolerance_(coarsest()) {}

  Shot run(Joints joints, int first_iteration);

 private:
  Flows flows(const Joints& joints, double tolerance, bool sensitivities);
  bool factor_metrics(const Joints& joints);
  Vector whitened_residual(const Flows& flows) const;
  bool factor_jacobian(const Flows& flows);
  void linearise(const Joints& joints);
  Joints moved(const Joints& joints, const Vector& correction, double damping) const;
  bool damped_step(Joints& joints);
  void tighten(double miss);
  double rounding(const Joints& joints) const;
  Curve curve(const Joints& joints) const;
  Shot ended(Shot shot, Joints joints);

  double coarsest() const { return std::max(kCoarsestFlow, bounds_.ode_tolerance); }
  bool exact() const { return tolerance_ <= bounds_.ode_tolerance; }
  auto factor(Eigen::Index i) const { return factors_.middleCols(n_ * i, n_).triangularView<Eigen::Upper>(); }

  const Manifold& manifold_;
  const ConstVectorRef& target_;
  const ShootingBounds& bounds_;
  SolveContext& context_;
  Eigen::Index n_;
  double tolerance_;  // of the flows at present
  // At the joints where the derivative was taken: R there and at the target, n×n(m+1), the length, and the derivative.
  Matrix factors_;
  double length_ = 0;
  Eigen::SparseLU<Eigen::SparseMatrix<double>> lu_;
  Derivative derivative_ = Derivative::kNone;
  Flows flown_;  // of the joints
};

Flows Shooting::flows(const Joints& joints, double tolerance, bool sensitivities) {
  const Eigen::Index m = joints.positions.cols();
  ExponentialOptions options;
  options.tolerance = tolerance;
  options.should_stop = [this] { return context_.should_stop(); };
  Flows out;
  out.gaps.resize(n_, 2 * m - 1);
  for (Eigen::Index i = 0; i < m; ++i) {
    if (!joints.positions.col(i).allFinite() || !joints.velocities.col(i).allFinite()) {
      out.status = FlowStatus::kNotFinite;
      return out;
    }
    out.segments.push_back(exponential_flow(manifold_, joints.positions.col(i), joints.velocities.col(i),
                                            context_.workspace(), options, sensitivities));
    const GeodesicFlow& flow = out.segments.back();
    out.status = flow.status;
    if (out.status != FlowStatus::kComplete) return out;
    if (i + 1 == m) {
      out.gaps.col(2 * i) = target_ - flow.end_position;
    } else {
      out.gaps.col(2 * i) = joints.positions.col(i + 1) - flow.end_position;
      out.gaps.col(2 * i + 1) = joints.velocities.col(i + 1) - flow.end_velocity;
    }
  }
  return out;
}

bool Shooting::factor_metrics(const Joints& joints) {
  const Eigen::Index m = joints.positions.cols();
  Matrix points(n_, m + 1);
  points << joints.positions, target_;
  factors_.resize(n_, n_ * (m + 1));
  manifold_.factor(points, factors_, context_.workspace());
  if (!factors_.allFinite()) return false;
  floor_diagonal(factors_);
  length_ = 0;
  for (Eigen::Index i = 0; i < m; ++i) length_ += (factor(i) * joints.velocities.col(i)).norm();
  return length_ > 0 && std::isfinite(length_);
}

Vector Shooting::whitened_residual(const Flows& flows) const {
  Vector residual(flows.gaps.size());
  for (Eigen::Index k = 0; k < flows.gaps.cols(); ++k) {
    residual.segment(n_ * k, n_) = factor(k / 2 + 1) * flows.gaps.col(k);
  }
  return residual;
}

// The derivative of the ends by the starts. Unknowns: ω_0, then ξ_i, ω_i of each joint inside, with δz = R⁻¹ξ, δw =
// R⁻¹ω.
bool Shooting::factor_jacobian(const Flows& flows) {
  const auto m = static_cast<Eigen::Index>(flows.segments.size());
  std::vector<Eigen::Triplet<double>> entries;
  for (Eigen::Index i = 0; i < m; ++i) {
    Matrix S = flows.segments[static_cast<std::size_t>(i)].sensitivity;
    const Eigen::Index rows = i + 1 == m ? n_ : 2 * n_;
    for (const Eigen::Index half : {Eigen::Index{0}, n_}) {
      S.middleRows(half, n_) = (factor(i + 1) * S.middleRows(half, n_)).eval();
      S.middleCols(half, n_) = factor(i).template solve<Eigen::OnTheRight>(S.middleCols(half, n_)).eval();
    }
    for (Eigen::Index c = i == 0 ? n_ : 0; c < 2 * n_; ++c) {
      for (Eigen::Index r = 0; r < rows; ++r) entries.emplace_back(2 * n_ * i + r, 2 * n_ * i + c - n_, S(r, c));
    }
    if (i + 1 == m) continue;
    for (Eigen::Index r = 0; r < rows; ++r) entries.emplace_back(2 * n_ * i + r, 2 * n_ * (i + 1) + r - n_, -1);
  }
  Eigen::SparseMatrix<double> jacobian(n_ * (2 * m - 1), n_ * (2 * m - 1));
  jacobian.setFromTriplets(entries.begin(), entries.end());
  lu_.compute(jacobian);
  return lu_.info() == Eigen::Success;
}

// The derivative at the joints, and their flows on the way.
void Shooting::linearise(const Joints& joints) {
  derivative_ = Derivative::kNone;
  if (!factor_metrics(joints)) {
    flown_.status = FlowStatus::kNotFinite;
    return;
  }
  // A derivative need not be exact for corrections to be: coarse flows have it for much less.
  flown_ = flows(joints, coarsest(), true);
  if (flown_.status != FlowStatus::kComplete) return;
  if (factor_jacobian(flown_)) derivative_ = Derivative::kFresh;
  if (tolerance_ < coarsest()) flown_ = flows(joints, tolerance_, false);
}

Joints Shooting::moved(const Joints& joints, const Vector& correction, double damping) const {
  Joints out = joints;
  for (Eigen::Index i = 0; i < joints.positions.cols(); ++i) {
    if (i > 0) out.positions.col(i) += damping * factor(i).solve(correction.segment(2 * n_ * i - n_, n_));
    out.velocities.col(i) += damping * factor(i).solve(correction.segment(2 * n_ * i, n_));
  }
  return out;
}

// Moves the joints by the longest step after which the simplified Newton correction (with the same derivative) is
// shorter by the share that the step promises. False: there is none, and nothing has moved.
bool Shooting::damped_step(Joints& joints) {
  const Vector correction = lu_.solve(whitened_residual(flown_));
  const double size = correction.norm();
  // No further than the velocities are long: beyond, the flow would go round the manifold.
  const double longest = std::min(1.0, length_ / size);
  for (double damping = longest; damping >= kSmallestDamping; damping /= 2) {
    Joints trial = moved(joints, correction, damping);
    Flows flown = flows(trial, tolerance_, false);
    if (flown.status == FlowStatus::kStopped) return false;
    if (flown.status == FlowStatus::kComplete) {
      const double ratio = lu_.solve(whitened_residual(flown)).norm() / size;
      if (ratio <= 1 - damping / 4) {
        joints = std::move(trial);
        flown_ = std::move(flown);
        derivative_ = ratio <= kKeepDerivative ? Derivative::kKept : Derivative::kNone;
        return true;
      }
    }
    if (derivative_ == Derivative::kKept) return false;  // it may be the derivative's fault
  }
  return false;
}

// Integrates as exactly as the next miss deserves; a miss of 0 stands for what no coarse flow can tell.
void Shooting::tighten(double miss) {
  tolerance_ = std::max(std::min(tolerance_, kFlowShare * miss), bounds_.ode_tolerance);
}

double Shooting::rounding(const Joints& joints) const {
  const double epsilon = std::numeric_limits<double>::epsilon();
  const Eigen::Index m = joints.positions.cols();
  double most = (factors_.rightCols(n_).cwiseAbs() * target_.cwiseAbs()).norm();
  for (Eigen::Index i = 0; i < m; ++i) {
    most = std::max(most, (factors_.middleCols(n_ * i, n_).cwiseAbs() * joints.positions.col(i).cwiseAbs()).norm());
  }
  return epsilon * most / length_;
}

Shot Shooting::ended(Shot shot, Joints joints) {
  if (flown_.status == FlowStatus::kStopped) shot.status = IterationStatus::kStopped;
  if (shot.status == IterationStatus::kConverged) factor_metrics(joints);  // for the length of these joints
  shot.joints = std::move(joints);
  shot.length = length_;
  return shot;
}

Shot Shooting::run(Joints joints, int first_iteration) {
  Shot out;
  linearise(joints);
  while (flown_.status == FlowStatus::kComplete) {
    out.miss = whitened_residual(flown_).norm() / length_;
    context_.record(first_iteration + out.iterations, length_);
    const bool close = out.miss <= std::max(bounds_.tolerance, kRoundings * rounding(joints));
    if (close && exact()) {
      out.status = IterationStatus::kConverged;
      out.curve = curve(joints);
      break;
    }
    if (close) {
      tighten(0);
      flown_ = flows(joints, tolerance_, false);
      continue;
    }
    if (out.iterations == bounds_.max_iterations) {
      out.status = IterationStatus::kMaxIterations;
      break;
    }
    const bool stepped = derivative_ != Derivative::kNone && damped_step(joints);
    if (context_.should_stop()) {
      flown_.status = FlowStatus::kStopped;
      break;
    }
    if (stepped) ++out.iterations;
    const bool refused = !stepped && derivative_ != Derivative::kKept;
    if (refused && exact()) {
      out.status = IterationStatus::kStalled;
      break;
    }
    // What a coarse flow refuses with its own derivative, it may refuse for its errors.
    tighten(refused ? 0 : out.miss);
    if (!stepped || derivative_ == Derivative::kNone) linearise(joints);
  }
  return ended(std::move(out), std::move(joints));
}

// The segments one after the other; what each misses is spread linearly over it.
Curve Shooting::curve(const Joints& joints) const {
  const auto m = static_cast<Eigen::Index>(flown_.segments.size());
  Eigen::Index nodes = 1;
  for (const GeodesicFlow& flow : flown_.segments) nodes += flow.path.pieces();
  Vector t(nodes);
  Matrix positions(n_, nodes), velocities(n_, nodes), accelerations(n_, nodes);
  const auto scale = static_cast<double>(m);
  Eigen::Index start = 0;
  for (Eigen::Index i = 0; i < m; ++i) {
    const Curve& path = flown_.segments[static_cast<std::size_t>(i)].path;
    const Eigen::Index count = path.times().size();
    const Vector miss = flown_.gaps.col(2 * i);
    t.segment(start, count) = (path.times().array() + static_cast<double>(i)) / scale;
    positions.middleCols(start, count) = path.positions() + miss * path.times().transpose();
    velocities.middleCols(start, count) = scale * (path.velocities().colwise() + miss);
    accelerations.middleCols(start, count) = scale * scale * path.accelerations();
    start += count - 1;
  }
  t(nodes - 1) = 1;
  positions.col(0) = joints.positions.col(0);
  positions.col(nodes - 1) = target_;
  return {std::move(t), std::move(positions), std::move(velocities), std::move(accelerations)};
}

}  // namespace

Joints joints_on(const Curve& curve, int segments) {
  Vector t(segments);
  for (int i = 0; i < segments; ++i) t(i) = static_cast<double>(i) / segments;
  return {curve.position(t), curve.velocity(t) / segments};
}

Shot shoot(const Manifold& manifold, Joints joints, const ConstVectorRef& target, const ShootingBounds& bounds,
           int first_iteration, SolveContext& context) {
  return Shooting(manifold, target, bounds, context).run(std::move(joints), first_iteration);
}

}  // namespace pullback
