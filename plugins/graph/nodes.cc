#include "pullback/plugins/graph/nodes.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace pullback {
namespace {

// Scattered points lie between this share of the widest distance and all of it.
constexpr double kClosestScatter = 1.0 / 64;

// The root of x^(n+1) = x + 1, whose powers make the additive recurrence of low discrepancy in n dimensions.
double recurrence_base(Eigen::Index n) {
  double x = 2;
  for (int i = 0; i < 60; ++i) x = std::pow(1 + x, 1.0 / static_cast<double>(n + 1));
  return x;
}

// Points of an additive recurrence (Roberts' generalisation of the golden ratio) in the unit cube, shifted at random.
Matrix low_discrepancy(Eigen::Index n, Eigen::Index count, std::mt19937_64& random) {
  std::uniform_real_distribution<double> uniform(0, 1);
  const double base = recurrence_base(n);
  Matrix points(n, count);
  for (Eigen::Index j = 0; j < n; ++j) {
    const double shift = uniform(random);
    const double step = std::pow(base, -static_cast<double>(j + 1));
    for (Eigen::Index k = 0; k < count; ++k) {
      const double x = shift + step * static_cast<double>(k + 1);
      points(j, k) = x - std::floor(x);
    }
  }
  return points;
}

// Points in the chart y = W z.
Matrix sample_in_chart(const Curve& curve, const ConstMatrixRef& W, int count, double margin, std::mt19937_64& random) {
  const Eigen::Index n = curve.dimension();
  const auto chart = W.triangularView<Eigen::Upper>();
  const Matrix ends = chart * curve.position(Vector::LinSpaced(2, 0, 1));
  const Vector extent = (ends.col(1) - ends.col(0)).cwiseAbs();
  const double reach = margin * extent.norm();
  const Eigen::Index boxed = count / 2;
  Matrix points(n, count);

  const Matrix unit = low_discrepancy(n, boxed, random);
  const Vector lowest = ends.rowwise().minCoeff().array() - reach;
  const Vector widths = extent.array() + 2 * reach;
  points.leftCols(boxed) = (widths.asDiagonal() * unit).colwise() + lowest;

  std::uniform_real_distribution<double> uniform(0, 1);
  std::normal_distribution<double> normal;
  const Eigen::Index scattered = count - boxed;
  Vector t(scattered);
  for (double& time : t) time = uniform(random);
  auto around = points.rightCols(scattered);
  around = chart * curve.position(t);
  for (Eigen::Index k = 0; k < scattered; ++k) {
    Vector direction(n);
    for (double& component : direction) component = normal(random);
    const double distance = reach * std::pow(kClosestScatter, uniform(random));
    if (direction.norm() > 0) around.col(k) += distance / direction.norm() * direction;
  }
  return chart.solve(points);
}

}  // namespace

Vector axis_scaling(const Matrix& Z) {
  const Matrix centred = Z.colwise() - Z.rowwise().mean();
  Vector spread = centred.rowwise().norm() / std::sqrt(static_cast<double>(Z.cols()));
  for (double& axis : spread) axis = axis > 0 ? axis : 1;
  return spread.cwiseInverse();
}

Matrix scaled_axes(const Matrix& Z) { return axis_scaling(Z).asDiagonal() * (Z.colwise() - Z.rowwise().mean()); }

Matrix sample_around(const Curve& curve, const ConstMatrixRef& W, const Sampling& sampling) {
  const Eigen::Index n = curve.dimension();
  std::mt19937_64 random(static_cast<std::uint64_t>(sampling.seed));
  const int whitened = sampling.count / 2;
  Matrix points(n, sampling.count);
  points << sample_in_chart(curve, W, whitened, sampling.margin, random),
      sample_in_chart(curve, Matrix::Identity(n, n), sampling.count - whitened, sampling.margin, random);
  return points;
}

}  // namespace pullback
