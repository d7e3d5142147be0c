#include "pullback/manifold/metrics/metric_transforms.h"

#include <fmt/format.h>

#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "pullback/generators/combine/compose.h"
#include "pullback/generators/combine/stack.h"
#include "pullback/manifold/metrics/affine_chart.h"
#include "pullback/manifold/metrics/damped_manifold.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/manifold/metrics/whitened_chart.h"

namespace pullback {
namespace {

using Eigen::Index;
using ManifoldPointer = std::shared_ptr<const Manifold>;

// Where φ leaves 1 and where it joins x: symmetric about 1, so that the smooth step between has the area it needs.
constexpr double kFloorBegin = 0.25;
constexpr double kFloorEnd = 2 - kFloorBegin;

void require(const ManifoldPointer& manifold, const char* what) {
  if (!manifold) throw std::invalid_argument(fmt::format("{}: the manifold is null", what));
}

// The generator of which the manifold is the Euclidean pullback; null for any other manifold, also where it has a
// generator (its ambient metric may be curved).
std::shared_ptr<const Generator> plain_generator(const Manifold& manifold) {
  return dynamic_cast<const PullbackManifold*>(&manifold) != nullptr ? manifold.shared_generator() : nullptr;
}

// A metric given by numbers that is as smooth as the one it is made from.
ManifoldPointer derived(const Manifold& inner, MetricFunction metric) {
  return std::make_shared<MetricManifold>(inner.name(), metric_of_numbers(inner.dimension(), std::move(metric)),
                                          inner.smooth());
}

// The offsets √n Le_i and −√n Le_i as columns.
Matrix cubature_offsets(const Matrix& L) {
  const Index n = L.rows();
  Matrix offsets(n, 2 * n);
  offsets.leftCols(n) = std::sqrt(static_cast<double>(n)) * L;
  offsets.rightCols(n) = -offsets.leftCols(n);
  return offsets;
}

// The mean of M over shifted points, for a metric that no map carries.
MetricFunction mean_over(ManifoldPointer inner, const Matrix& offsets) {
  return [inner = std::move(inner), offsets](const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) {
    Matrix term(M.rows(), M.cols());
    M.setZero();
    for (Index i = 0; i < offsets.cols(); ++i) {
      inner->metric(Matrix(Z.colwise() + offsets.col(i)), term, ws);
      M += term / static_cast<double>(offsets.cols());
    }
  };
}

// One point's metric with its floor, from its factor.
Matrix raise(const Matrix& R, double tau) {
  const Index n = R.rows();
  if (!R.allFinite()) return Matrix::Constant(n, n, std::numeric_limits<double>::quiet_NaN());
  const Eigen::JacobiSVD<Matrix> svd(R, Eigen::ComputeFullV);
  Matrix root = svd.matrixV();
  for (Index i = 0; i < n; ++i) {
    const double ratio = svd.singularValues()(i) / tau;
    root.col(i) *= tau * std::sqrt(floor_function(ratio * ratio));
  }
  return root * root.transpose();
}

}  // namespace

ManifoldPointer in_linear_chart(const ManifoldPointer& manifold, const Matrix& A) {
  require(manifold, "in_linear_chart");
  const int n = manifold->dimension();
  if (A.rows() != n || A.cols() != n || !A.allFinite()) {
    throw std::invalid_argument(
        fmt::format("in_linear_chart: A must be {0}×{0} and finite, got {1}×{2}", n, A.rows(), A.cols()));
  }
  const auto f = plain_generator(*manifold);
  if (!f) return std::make_shared<AffineChart>(manifold, A, Vector::Zero(n));
  return std::make_shared<PullbackManifold>(std::make_shared<AffineInput>(f, A, Vector::Zero(n), f->traits().name));
}

Matrix isometrising_chart(const Manifold& manifold, const ConstMatrixRef& points, Workspace& ws) {
  if (points.rows() != manifold.dimension() || points.cols() < 1) {
    throw std::invalid_argument(fmt::format("isometrising_chart: expected points of dimension {}, got {}×{}",
                                            manifold.dimension(), points.rows(), points.cols()));
  }
  const Eigen::JacobiSVD<Matrix> svd(mean_factor(manifold, points, ws), Eigen::ComputeFullV);
  return svd.matrixV() * svd.singularValues().cwiseInverse().asDiagonal() * svd.matrixV().transpose();
}

ManifoldPointer damped(const ManifoldPointer& manifold, double epsilon) {
  require(manifold, "damped");
  if (!(epsilon >= 0) || !std::isfinite(epsilon)) {
    throw std::invalid_argument(fmt::format("damped: ε must be finite and at least 0, got {}", epsilon));
  }
  const Index n = manifold->dimension();
  const auto f = plain_generator(*manifold);
  if (!f) return std::make_shared<DampedManifold>(manifold, epsilon, Matrix::Identity(n, n));
  // Not the manifold above, whose accelerations come from those of M and so lose digits where M is nearly singular.
  auto flat = std::make_shared<LinearMap>(std::sqrt(epsilon) * Matrix::Identity(n, n));
  return std::make_shared<PullbackManifold>(std::make_shared<Stacked>(
      std::vector<std::shared_ptr<const Generator>>{f, std::move(flat)}, f->traits().stochastic, f->traits().name));
}

ManifoldPointer smoothed(const ManifoldPointer& manifold, const Matrix& L) {
  require(manifold, "smoothed");
  const Index n = manifold->dimension();
  if (L.rows() != n || L.cols() != n || !L.allFinite()) {
    throw std::invalid_argument(
        fmt::format("smoothed: L must be {0}×{0} and finite, got {1}×{2}", n, L.rows(), L.cols()));
  }
  const Matrix offsets = cubature_offsets(L);
  const auto f = plain_generator(*manifold);
  if (const auto* given = dynamic_cast<const MetricManifold*>(manifold.get())) {
    return std::make_shared<MetricManifold>(given->name(), mean_field(given->field(), offsets), given->smooth());
  }
  if (!f) return derived(*manifold, mean_over(manifold, offsets));
  const double weight = 1 / std::sqrt(static_cast<double>(offsets.cols()));
  std::vector<std::shared_ptr<const Generator>> copies;
  for (Index i = 0; i < offsets.cols(); ++i) {
    copies.push_back(std::make_shared<ScaledOutput>(
        std::make_shared<AffineInput>(f, Matrix::Identity(n, n), offsets.col(i)), weight));
  }
  return std::make_shared<PullbackManifold>(
      std::make_shared<Stacked>(std::move(copies), f->traits().stochastic, f->traits().name));
}

double floor_function(double x) {
  if (x <= kFloorBegin) return 1;
  if (x >= kFloorEnd) return x;
  // The integral of the smooth step 6u⁵ − 15u⁴ + 10u³, whose first two derivatives vanish at both ends.
  const double width = kFloorEnd - kFloorBegin;
  const double u = (x - kFloorBegin) / width;
  return 1 + width * u * u * u * u * (u * (u - 3) + 2.5);
}

ManifoldPointer floored(const ManifoldPointer& manifold, double tau) {
  require(manifold, "floored");
  if (!(tau > 0) || !std::isfinite(tau)) {
    throw std::invalid_argument(fmt::format("floored: the floor must be positive and finite, got {}", tau));
  }
  return derived(*manifold, [inner = manifold, tau](const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) {
    const Index n = Z.rows();
    inner->factor(Z, M, ws);
    for (Index k = 0; k < Z.cols(); ++k) M.middleCols(n * k, n) = raise(M.middleCols(n * k, n), tau);
  });
}

LengthFactors length_factors(const Manifold& before, const Manifold& after, const ConstMatrixRef& points,
                             Workspace& ws) {
  const Index n = before.dimension();
  if (after.dimension() != n || points.rows() != n) {
    throw std::invalid_argument(fmt::format("length_factors: dimensions {}, {} and {} of the points must be the same",
                                            n, after.dimension(), points.rows()));
  }
  LengthFactors out{Vector(points.cols()), Vector(points.cols())};
  Matrix R(n, n);
  Matrix S(n, n);
  for (Index k = 0; k < points.cols(); ++k) {
    before.factor(points.col(k), R, ws);
    after.factor(points.col(k), S, ws);
    if (!R.allFinite() || !S.allFinite()) {
      out.smallest(k) = out.largest(k) = std::numeric_limits<double>::quiet_NaN();
      continue;
    }
    // ‖Sv‖/‖Rv‖ has the extremes of S R⁻¹; where R is singular its inverse R S⁻¹ tells the smallest.
    const bool regular = R.diagonal().minCoeff() > 0;
    const auto singular = [](const Matrix& upper, const Matrix& lower) {
      return Matrix(lower.transpose().triangularView<Eigen::Lower>().solve(upper.transpose()))
          .jacobiSvd()
          .singularValues();
    };
    if (regular) {
      const Vector s = singular(S, R);
      out.smallest(k) = s(n - 1);
      out.largest(k) = s(0);
    } else {
      out.largest(k) = std::numeric_limits<double>::infinity();
      out.smallest(k) = S.diagonal().minCoeff() > 0 ? 1 / singular(R, S)(0) : 0;
    }
  }
  return out;
}

}  // namespace pullback
