#include "pullback/plugins/wavefront/box.h"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <limits>

#include "pullback/base/stop.h"
#include "pullback/manifold/metrics/whitened_chart.h"

namespace pullback {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Paths longer than the best by this factor are out of the question, on a coarse grid.
constexpr double kSlack = 1.3;
// Cells left around what is cut out.
constexpr int kRim = 2;
constexpr int kFewestNodes = 4;                     // along an axis
constexpr std::int64_t kNodesBetweenAsking = 1024;  // whether to stop

// An orthogonal matrix whose first column is along the direction.
Matrix frame_along(const Vector& direction) {
  const Eigen::Index n = direction.size();
  Matrix start(n, n + 1);
  start << direction, Matrix::Identity(n, n);
  Matrix Q = Eigen::HouseholderQR<Matrix>(start.leftCols(1)).householderQ();
  if (Q.col(0).dot(direction) < 0) Q.col(0) = -Q.col(0);
  return Q;
}

bool on_side(const BoxGrid& box, const Eigen::VectorXi& indices, int axis, int side) {
  return indices(axis) == (side == 0 ? 0 : box.counts(axis) - 1);
}

// What nodes may lie on a path that is not out of the question, in indices.
Bounds reach(const Fronts& fronts) {
  const BoxGrid& box = fronts.grid->box();
  const int n = box.dimension();
  Bounds out{Vector::Constant(n, kInfinity), Vector::Constant(n, -kInfinity)};
  for (std::int64_t node = 0; node < box.size(); ++node) {
    if (node % kNodesBetweenAsking == 0) throw_if_stopped();
    if (!(fronts.from->values()(node) + fronts.to->values()(node) <= kSlack * fronts.distance)) continue;
    const Vector x = box.indices(node).cast<double>();
    out.lower = out.lower.cwiseMin(x);
    out.upper = out.upper.cwiseMax(x);
  }
  return out;
}

Bounds cut(const Fronts& fronts, const BoxChart& chart, const Bounds& bounds) {
  const BoxGrid& box = fronts.grid->box();
  const Bounds indices = reach(fronts);
  if (!indices.lower.allFinite()) return bounds;
  const Vector rim = Vector::Constant(box.dimension(), kRim);
  Bounds out{box.lower + box.spacing * (indices.lower - rim), box.lower + box.spacing * (indices.upper + rim)};
  out.lower = out.lower.cwiseMin(chart.from.cwiseMin(chart.to) - box.spacing * rim).cwiseMax(bounds.lower);
  out.upper = out.upper.cwiseMax(chart.from.cwiseMax(chart.to) + box.spacing * rim).cwiseMin(bounds.upper);
  return out;
}

}  // namespace

BoxChart box_chart(const Manifold& manifold, const Curve& curve, const Vector& from, const Vector& to, Workspace& ws) {
  BoxChart out;
  out.factor = mean_factor(manifold, curve, ws);
  const auto W = out.factor.triangularView<Eigen::Upper>();
  out.axes = frame_along(W * (to - from));
  out.from = out.axes.transpose() * (W * from);
  out.to = out.axes.transpose() * (W * to);
  return out;
}

BoxGrid grid_over(const BoxChart& chart, const Bounds& bounds, double points) {
  const Vector extent = bounds.upper - bounds.lower;
  const auto n = static_cast<double>(extent.size());
  BoxGrid box{chart.factor, chart.axes, bounds.lower, std::pow(extent.prod() / points, 1 / n), {}};
  // The grid covers the box, symmetrically.
  const Vector cells = (extent / box.spacing).array().ceil().max(kFewestNodes - 1);
  box.counts = cells.cast<int>().array() + 1;
  box.lower -= 0.5 * (box.spacing * cells - extent);
  return box;
}

Fronts run_fronts(const GeodesicProblem& problem, const BoxChart& chart, const Bounds& bounds, double points,
                  SolveContext& context) {
  const auto stop = [&context] { return context.should_stop(); };
  Fronts out;
  MetricGridOptions options;
  options.should_stop = stop;
  Workspace& ws = context.workspace();
  out.grid = std::make_shared<const MetricGrid>(*problem.manifold, grid_over(chart, bounds, points), options, ws);
  if (!out.grid->complete()) return out;
  auto from = std::make_shared<const DistanceField>(*problem.manifold, out.grid, problem.from, ws, stop);
  if (!from->complete()) return out;
  auto to = std::make_shared<const DistanceField>(*problem.manifold, out.grid, problem.to, ws, stop);
  if (!to->complete()) return out;
  out.distance = std::min(from->distance(problem.to)(0), to->distance(problem.from)(0));
  out.from = std::move(from);
  out.to = std::move(to);
  return out;
}

Matrix shortest_through_sides(const Fronts& fronts) {
  const BoxGrid& box = fronts.grid->box();
  const int n = box.dimension();
  Matrix from = Matrix::Constant(n, 2, kInfinity);
  Matrix to = from;
  for (std::int64_t node = 0; node < box.size(); ++node) {
    if (node % kNodesBetweenAsking == 0) throw_if_stopped();
    const Eigen::VectorXi indices = box.indices(node);
    for (int axis = 0; axis < n; ++axis) {
      for (int side = 0; side < 2; ++side) {
        if (!on_side(box, indices, axis, side)) continue;
        from(axis, side) = std::min(from(axis, side), fronts.from->values()(node));
        to(axis, side) = std::min(to(axis, side), fronts.to->values()(node));
      }
    }
  }
  // It leaves by one side and comes back by any.
  return (from.array() + to.minCoeff()).min(to.array() + from.minCoeff());
}

ChosenBox choose_box(const GeodesicProblem& problem, const BoxChart& chart, const BoxOptions& options,
                     SolveContext& context) {
  double growth = options.margin * (chart.to - chart.from).norm();
  ChosenBox out;
  out.bounds = {chart.from.cwiseMin(chart.to).array() - growth, chart.from.cwiseMax(chart.to).array() + growth};
  for (int round = 0;; ++round) {
    const Fronts fronts = run_fronts(problem, chart, out.bounds, options.points, context);
    out.stopped = !fronts;
    if (out.stopped) return out;
    const bool joined = fronts.distance < kInfinity;
    const Matrix through = shortest_through_sides(fronts);
    const bool grow = !joined || (through.array() < fronts.distance).any();
    out.closed = !grow;
    if (!grow || round == options.enlargements) {
      if (joined) out.bounds = cut(fronts, chart, out.bounds);
      return out;
    }
    for (Eigen::Index axis = 0; axis < through.rows(); ++axis) {
      if (!joined || through(axis, 0) < fronts.distance) out.bounds.lower(axis) -= growth;
      if (!joined || through(axis, 1) < fronts.distance) out.bounds.upper(axis) += growth;
    }
    growth *= 2;
  }
}

}  // namespace pullback
