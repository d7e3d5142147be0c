#include "pullback/manifold/fields/distance_field.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "pullback/manifold/fields/marching.h"

namespace pullback {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Nodes as near to the source as this many cells, or as the stencil at the source reaches if that is more (up to the
// second number), start with the cone's values.
constexpr double kSeeded = 3;
constexpr double kMostSeeded = 8;
// A path's steps, in cells.
constexpr double kStep = 0.5;
// A step that lowers u by less than this fraction of what the velocity promises is not taken.
constexpr double kProgress = 0.25;

// The corners of the cell of x with their weights in multilinear interpolation.
struct Cell {
  std::int64_t nodes[8];
  double weights[8];
  int count = 0;
};

// False: x is outside the box.
bool find_cell(const BoxGrid& box, const ConstVectorRef& x, Cell& out) {
  const int n = box.dimension();
  Eigen::VectorXi corner(n);
  Vector fraction(n);
  for (int k = 0; k < n; ++k) {
    if (!(x(k) >= 0 && x(k) <= box.counts(k) - 1)) return false;
    corner(k) = std::min(static_cast<int>(x(k)), box.counts(k) - 2);
    fraction(k) = x(k) - corner(k);
  }
  for (int mask = 0; mask < (1 << n); ++mask) {
    Eigen::VectorXi indices = corner;
    double weight = 1;
    for (int k = 0; k < n; ++k) {
      const int up = (mask >> k) & 1;
      indices(k) += up;
      weight *= up == 1 ? fraction(k) : 1 - fraction(k);
    }
    out.nodes[mask] = box.node(indices);
    out.weights[mask] = weight;
  }
  out.count = 1 << n;
  return true;
}

double seed_radius(const BoxGrid& box, const MetricGrid& grid, const Vector& source) {
  double reach = kSeeded;
  Cell cell;
  if (!find_cell(box, source, cell)) return reach;
  for (int i = 0; i < cell.count; ++i) {
    for (int t = 0; t < grid.terms(); ++t) {
      const std::int16_t* e = grid.offset(cell.nodes[i], t);
      double square = 0;
      for (int k = 0; k < box.dimension(); ++k) square += static_cast<double>(e[k]) * e[k];
      reach = std::max(reach, std::sqrt(square));
    }
  }
  return std::min(reach, kMostSeeded);
}

}  // namespace

DistanceField::DistanceField(const Manifold& manifold, std::shared_ptr<const MetricGrid> grid,
                             const ConstVectorRef& source, Workspace& ws, const std::function<bool()>& should_stop)
    : grid_(std::move(grid)) {
  if (grid_ == nullptr || !grid_->complete()) throw std::invalid_argument("a distance field needs a complete grid");
  const BoxGrid& box = grid_->box();
  if (source.size() != box.dimension()) {
    throw std::invalid_argument("a distance field's source must have the grid's dimension");
  }
  source_ = box.continuous_indices(source);
  root_ = grid_->roots(manifold, source, ws) * box.spacing;
  seeded_ = seed_radius(box, *grid_, source_);
  values_ = Vector::Constant(box.size(), kInfinity);
  velocities_ = Matrix::Zero(box.dimension(), box.size());
  complete_ = true;
  if (!root_.allFinite()) return;
  Marching marching(*grid_, source_, root_, seeded_);
  complete_ = marching.run(should_stop);
  values_ = std::move(marching.values);
  velocities_ = std::move(marching.velocities);
}

Vector DistanceField::distance(const ConstMatrixRef& Z) const {
  const Matrix X = grid_->box().continuous_indices(Z);
  Vector out(Z.cols());
  for (Eigen::Index k = 0; k < Z.cols(); ++k) out(k) = at(X.col(k));
  return out;
}

// u minus the cone is smoother than u, and is what is interpolated.
double DistanceField::at(const ConstVectorRef& x) const {
  Cell cell;
  if (!find_cell(grid_->box(), x, cell)) return kInfinity;
  double sum = 0;
  for (int i = 0; i < cell.count; ++i) {
    if (cell.weights[i] == 0) continue;
    const Vector corner = grid_->box().indices(cell.nodes[i]).cast<double>();
    sum += cell.weights[i] * (values_(cell.nodes[i]) - cone(corner));
  }
  return cone(x) + sum;
}

// False where no velocity is known.
bool DistanceField::velocity(const ConstVectorRef& x, VectorRef v) const {
  Cell cell;
  if (!find_cell(grid_->box(), x, cell)) return false;
  v.setZero();
  for (int i = 0; i < cell.count; ++i) {
    if (values_(cell.nodes[i]) < kInfinity) v += cell.weights[i] * velocities_.col(cell.nodes[i]);
  }
  return v.allFinite() && v.norm() > 0;
}

// One step by the midpoint rule; false when it does not lead down.
bool DistanceField::advance(VectorRef x, double u) const {
  Vector v(x.size());
  if (!velocity(x, v)) return false;
  const Vector middle = x + 0.5 * kStep / v.norm() * v;
  if (!velocity(middle, v)) return false;
  const Vector next = x + kStep / v.norm() * v;
  if (!(at(next) <= u - kProgress * kStep / v.norm())) return false;
  x = next;
  return true;
}

// Where a path that does not get on should go: the lowest node of the cell or, from a node, the lowest in its stencil.
// −1: there is none lower than u.
std::int64_t DistanceField::lower_node(const ConstVectorRef& x, double u) const {
  const BoxGrid& box = grid_->box();
  std::int64_t best = -1;
  const auto consider = [&](std::int64_t node) {
    if (values_(node) < (best < 0 ? u : values_(best))) best = node;
  };
  Cell cell;
  if (!find_cell(box, x, cell)) return -1;
  for (int i = 0; i < cell.count; ++i) consider(cell.nodes[i]);
  for (int i = 0; i < cell.count; ++i) {
    if (cell.weights[i] != 1) continue;
    const Eigen::VectorXi here = box.indices(cell.nodes[i]);
    for (int t = 0; t < grid_->terms(); ++t) {
      const std::int16_t* e = grid_->offset(cell.nodes[i], t);
      for (const int sign : {1, -1}) {
        Eigen::VectorXi there = here;
        for (int k = 0; k < box.dimension(); ++k) there(k) += sign * e[k];
        if (box.contains(there)) consider(box.node(there));
      }
    }
  }
  return best;
}

Matrix DistanceField::path(const ConstVectorRef& z) const {
  const BoxGrid& box = grid_->box();
  Vector x = box.continuous_indices(z);
  std::vector<Vector> visited{x};
  // Each round lowers u, by a node or by a fraction of a step: there are no more rounds than this.
  const std::int64_t most = 16 * box.size() + 1024;
  for (std::int64_t round = 0; (x - source_).norm() > kSeeded && round < most; ++round) {
    const double u = at(x);
    if (!(u < kInfinity) || !advance(x, u)) {
      const std::int64_t node = lower_node(x, u);
      if (node < 0) return Matrix(box.dimension(), 0);
      x = box.indices(node).cast<double>();
    }
    visited.push_back(x);
  }
  Matrix out(box.dimension(), static_cast<Eigen::Index>(visited.size()) + 1);
  for (std::size_t i = 0; i < visited.size(); ++i) out.col(static_cast<Eigen::Index>(i)) = visited[i];
  out.rightCols(1) = source_;
  out = box.points(out);
  out.col(0) = z;
  return out;
}

}  // namespace pullback
