#include "pullback/manifold/fields/volume_variation.h"

#include <fmt/format.h>

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace pullback {

namespace {

constexpr Eigen::Index kBatch = 128;  // points evaluated at a time
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void validate(const Manifold& manifold, const ConstMatrixRef& Z, const ConstMatrixRef& D) {
  const int n = manifold.dimension();
  if (Z.rows() != n || D.rows() != n || D.cols() < 1 || D.cols() > n) {
    throw std::invalid_argument(fmt::format("expected points and 1 to {} steps of dimension {}, got {}×{} and {}×{}", n,
                                            n, Z.rows(), Z.cols(), D.rows(), D.cols()));
  }
}

// The factors of a few points times D, n×(mK).
Matrix factors_along(const Manifold& manifold, const ConstMatrixRef& Z, const ConstMatrixRef& D, Workspace& ws) {
  const Eigen::Index n = Z.rows();
  const Eigen::Index m = D.cols();
  Matrix R(n, n * Z.cols());
  manifold.factor(Z, R, ws);
  Matrix along(n, m * Z.cols());
  for (Eigen::Index k = 0; k < Z.cols(); ++k) along.middleCols(m * k, m) = R.middleCols(n * k, n) * D;
  return along;
}

Vector block_singular_values(const ConstMatrixRef& block) {
  if (!block.allFinite()) return Vector::Constant(block.cols(), kNan);
  return Eigen::JacobiSVD<Matrix>(block).singularValues();
}

// The points z ± step/2 · D v_i for every z and principal direction v_i: n×(2mK).
Matrix stencil(const ConstMatrixRef& Z, const ConstMatrixRef& along, const ConstMatrixRef& D, double step) {
  const Eigen::Index m = D.cols();
  Matrix points(Z.rows(), 2 * m * Z.cols());
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    const auto block = along.middleCols(m * k, m);
    const Matrix V =
        block.allFinite() ? Eigen::JacobiSVD<Matrix>(block, Eigen::ComputeThinV).matrixV() : Matrix::Identity(m, m);
    const Matrix half_steps = step / 2 * D * V;
    points.middleCols(2 * m * k, m) = half_steps.colwise() + Z.col(k);
    points.middleCols(2 * m * k + m, m) = (-half_steps).colwise() + Z.col(k);
  }
  return points;
}

}  // namespace

Matrix singular_values_along(const Manifold& manifold, const ConstMatrixRef& Z, const ConstMatrixRef& D,
                             Workspace& ws) {
  validate(manifold, Z, D);
  const Eigen::Index m = D.cols();
  Matrix values(m, Z.cols());
  for (Eigen::Index first = 0; first < Z.cols(); first += kBatch) {
    const Eigen::Index count = std::min(kBatch, Z.cols() - first);
    const Matrix along = factors_along(manifold, Z.middleCols(first, count), D, ws);
    for (Eigen::Index k = 0; k < count; ++k) {
      values.col(first + k) = block_singular_values(along.middleCols(m * k, m));
    }
  }
  return values;
}

Vector volume_variation(const Manifold& manifold, const ConstMatrixRef& Z, const ConstMatrixRef& D, Workspace& ws,
                        double step) {
  validate(manifold, Z, D);
  if (!(step > 0)) throw std::invalid_argument(fmt::format("expected a positive step, got {}", step));
  const Eigen::Index m = D.cols();
  const Eigen::Index batch = std::max<Eigen::Index>(1, kBatch / (2 * m));
  Vector variation(Z.cols());
  for (Eigen::Index first = 0; first < Z.cols(); first += batch) {
    const auto points = Z.middleCols(first, std::min(batch, Z.cols() - first));
    const Matrix around = stencil(points, factors_along(manifold, points, D, ws), D, step);
    const Matrix sigma = singular_values_along(manifold, around, D, ws);
    const Vector log_det = 2 * sigma.array().log().colwise().sum().transpose();
    for (Eigen::Index k = 0; k < points.cols(); ++k) {
      const Vector slope = (log_det.segment(2 * m * k, m) - log_det.segment(2 * m * k + m, m)) / step;
      variation(first + k) = slope.allFinite() ? slope.norm() : kNan;
    }
  }
  return variation;
}

}  // namespace pullback
