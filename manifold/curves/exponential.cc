#include "pullback/manifold/curves/exponential.h"

#include <algorithm>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <cmath>
#include <exception>
#include <functional>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "pullback/base/error.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

// y, ẏ, then δy_j, δẏ_j of every variation, n numbers each, in the whitened chart y = R (z − z_0).
using State = std::vector<double>;
using ConstBlock = Eigen::Map<const Matrix>;
using Block = Eigen::Map<Matrix>;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
// A step covers at most this share of the geodesic: where the error estimate happens to vanish (a geodesic that is a
// chart line), the variations and the pieces of the curve still need nodes.
constexpr double kLongestStep = 1.0 / 8;
constexpr double kShortestStep = 1e-14;

// The linear change of chart that makes the metric at the start the identity, and what rounding allows in it.
struct WhitenedChart {
  WhitenedChart(const Manifold& manifold, const ConstVectorRef& z, const ConstVectorRef& v, Workspace& ws)
      : origin(z), R(z.size(), z.size()) {
    manifold.factor(z, R, ws);
    finite = R.allFinite();
    if (!finite) return;
    floor_diagonal(R);
    speed = (R * v).norm();
    noise = std::max(kEpsilon, kEpsilon * (R * z.cwiseAbs().asDiagonal()).norm() / speed);
  }
  Matrix unwhiten(const Eigen::Ref<const Matrix>& y) const { return R.triangularView<Eigen::Upper>().solve(y); }

  Vector origin;
  Matrix R;
  bool finite = false;
  double speed = 0;  // metric norm of the initial velocity: the length of the geodesic
  double noise = 0;  // rounding of the coordinates, as a distance relative to `speed`
};

// The geodesic equation and, for `variations` > 0, its linearisation along the flow.
class GeodesicSystem {
 public:
  GeodesicSystem(const Manifold& manifold, const WhitenedChart& chart, int variations, Workspace& ws)
      : manifold_(manifold), chart_(chart), variations_(variations), ws_(ws), step_(std::cbrt(chart.noise)) {
    const Eigen::Index points = 1 + 2 * variations;
    positions_.resize(manifold.dimension(), points);
    velocities_.resize(manifold.dimension(), points);
    accelerations_.resize(manifold.dimension(), points);
  }

  void operator()(const State& state, State& derivative, double /*t*/) {
    const Eigen::Index n = manifold_.dimension();
    const ConstBlock x(state.data(), n, 2 + 2 * variations_);
    Block dx(derivative.data(), n, 2 + 2 * variations_);
    place(x);
    try {
      manifold_.acceleration(positions_, velocities_, accelerations_, ws_);
    } catch (...) {  // a user's metric may throw; it does not pass through the integrator
      error = std::current_exception();
      accelerations_.setConstant(std::numeric_limits<double>::quiet_NaN());
    }
    accelerations_ = (chart_.R.triangularView<Eigen::Upper>() * accelerations_).eval();
    dx.col(0) = x.col(1);
    dx.col(1) = accelerations_.col(0);
    for (Eigen::Index j = 0; j < variations_; ++j) {
      dx.col(2 + 2 * j) = x.col(3 + 2 * j);
      dx.col(3 + 2 * j) = (accelerations_.col(1 + 2 * j) - accelerations_.col(2 + 2 * j)) / (2 * difference(x, j));
    }
  }

  std::exception_ptr error;

 private:
  // Difference step along variation j: its larger part moves by ε^(1/3) of the length, ε the rounding of coordinates.
  double difference(const ConstBlock& x, Eigen::Index j) const {
    const double size = std::max(x.col(2 + 2 * j).norm(), x.col(3 + 2 * j).norm());
    return step_ * chart_.speed / std::max(size, std::numeric_limits<double>::min());
  }

  // The point and velocity, and both moved to either side along each variation, in the manifold's own chart.
  void place(const ConstBlock& x) {
    positions_.col(0) = x.col(0);
    velocities_.col(0) = x.col(1);
    for (Eigen::Index j = 0; j < variations_; ++j) {
      const double h = difference(x, j);
      positions_.col(1 + 2 * j) = x.col(0) + h * x.col(2 + 2 * j);
      positions_.col(2 + 2 * j) = x.col(0) - h * x.col(2 + 2 * j);
      velocities_.col(1 + 2 * j) = x.col(1) + h * x.col(3 + 2 * j);
      velocities_.col(2 + 2 * j) = x.col(1) - h * x.col(3 + 2 * j);
    }
    const auto R = chart_.R.triangularView<Eigen::Upper>();
    R.solveInPlace(positions_);
    R.solveInPlace(velocities_);
    positions_.colwise() += chart_.origin;
  }

  const Manifold& manifold_;
  const WhitenedChart& chart_;
  Eigen::Index variations_;
  Workspace& ws_;
  double step_;
  Matrix positions_, velocities_, accelerations_;
};

// What Odeint asks whether a step may be accepted: the estimated error over the tolerance.
class MetricErrorChecker {
 public:
  MetricErrorChecker(const WhitenedChart& chart, double tolerance, const Matrix& local)
      : chart_(chart), local_(local), tolerance_(std::max(tolerance, chart.noise)) {
    // The difference quotients of the variational equation carry rounding of ε^(2/3).
    variation_tolerance_ = std::max({100 * tolerance_, 1e-8, std::pow(chart.noise, 2.0 / 3)});
  }

  template <class Algebra>
  double error(Algebra& /*algebra*/, const State& old, const State& /*derivative*/, State& estimate,
               double /*dt*/) const {
    const Eigen::Index n = chart_.R.rows();
    const auto columns = static_cast<Eigen::Index>(old.size()) / n;
    const ConstBlock x(old.data(), n, columns);
    const ConstBlock e(estimate.data(), n, columns);
    double worst = norm(e.leftCols(2)) / (chart_.speed * tolerance_);
    for (Eigen::Index j = 2; j < columns; j += 2) {
      const double size = std::max(1.0, norm(x.middleCols(j, 2)));
      worst = std::max(worst, norm(e.middleCols(j, 2)) / (size * variation_tolerance_));
      if (std::isnan(norm(e.middleCols(j, 2)))) worst = kRefuse;
    }
    return std::isfinite(worst) ? worst : kRefuse;
  }

 private:
  static constexpr double kRefuse = 1e10;

  // The larger of the metrics at the start and at the last node: the one that matters more where they differ.
  double norm(const Eigen::Ref<const Matrix>& columns) const {
    return std::max(columns.norm(), (local_ * chart_.unwhiten(columns)).norm());
  }

  const WhitenedChart& chart_;
  const Matrix& local_;  // the factor R at the last node
  double tolerance_;
  double variation_tolerance_ = 0;
};

// The nodes of the path so far.
struct Path {
  std::vector<double> times, positions, velocities, accelerations;

  void add(double t, const Eigen::Ref<const Vector>& z, const Eigen::Ref<const Vector>& v,
           const Eigen::Ref<const Vector>& a) {
    times.push_back(t);
    positions.insert(positions.end(), z.begin(), z.end());
    velocities.insert(velocities.end(), v.begin(), v.end());
    accelerations.insert(accelerations.end(), a.begin(), a.end());
  }

  Curve curve(Eigen::Index n) const {
    const auto count = static_cast<Eigen::Index>(times.size());
    return {Eigen::Map<const Vector>(times.data(), count), ConstBlock(positions.data(), n, count),
            ConstBlock(velocities.data(), n, count), ConstBlock(accelerations.data(), n, count)};
  }
};

class Integrator {
 public:
  Integrator(const Manifold& manifold, const WhitenedChart& chart, const ConstVectorRef& v, int variations,
             const ExponentialOptions& options, Workspace& ws)
      : manifold_(manifold),
        chart_(chart),
        options_(options),
        ws_(ws),
        n_(manifold.dimension()),
        local_(chart.R),
        velocity_(v),
        system_(manifold, chart, variations, ws),
        state_(2 * n_ * (1 + variations), 0.0),
        derivative_(state_.size(), 0.0) {
    Block x(state_.data(), n_, 2 + 2 * variations);
    x.col(1) = chart.R.triangularView<Eigen::Upper>() * v;
    for (Eigen::Index j = 0; j < variations; ++j) x(j % n_, j < n_ ? 2 + 2 * j : 3 + 2 * j) = 1;
  }

  FlowStatus run() {
    using Stepper = boost::numeric::odeint::runge_kutta_dopri5<State>;
    using Controlled = boost::numeric::odeint::controlled_runge_kutta<Stepper, MetricErrorChecker>;
    Controlled stepper(MetricErrorChecker(chart_, options_.tolerance, local_));
    evaluate_start();
    double t = 0;
    double dt = first_step();
    if (!std::isfinite(dt)) return FlowStatus::kNotFinite;
    for (int tries = 0; t < 1; ++tries) {
      if (options_.should_stop && options_.should_stop()) return FlowStatus::kStopped;
      if (tries == options_.max_steps) return FlowStatus::kTooManySteps;
      if (dt < kShortestStep) return FlowStatus::kNotFinite;
      dt = fitted(dt, 1 - t);
      const bool accepted = stepper.try_step(std::ref(system_), state_, derivative_, t, dt) ==
                            boost::numeric::odeint::controlled_step_result::success;
      if (system_.error) std::rethrow_exception(system_.error);
      if (!accepted) continue;
      if (1 - t < kShortestStep) t = 1;
      if (!add_node(t)) return FlowStatus::kNotFinite;
    }
    return FlowStatus::kComplete;
  }

  const Path& path() const { return path_; }

  // ∂(c, ċ)(1)/∂(c, ċ)(0) in the manifold's chart.
  Matrix sensitivity() const {
    const auto R = chart_.R.triangularView<Eigen::Upper>();
    Matrix S(2 * n_, 2 * n_);
    for (Eigen::Index j = 0; j < 2 * n_; ++j) {
      S.col(j).head(n_) = column(state_, 2 + 2 * j);
      S.col(j).tail(n_) = column(state_, 3 + 2 * j);
    }
    for (const Eigen::Index i : {Eigen::Index{0}, n_}) {
      S.middleRows(i, n_) = R.solve(S.middleRows(i, n_)).eval();
      S.middleCols(i, n_) = (S.middleCols(i, n_) * R).eval();
    }
    return S;
  }

 private:
  Eigen::Map<const Vector> column(const State& state, Eigen::Index j) const { return {state.data() + n_ * j, n_}; }

  void evaluate_start() {
    system_(state_, derivative_, 0);
    if (system_.error) std::rethrow_exception(system_.error);
    path_.add(0, chart_.origin, velocity_, chart_.unwhiten(column(derivative_, 1)));
  }

  // The step over which the acceleration turns the velocity by about the fifth root of the tolerance.
  double first_step() const {
    const double turn = column(derivative_, 1).norm() / chart_.speed;
    const double step = std::pow(std::max(options_.tolerance, kEpsilon), 0.2) / std::max(1.0, turn);
    return std::isfinite(turn) ? std::min(step, kLongestStep) : turn;
  }

  // No longer than allowed, and such that no sliver is left before the end.
  static double fitted(double dt, double rest) {
    dt = std::min(dt, kLongestStep);
    if (dt >= rest) return rest;
    return 2 * dt > rest ? rest / 2 : dt;
  }

  bool add_node(double t) {
    const Vector z = chart_.origin + chart_.unwhiten(column(state_, 0));
    path_.add(t, z, chart_.unwhiten(column(state_, 1)), chart_.unwhiten(column(derivative_, 1)));
    manifold_.factor(z, local_, ws_);
    return local_.allFinite();
  }

  const Manifold& manifold_;
  const WhitenedChart& chart_;
  const ExponentialOptions& options_;
  Workspace& ws_;
  Eigen::Index n_;
  Matrix local_;
  Vector velocity_;
  GeodesicSystem system_;
  State state_;
  State derivative_;
  Path path_;
};

void validate(const Manifold& manifold, const ConstVectorRef& z, const ConstVectorRef& v) {
  const int n = manifold.dimension();
  if (z.size() != n || v.size() != n) {
    throw std::invalid_argument("exponential map: expected a point and a velocity of " + std::to_string(n) +
                                " coordinates, got " + std::to_string(z.size()) + " and " + std::to_string(v.size()));
  }
  if (!z.allFinite()) throw std::invalid_argument("exponential map: a coordinate of the point is not finite");
  if (!v.allFinite()) throw std::invalid_argument("exponential map: a coordinate of the velocity is not finite");
}

// The geodesic of velocity zero. A geodesic's acceleration is quadratic in the velocity, so that to first order its
// neighbours are straight.
GeodesicFlow constant_flow(const ConstVectorRef& z, bool sensitivities) {
  const Eigen::Index n = z.size();
  GeodesicFlow flow;
  const Matrix zero = Matrix::Zero(n, 2);
  flow.path = Curve(Vector::LinSpaced(2, 0, 1), z.replicate(1, 2), zero, zero);
  flow.end_position = z;
  flow.end_velocity = Vector::Zero(n);
  if (sensitivities) {
    flow.sensitivity.setIdentity(2 * n, 2 * n);
    flow.sensitivity.topRightCorner(n, n).setIdentity();
  }
  return flow;
}

}  // namespace

const char* to_string(FlowStatus status) {
  switch (status) {
    case FlowStatus::kComplete:
      return "complete";
    case FlowStatus::kTooManySteps:
      return "too_many_steps";
    case FlowStatus::kNotFinite:
      return "not_finite";
    case FlowStatus::kStopped:
      return "stopped";
  }
  return "unknown";
}

GeodesicFlow exponential_flow(const Manifold& manifold, const ConstVectorRef& z, const ConstVectorRef& v, Workspace& ws,
                              const ExponentialOptions& options, bool sensitivities) {
  validate(manifold, z, v);
  if (v.isZero(0)) return constant_flow(z, sensitivities);
  GeodesicFlow flow;
  const WhitenedChart chart(manifold, z, v, ws);
  if (!chart.finite) {
    flow.status = FlowStatus::kNotFinite;
    return flow;
  }
  const int n = manifold.dimension();
  Integrator integrator(manifold, chart, v, sensitivities ? 2 * n : 0, options, ws);
  flow.status = integrator.run();
  if (flow.status != FlowStatus::kComplete) return flow;
  flow.path = integrator.path().curve(n);
  flow.end_position = flow.path.positions().rightCols(1);
  flow.end_velocity = flow.path.velocities().rightCols(1);
  if (sensitivities) flow.sensitivity = integrator.sensitivity();
  return flow;
}

Vector exponential_map(const Manifold& manifold, const ConstVectorRef& z, const ConstVectorRef& v,
                       const ExponentialOptions& options) {
  Workspace ws;
  GeodesicFlow flow = exponential_flow(manifold, z, v, ws, options);
  switch (flow.status) {
    case FlowStatus::kComplete:
      return std::move(flow.end_position);
    case FlowStatus::kTooManySteps:
      throw Error("exponential map: the geodesic is not complete after " + std::to_string(options.max_steps) +
                  " steps: raise max_steps or the tolerance");
    case FlowStatus::kStopped:
      throw Error("exponential map: stopped by the caller");
    case FlowStatus::kNotFinite:
      break;
  }
  throw Error("exponential map: the geodesic reaches a point where the metric is singular or not finite");
}

}  // namespace pullback
