#include "pullback/plugins/fixed_point/acceleration_process.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "pullback/manifold/curves/curve.h"

namespace pullback {
namespace {

// Variances of what is observed, as published.
constexpr double kAccelerationNoise = 1e-4 * 1e-4;
constexpr double kEndNoise = 1e-10;

// ∂ᵐ⁺ⁿ k/∂sᵐ∂tⁿ = (−1)ᵐ ℓ^−(m+n) He_{m+n}((s−t)/ℓ) k, He the probabilists' Hermite polynomials.
double kernel(double s, double t, int m, int n, double length_scale) {
  const double x = (s - t) / length_scale;
  double before = 0;
  double hermite = 1;
  for (int k = 0; k < m + n; ++k) {
    const double next = x * hermite - k * before;
    before = hermite;
    hermite = next;
  }
  return (m % 2 == 0 ? 1 : -1) * hermite * std::exp(-0.5 * x * x) / std::pow(length_scale, m + n);
}

}  // namespace

AccelerationProcess::AccelerationProcess(int points) : times_(uniform_times(std::max(points, 2))) {
  if (points < 3) throw std::invalid_argument("AccelerationProcess: at least 3 points are needed");
  const Eigen::Index N = points;
  length_scale_ = std::sqrt(0.5 / (points - 1));
  scale_ = Vector::Ones(N + 2);
  scale_.head(N).setConstant(length_scale_ * length_scale_ / std::sqrt(3.0));
  Matrix gram(N + 2, N + 2);
  gram.topRows(N) = scale_(0) * covariance(times_, 2);
  gram.bottomRows(2) = covariance(Vector{{0.0, 1.0}}, 0);
  gram.diagonal().head(N).array() += kAccelerationNoise * scale_(0) * scale_(0);
  gram.diagonal().tail(2).array() += kEndNoise;
  gram_.compute(gram);
  position_map_ = gram_.solve(covariance(times_, 0).transpose()).topRows(N) * scale_(0);
  velocity_map_ = gram_.solve(covariance(times_, 1).transpose()).topRows(N) * scale_(0);
  position_map_.col(0).setZero();
  position_map_.col(N - 1).setZero();
}

// Of a derivative of c at t with the observations, these scaled: K×(N+2).
Matrix AccelerationProcess::covariance(const ConstVectorRef& t, int derivative) const {
  const Eigen::Index N = times_.size();
  Matrix out(t.size(), N + 2);
  for (Eigen::Index i = 0; i < t.size(); ++i) {
    for (Eigen::Index j = 0; j < N; ++j) {
      out(i, j) = scale_(j) * kernel(t(i), times_(j), derivative, 2, length_scale_);
    }
    out(i, N) = kernel(t(i), 0, derivative, 0, length_scale_);
    out(i, N + 1) = kernel(t(i), 1, derivative, 0, length_scale_);
  }
  return out;
}

Matrix AccelerationProcess::positions(const ConstMatrixRef& A, const ConstVectorRef& from,
                                      const ConstVectorRef& to) const {
  Matrix out = from.replicate(1, times_.size()) + (to - from) * times_.transpose() + A * position_map_;
  out.col(0) = from;
  out.rightCols(1) = to;
  return out;
}

Matrix AccelerationProcess::velocities(const ConstMatrixRef& A, const ConstVectorRef& from,
                                       const ConstVectorRef& to) const {
  return (to - from).replicate(1, times_.size()) + A * velocity_map_;
}

Matrix AccelerationProcess::accelerations(const ConstMatrixRef& A, const ConstVectorRef& t) const {
  Matrix observed = Matrix::Zero(times_.size() + 2, A.rows());
  observed.topRows(times_.size()) = scale_(0) * A.transpose();
  return (covariance(t, 2) * gram_.solve(observed)).transpose();
}

}  // namespace pullback
