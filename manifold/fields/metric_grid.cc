#include "pullback/manifold/fields/metric_grid.h"

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "pullback/base/stop.h"
#include "pullback/manifold/fields/selling.h"

namespace pullback {
namespace {

constexpr std::int64_t kNodesBetweenAsking = 1024;  // whether to stop
// Batches of this many points are fastest.
constexpr Eigen::Index kBatch = 128;
// Offsets are about as long, and are kept in 16 bits.
constexpr double kMostAnisotropic = 1e4;

using SmallMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor, 3, 3>;
using SmallVector = Eigen::Matrix<double, Eigen::Dynamic, 1, Eigen::ColMajor, 3, 1>;

void validate(const Manifold& manifold, const BoxGrid& box, const MetricGridOptions& options) {
  const int n = box.dimension();
  if (n != 2 && n != 3) throw std::invalid_argument(fmt::format("a metric grid has 2 or 3 dimensions, got {}", n));
  if (n != manifold.dimension()) {
    throw std::invalid_argument(
        fmt::format("a grid of {} dimensions does not fit a manifold of {}", n, manifold.dimension()));
  }
  if (box.factor.rows() != n || box.factor.cols() != n || box.axes.rows() != n || box.axes.cols() != n ||
      box.lower.size() != n) {
    throw std::invalid_argument("a grid's factor, axes and lower corner must have its dimension");
  }
  if (!(box.spacing > 0)) throw std::invalid_argument(fmt::format("a grid's spacing must be > 0, got {}", box.spacing));
  if (box.counts.minCoeff() < 2 || box.size() > MetricGrid::kMostNodes) {
    throw std::invalid_argument(
        fmt::format("a grid needs at least 2 nodes along each axis and at most {} in all", MetricGrid::kMostNodes));
  }
  if (!(options.anisotropy >= 1 && options.anisotropy <= kMostAnisotropic)) {
    throw std::invalid_argument(
        fmt::format("a metric grid's anisotropy must be in [1, {}], got {}", kMostAnisotropic, options.anisotropy));
  }
}

// SᵀS + X taken apart, with lengths raised to what keeps them apart from zero and from one another. Squaring is
// harmless here: what it loses is below what is raised.
struct Principal {
  SmallVector lengths;
  SmallMatrix directions;
};
Principal principal(const SmallMatrix& metric, double scale, const MetricGridOptions& options) {
  const Eigen::SelfAdjointEigenSolver<SmallMatrix> eigen(metric);
  const SmallVector lengths = eigen.eigenvalues().cwiseMax(0).cwiseSqrt();
  const double least = std::max(lengths.maxCoeff() / options.anisotropy, options.floor * scale);
  return {lengths.cwiseMax(least), eigen.eigenvectors()};
}

}  // namespace

Eigen::VectorXi BoxGrid::indices(std::int64_t node) const {
  Eigen::VectorXi out(counts.size());
  for (Eigen::Index k = 0; k < counts.size(); ++k) {
    out(k) = static_cast<int>(node % counts(k));
    node /= counts(k);
  }
  return out;
}

std::int64_t BoxGrid::node(const Eigen::Ref<const Eigen::VectorXi>& indices) const {
  std::int64_t out = 0;
  for (Eigen::Index k = counts.size() - 1; k >= 0; --k) out = out * counts(k) + indices(k);
  return out;
}

bool BoxGrid::contains(const Eigen::Ref<const Eigen::VectorXi>& indices) const {
  return (indices.array() >= 0).all() && (indices.array() < counts.array()).all();
}

Matrix BoxGrid::points(const ConstMatrixRef& indices) const {
  const Matrix y = axes * ((spacing * indices).colwise() + lower);
  return factor.triangularView<Eigen::Upper>().solve(y);
}

Matrix BoxGrid::continuous_indices(const ConstMatrixRef& Z) const {
  const Matrix y = factor.triangularView<Eigen::Upper>() * Z;
  return ((axes.transpose() * y).colwise() - lower) / spacing;
}

MetricGrid::MetricGrid(const Manifold& manifold, BoxGrid box, const MetricGridOptions& options, Workspace& ws)
    : box_(std::move(box)), options_(options) {
  validate(manifold, box_, options_);
  const int n = box_.dimension();
  const std::int64_t count = box_.size();
  terms_ = n * (n + 1) / 2;
  Matrix S(n, n * count);
  for (std::int64_t first = 0; first < count; first += kBatch) {
    if (options_.should_stop && options_.should_stop()) return;
    const Eigen::Index batch = std::min<Eigen::Index>(kBatch, count - first);
    Matrix indices(n, batch);
    for (Eigen::Index k = 0; k < batch; ++k) indices.col(k) = box_.indices(first + k).cast<double>();
    S.middleCols(n * first, n * batch) = raw_roots(manifold, box_.points(indices), ws);
  }
  const Matrix chords = chords_along_axes(manifold, ws);
  if (chords.size() == 0) return;
  decompose(S, chords);
  complete_ = true;
}

Matrix MetricGrid::raw_roots(const Manifold& manifold, const ConstMatrixRef& Z, Workspace& ws) const {
  const int n = box_.dimension();
  Matrix R(n, n * Z.cols());
  manifold.factor(Z, R, ws);
  const auto W = box_.factor.triangularView<Eigen::Upper>();
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    auto block = R.middleCols(n * k, n);
    block = W.solve<Eigen::OnTheRight>(block).eval() * box_.axes;
  }
  return R;
}

Matrix MetricGrid::roots(const Manifold& manifold, const ConstMatrixRef& Z, Workspace& ws) const {
  const int n = box_.dimension();
  Matrix S = raw_roots(manifold, Z, ws);
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    auto block = S.middleCols(n * k, n);
    if (!block.allFinite()) continue;
    const Principal at = principal(block.transpose() * block, scale_, options_);
    block = at.lengths.asDiagonal() * at.directions.transpose();
  }
  return S;
}

// The mean chord to both neighbours along each axis, n×K, NaN where one is not finite; empty when stopped.
Matrix MetricGrid::chords_along_axes(const Manifold& manifold, Workspace& ws) const {
  const int n = box_.dimension();
  const std::int64_t count = box_.size();
  Matrix out(n, count);
  for (std::int64_t stride = 1, axis = 0; axis < n; stride *= box_.counts(axis++)) {
    const int length = box_.counts(axis);
    Matrix line(n, length);
    Vector d(length - 1);
    for (std::int64_t first = 0; first < count; ++first) {
      if (first / stride % length != 0) continue;
      if (options_.should_stop && options_.should_stop()) return {};
      for (int i = 0; i < length; ++i) line.col(i) = box_.indices(first + i * stride).cast<double>();
      manifold.chords(box_.points(line), d, ws);
      for (int i = 0; i < length; ++i) {
        out(axis, first + i * stride) = 0.5 * (d(std::max(i - 1, 0)) + d(std::min(i, length - 2)));
      }
    }
  }
  return out;
}

void MetricGrid::decompose(const Matrix& S, const Matrix& chords) {
  const int n = box_.dimension();
  const std::int64_t count = box_.size();
  double sum = 0;
  std::int64_t finite = 0;
  for (std::int64_t k = 0; k < count; ++k) {
    const double square = S.middleCols(n * k, n).squaredNorm();
    if (!std::isfinite(square)) continue;
    sum += square;
    ++finite;
  }
  scale_ = finite > 0 && sum > 0 ? std::sqrt(sum / static_cast<double>(finite)) : 1;

  weights_.setZero(terms_, count);
  offsets_.assign(static_cast<std::size_t>(count * terms_ * n), 0);
  for (std::int64_t k = 0; k < count; ++k) {
    if (k % kNodesBetweenAsking == 0) throw_if_stopped();
    const SmallMatrix block = S.middleCols(n * k, n);
    if (!block.allFinite()) continue;
    SmallMatrix metric = block.transpose() * block;
    for (int axis = 0; axis < n; ++axis) {
      const double chord = chords(axis, k) / box_.spacing;
      if (chord * chord > metric(axis, axis)) metric(axis, axis) = chord * chord;
    }
    const Principal at = principal(metric, scale_, options_);
    const SmallVector speeds = (box_.spacing * at.lengths).cwiseAbs2().cwiseInverse();
    const SmallMatrix D = at.directions * speeds.asDiagonal() * at.directions.transpose();
    const SellingTerms terms = selling_terms(D);
    for (int t = 0; t < terms_; ++t) {
      weights_(t, k) = terms.weights[static_cast<std::size_t>(t)];
      for (int axis = 0; axis < n; ++axis) {
        offsets_[static_cast<std::size_t>((k * terms_ + t) * n + axis)] =
            static_cast<std::int16_t>(terms.offsets[static_cast<std::size_t>(t)][axis]);
      }
    }
  }
}

}  // namespace pullback
