#include "pullback/manifold/metric_manifold.h"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <Eigen/QR>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "pullback/manifold/whitening.h"

namespace pullback {
namespace {

// Step of fourth-order central differences, relative to the coordinate: balances h⁴ against ε/h.
constexpr double kStep = 7e-4;
// Step of the Hessian's difference in units of the curve's length.
constexpr double kHessianStep = 1e-4;

double coordinate_step(const ConstVectorRef& z, Eigen::Index k) {
  return kStep * (std::abs(z(k)) + 0.1 * z.norm() + 0.01);
}

std::shared_ptr<const Generator> require(std::shared_ptr<const Generator> generator) {
  if (!generator) throw std::invalid_argument("AmbientPullback: the generator is null");
  return generator;
}

Matrix checked_ambient(const AmbientPullback::AmbientMetric& ambient, const ConstVectorRef& x) {
  Matrix G = ambient(x);
  if (G.rows() != x.size() || G.cols() != x.size()) {
    throw std::invalid_argument(
        fmt::format("AmbientPullback: the ambient metric must be {0}×{0}, got {1}×{2}", x.size(), G.rows(), G.cols()));
  }
  return G;
}

// Whitens a row vector over n coordinates: x R⁻¹.
Eigen::RowVectorXd whiten(const Eigen::RowVectorXd& x, const ConstMatrixRef& R) {
  return R.transpose().triangularView<Eigen::Lower>().solve(x.transpose()).transpose();
}

}  // namespace

MetricManifold::MetricManifold(int dimension, std::string name, MetricFunction metric)
    : MetricManifold(dimension, std::move(name), true, nullptr, std::move(metric)) {}

MetricManifold::MetricManifold(int dimension, std::string name, bool smooth, std::shared_ptr<const Generator> generator,
                               MetricFunction metric)
    : Manifold(dimension, std::move(name), smooth, std::move(generator)), metric_(std::move(metric)) {
  if (!metric_) throw std::invalid_argument(fmt::format("MetricManifold '{}': the metric is null", this->name()));
}

void MetricManifold::do_metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const {
  const Eigen::Index n = dimension();
  for (Workspace::Parts parts(ws, Workspace::Kind::kMetric, this, Z.cols()); parts.next();) {
    metric_(Z.middleCols(parts.first(), parts.size()), M.middleCols(n * parts.first(), n * parts.size()), ws);
  }
}

void MetricManifold::metric_derivatives(const ConstMatrixRef& Z, MatrixRef dM, Workspace& ws) const {
  const Eigen::Index n = dimension();
  const Eigen::Index K = Z.cols();
  Workspace::Frame frame(ws);
  auto shifted = frame.matrix(n, K * n);
  auto M = frame.matrix(n, n * n * K);
  dM.setZero();
  for (const int shift : {-2, -1, 1, 2}) {
    const double weight = (shift > 0 ? 1 : -1) * (std::abs(shift) == 1 ? 8.0 : -1.0) / 12;
    for (Eigen::Index p = 0; p < K; ++p) {
      for (Eigen::Index k = 0; k < n; ++k) {
        shifted.col(p * n + k) = Z.col(p);
        shifted(k, p * n + k) += shift * coordinate_step(Z.col(p), k);
      }
    }
    do_metric(shifted, M, ws);
    for (Eigen::Index p = 0; p < K; ++p) {
      for (Eigen::Index k = 0; k < n; ++k) {
        const Eigen::Index block = n * (p * n + k);
        dM.middleCols(block, n) += weight / coordinate_step(Z.col(p), k) * M.middleCols(block, n);
      }
    }
  }
}

void MetricManifold::do_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A,
                                     Workspace& ws) const {
  const Eigen::Index n = dimension();
  const Eigen::Index K = Z.cols();
  Workspace::Frame frame(ws);
  auto dM = frame.matrix(n, n * n * K);
  auto M = frame.matrix(n, n * K);
  metric_derivatives(Z, dM, ws);
  do_metric(Z, M, ws);
  for (Eigen::Index p = 0; p < K; ++p) {
    const Vector v = V.col(p);
    Vector rhs = Vector::Zero(n);
    for (Eigen::Index k = 0; k < n; ++k) {
      const auto derivative = dM.middleCols(n * (p * n + k), n);
      rhs -= v(k) * (derivative * v);
      rhs(k) += 0.5 * v.dot(derivative * v);
    }
    A.col(p) = Matrix(M.middleCols(n * p, n)).completeOrthogonalDecomposition().solve(rhs);
  }
}

void MetricManifold::do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const {
  const Eigen::Index n = dimension();
  const Eigen::Index K = Z.cols() - 1;
  Workspace::Frame frame(ws);
  auto M = frame.matrix(n, n * K);
  const Matrix middle = 0.5 * (Z.leftCols(K) + Z.rightCols(K));
  do_metric(middle, M, ws);
  for (Eigen::Index i = 0; i < K; ++i) {
    const Vector delta = Z.col(i + 1) - Z.col(i);
    d(i) = std::sqrt(delta.dot(M.middleCols(n * i, n) * delta));
  }
}

// Both models are Gauss–Newton with M held fixed.
// e = ½ K δᵀM(m)δ has gradient K(±Mδ + ¼∇(δᵀMδ)). The rows are its Gauss–Newton part K[M −M; −M M] less what lies along
// Mδ, and one row g/√(2e) with residual √(2e), which makes the gradient exact.
void MetricManifold::do_segments(const ConstMatrixRef& Z, HessianModel /*model*/, MatrixRef R, MatrixRef residual,
                                 MatrixRef jacobian, Workspace& ws) const {
  const Eigen::Index n = dimension();
  const Eigen::Index K = Z.cols() - 1;
  const auto scale = static_cast<double>(K);
  factor(Z, R, ws);
  floor_diagonal(R);
  const Matrix middle = 0.5 * (Z.leftCols(K) + Z.rightCols(K));
  Workspace::Frame frame(ws);
  auto L = frame.matrix(n, n * K);
  auto dM = frame.matrix(n, n * n * K);
  factor(middle, L, ws);
  metric_derivatives(middle, dM, ws);
  residual.setZero();
  jacobian.setZero();
  for (Eigen::Index i = 0; i < K; ++i) {
    const Vector delta = Z.col(i + 1) - Z.col(i);
    const Matrix factor_i = L.middleCols(n * i, n);
    Vector u = factor_i * delta;
    const double chord = u.norm();
    if (chord > 0) u /= chord;
    Matrix C = std::sqrt(scale) * (factor_i - u * (u.transpose() * factor_i));
    if (!(chord > 0)) C = std::sqrt(scale) * factor_i;
    Vector slope(n);
    for (Eigen::Index k = 0; k < n; ++k) slope(k) = 0.25 * delta.dot(dM.middleCols(n * (i * n + k), n) * delta);
    const Vector along = factor_i.transpose() * u * chord;
    const auto Ra = R.middleCols(n * i, n);
    const auto Rb = R.middleCols(n * (i + 1), n);
    auto block = jacobian.middleCols(2 * n * i, 2 * n);
    for (Eigen::Index a = 0; a < n; ++a) {
      block.row(a).head(n) = whiten(-C.row(a), Ra);
      block.row(a).tail(n) = whiten(C.row(a), Rb);
    }
    if (!(chord > 0)) continue;
    residual(n, i) = std::sqrt(scale) * chord;
    const double weight = std::sqrt(scale) / chord;
    block.row(n).head(n) = whiten(weight * (slope - along).transpose(), Ra);
    block.row(n).tail(n) = whiten(weight * (slope + along).transpose(), Rb);
  }
}

Matrix MetricManifold::discrete_gradient(const ConstMatrixRef& Z, Eigen::Index stride, Workspace& ws) const {
  const Eigen::Index n = dimension();
  const Eigen::Index chords = Z.cols() - stride;
  const double scale = static_cast<double>(Z.cols() - 1) / static_cast<double>(stride);
  const Matrix middle = 0.5 * (Z.leftCols(chords) + Z.rightCols(chords));
  Matrix M(n, n * chords);
  Matrix dM(n, n * n * chords);
  metric(middle, M, ws);
  metric_derivatives(middle, dM, ws);
  Matrix out = Matrix::Zero(n, Z.cols());
  for (Eigen::Index i = 0; i < chords; ++i) {
    const Vector delta = Z.col(i + stride) - Z.col(i);
    const Vector along = scale * (M.middleCols(n * i, n) * delta);
    Vector slope(n);
    for (Eigen::Index k = 0; k < n; ++k) {
      slope(k) = 0.25 * scale * delta.dot(dM.middleCols(n * (i * n + k), n) * delta);
    }
    out.col(i) += slope - along;
    out.col(i + stride) += slope + along;
  }
  return out;
}

Variation MetricManifold::do_variation(const ConstMatrixRef& Z, Workspace& ws) const {
  const Eigen::Index n = dimension();
  const Eigen::Index K = Z.cols() - 1;
  Variation out;
  out.factor.resize(n, n * (K + 1));
  factor(Z, out.factor, ws);
  Matrix R = out.factor;
  floor_diagonal(R);
  const auto whitened = [&](const Matrix& gradient) {
    Matrix g = gradient.middleCols(1, K - 1);
    for (Eigen::Index i = 0; i < K - 1; ++i) {
      g.col(i) = R.middleCols(n * (i + 1), n).transpose().triangularView<Eigen::Lower>().solve(g.col(i));
    }
    return g;
  };
  // E_K's gradient is −1/K of the acceleration with an error in h²; twice the spacing doubles the factor.
  Matrix gradient = discrete_gradient(Z, 1, ws);
  out.chord_gradient = whitened(gradient);
  const Matrix coarse = discrete_gradient(Z, 2, ws);
  for (Eigen::Index i = 2; i <= K - 2; ++i) gradient.col(i) = (4 * gradient.col(i) - 0.5 * coarse.col(i)) / 3;
  out.gradient = whitened(gradient);
  Vector d(K);
  chords(Z, d, ws);
  out.energy = 0.5 * static_cast<double>(K) * d.squaredNorm();
  const double step = d.sum() > 0 ? kHessianStep * d.sum() : kHessianStep;
  out.hessian.diagonal.setZero(n, n * (K - 1));
  out.hessian.upper.setZero(n, n * (K - 2));
  // A node's gradient is touched by its neighbours alone: every third node moves at once.
  for (Eigen::Index colour = 0; colour < 3; ++colour) {
    for (Eigen::Index a = 0; a < n; ++a) {
      Matrix plus = Z;
      Matrix minus = Z;
      for (Eigen::Index i = 1 + colour; i < K; i += 3) {
        const Vector move =
            step * R.middleCols(n * i, n).triangularView<Eigen::Upper>().solve(Vector(Vector::Unit(n, a)));
        plus.col(i) += move;
        minus.col(i) -= move;
      }
      const Matrix change = whitened(discrete_gradient(plus, 1, ws) - discrete_gradient(minus, 1, ws)) / (2 * step);
      for (Eigen::Index i = 1 + colour; i < K; i += 3) {
        out.hessian.diagonal.col(n * (i - 1) + a) = change.col(i - 1);
        if (i > 1) out.hessian.upper.col(n * (i - 2) + a) = change.col(i - 2);
      }
    }
  }
  return out;
}

AmbientPullback::AmbientPullback(std::shared_ptr<const Generator> generator, AmbientMetric ambient)
    : MetricManifold(require(generator)->latent_dimension(), require(generator)->traits().name, require(generator)->traits().smooth,
                     generator,
                     !ambient ? MetricFunction()
                              : [generator, ambient](const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) {
                                  const Eigen::Index n = Z.rows();
                                  Workspace::Frame frame(ws);
                                  auto X = frame.matrix(generator->ambient_dimension(), Z.cols());
                                  auto J = frame.matrix(generator->ambient_dimension(), n * Z.cols());
                                  generator->value_and_jacobian(Z, X, J, ws);
                                  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
                                    const auto block = J.middleCols(n * k, n);
                                    M.middleCols(n * k, n) = block.transpose() * checked_ambient(ambient, X.col(k)) * block;
                                  }
                                }),
      ambient_(std::move(ambient)) {}

void AmbientPullback::do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto X = frame.matrix(generator()->ambient_dimension(), Z.cols());
  generator()->value(Z, X, ws);
  for (Eigen::Index i = 0; i + 1 < Z.cols(); ++i) {
    const Vector chord = X.col(i + 1) - X.col(i);
    const Vector middle = 0.5 * (X.col(i + 1) + X.col(i));
    d(i) = std::sqrt(chord.dot(checked_ambient(ambient_, middle) * chord));
  }
}

std::shared_ptr<const Manifold> half_plane() {
  return std::make_shared<MetricManifold>(2, "half-plane", [](const ConstMatrixRef& Z, MatrixRef M, Workspace&) {
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      const double y = Z(1, k);
      M.middleCols(2 * k, 2) = (y > 0 ? 1 / (y * y) : std::nan("")) * Matrix::Identity(2, 2);
    }
  });
}

}  // namespace pullback
