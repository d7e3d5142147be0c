#include "pullback/manifold/metrics/gaussian_process_manifold.h"

#include <Eigen/Cholesky>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/manifold/numerics/chord_model.h"
#include "pullback/manifold/numerics/nodal_differences.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

using Eigen::Index;

constexpr Index kBatch = 64;  // points through the embedding at a time

const std::shared_ptr<const GaussianProcess>& require(const std::shared_ptr<const GaussianProcess>& process) {
  if (!process) throw std::invalid_argument("GaussianProcessManifold: the process is null");
  return process;
}

// R⁻ᵀ x for a block R of factors.
template <class Block, class Right>
Matrix unlift(const Block& R, const Right& x) {
  return R.transpose().template triangularView<Eigen::Lower>().solve(Matrix(x));
}

}  // namespace

// A discrete curve with its embedding. The ambient form is ⟨x, y⟩ = x_μ·y_μ − x_ψ·y_ψ; `signed_*` have −ψ, so that it
// is a plain product of a signed and an unsigned vector.
struct GaussianProcessManifold::Nodes {
  Matrix points;
  Matrix embedded;
  Matrix signed_embedded;
  Matrix jacobian;
  Matrix signed_jacobian;
  Index intervals() const { return points.cols() - 1; }
  auto block(const Matrix& J, Index i) const { return J.middleCols(points.rows() * i, points.rows()); }
};

GaussianProcessManifold::GaussianProcessManifold(std::shared_ptr<const GaussianProcess> process)
    : Manifold{require(process)->latent_dimension(), process->traits().name, true},
      process_(std::move(process)),
      prior_(process_->data().lengths.array().square().inverse().matrix().asDiagonal()) {}

GaussianProcessManifold::Nodes GaussianProcessManifold::evaluate(const ConstMatrixRef& Z, Workspace& ws) const {
  const Generator& embedding = *process_->embedding();
  const Index features = embedding.ambient_dimension() - process_->ambient_dimension();
  Nodes at;
  at.points = Z;
  at.embedded.resize(embedding.ambient_dimension(), Z.cols());
  at.jacobian.resize(embedding.ambient_dimension(), Z.rows() * Z.cols());
  embedding.value_and_jacobian(Z, at.embedded, at.jacobian, ws);
  at.signed_embedded = at.embedded;
  at.signed_jacobian = at.jacobian;
  at.signed_embedded.bottomRows(features) *= -1;
  at.signed_jacobian.bottomRows(features) *= -1;
  return at;
}

// E‖f(z_j) − f(z_i)‖².
double GaussianProcessManifold::chord_square(const Nodes& at, Index i, Index j) const {
  const Vector delta = at.points.col(j) - at.points.col(i);
  const double prior = -2 * process_->prior_variance() * std::expm1(-0.5 * delta.dot(prior_ * delta));
  const auto difference = at.embedded.col(j) - at.embedded.col(i);
  return std::max(0.0, difference.dot(at.signed_embedded.col(j) - at.signed_embedded.col(i)) + prior);
}

// E[J(z_i)ᵀ (f(z_j) − f(z_i))].
Vector GaussianProcessManifold::force(const Nodes& at, Index i, Index j) const {
  const Vector delta = prior_ * (at.points.col(j) - at.points.col(i));
  const double kernel = std::exp(-0.5 * delta.dot(at.points.col(j) - at.points.col(i)));
  return at.block(at.jacobian, i).transpose() * (at.signed_embedded.col(j) - at.signed_embedded.col(i)) +
         process_->prior_variance() * kernel * delta;
}

// E[J(z_i)ᵀJ(z_j)].
Matrix GaussianProcessManifold::coupling(const Nodes& at, Index i, Index j) const {
  const Vector delta = prior_ * (at.points.col(j) - at.points.col(i));
  const double kernel = std::exp(-0.5 * delta.dot(at.points.col(j) - at.points.col(i)));
  return at.block(at.jacobian, i).transpose() * at.block(at.signed_jacobian, j) +
         process_->prior_variance() * kernel * (prior_ - delta * delta.transpose());
}

// R⁻ᵀ (Σ_m w_m ∂²f_m) R⁻¹ at the interior nodes, w = K (2f(z_i) − f(z_{i−1}) − f(z_{i+1})); the prior's part of a
// neighbour at δ is K D s² ((k − 1)Λ − k Λδδᵀ Λ).
Matrix GaussianProcessManifold::whitened_curvature(const Nodes& at, const Matrix& R, Workspace& ws) const {
  const Index n = dimension();
  const Index K = at.intervals();
  const auto scale = static_cast<double>(K);
  const Matrix& x = at.signed_embedded;
  const Matrix W = scale * (2 * x.middleCols(1, K - 1) - x.leftCols(K - 1) - x.rightCols(K - 1));
  Matrix H(n, n * (K - 1));
  process_->embedding()->weighted_hessian(at.points.middleCols(1, K - 1), W, H, ws);
  for (Index i = 1; i < K; ++i) {
    auto block = H.middleCols(n * (i - 1), n);
    for (const Index j : {i - 1, i + 1}) {
      const Vector step = at.points.col(j) - at.points.col(i);
      const Vector delta = prior_ * step;
      const double less = std::expm1(-0.5 * delta.dot(step));
      block += scale * process_->prior_variance() * (less * prior_ - (1 + less) * delta * delta.transpose());
    }
    const auto factor = R.middleCols(n * i, n);
    const Matrix half = unlift(factor, block);
    block = unlift(factor, half.transpose());
  }
  return H;
}

void GaussianProcessManifold::do_metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const {
  const Index n = dimension();
  for (Index k = 0; k < Z.cols(); k += kBatch) {
    const Nodes at = evaluate(Z.middleCols(k, std::min(kBatch, Z.cols() - k)), ws);
    for (Index i = 0; i < at.points.cols(); ++i) {
      const Matrix block = coupling(at, i, i);
      M.middleCols(n * (k + i), n) = 0.5 * (block + block.transpose());
    }
  }
}

// M a = −E[Jᵀ d²f[v,v]], to which the prior adds nothing: the third derivatives of its kernel vanish at a point.
void GaussianProcessManifold::do_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A,
                                              Workspace& ws) const {
  const Generator& embedding = *process_->embedding();
  const Index outputs = process_->ambient_dimension();
  const Index n = dimension();
  const Index features = embedding.ambient_dimension() - outputs;
  Workspace::Frame frame(ws);
  auto X = frame.matrix(embedding.ambient_dimension(), Z.cols());
  auto J = frame.matrix(embedding.ambient_dimension(), n * Z.cols());
  auto D = frame.matrix(embedding.ambient_dimension(), Z.cols());
  embedding.second_order(Z, V, X, J, D, ws);
  D.bottomRows(features) *= -1;
  for (Index k = 0; k < Z.cols(); ++k) {
    const auto mean = J.middleCols(n * k, n).topRows(outputs);
    const auto psi = J.middleCols(n * k, n).bottomRows(features);
    const Matrix M = mean.transpose() * mean - psi.transpose() * psi + process_->prior_variance() * prior_;
    const Vector force = -J.middleCols(n * k, n).transpose() * D.col(k);
    const Eigen::LLT<Matrix> cholesky(M);
    A.col(k) = cholesky.info() == Eigen::Success ? Vector(cholesky.solve(force))
                                                 : Vector(M.completeOrthogonalDecomposition().solve(force));
  }
}

void GaussianProcessManifold::do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const {
  const Generator& embedding = *process_->embedding();
  const Index features = embedding.ambient_dimension() - process_->ambient_dimension();
  Nodes at;
  for (Index k = 0; k + 1 < Z.cols(); k += kBatch) {
    at.points = Z.middleCols(k, std::min(kBatch + 1, Z.cols() - k));
    at.embedded.resize(embedding.ambient_dimension(), at.points.cols());
    embedding.value(at.points, at.embedded, ws);
    at.signed_embedded = at.embedded;
    at.signed_embedded.bottomRows(features) *= -1;
    for (Index i = 0; i < at.intervals(); ++i) d(k + i) = std::sqrt(chord_square(at, i, i + 1));
  }
}

// The Hessian of a chord's energy is K [M(a) −C; −Cᵀ M(b)], C = E[J(a)ᵀJ(b)], and half of each end's curvature.
void GaussianProcessManifold::do_segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual,
                                          MatrixRef jacobian, Workspace& ws) const {
  const Index n = dimension();
  const Index K = Z.cols() - 1;
  const auto scale = static_cast<double>(K);
  factor(Z, R, ws);
  floor_diagonal(R);
  const Nodes at = evaluate(Z, ws);
  Matrix curvature = Matrix::Zero(n, n * (K + 1));
  if (model == HessianModel::kProjectedNewton && K > 1) {
    curvature.middleCols(n, n * (K - 1)) = whitened_curvature(at, R, ws);
  }
  for (Index i = 0; i < K; ++i) {
    const auto Ra = R.middleCols(n * i, n);
    const auto Rb = R.middleCols(n * (i + 1), n);
    Vector gradient(2 * n);
    gradient << unlift(Ra, -scale * force(at, i, i + 1)), unlift(Rb, -scale * force(at, i + 1, i));
    const Matrix half = unlift(Ra, coupling(at, i, i + 1));
    const Matrix C = unlift(Rb, half.transpose()).transpose();
    Matrix hessian = Matrix::Identity(2 * n, 2 * n);
    hessian.topRightCorner(n, n) = -C;
    hessian.bottomLeftCorner(n, n) = -C.transpose();
    hessian *= scale;
    hessian.topLeftCorner(n, n) += 0.5 * curvature.middleCols(n * i, n);
    hessian.bottomRightCorner(n, n) += 0.5 * curvature.middleCols(n * (i + 1), n);
    compress_chord(gradient, std::move(hessian), std::sqrt(scale * chord_square(at, i, i + 1)), residual.col(i),
                   jacobian.middleCols(2 * n * i, 2 * n));
  }
}

Variation GaussianProcessManifold::do_variation(const ConstMatrixRef& Z, Workspace& ws) const {
  const Index n = dimension();
  const Index K = Z.cols() - 1;
  const auto scale = static_cast<double>(K);
  Variation out;
  out.factor.resize(n, n * (K + 1));
  factor(Z, out.factor, ws);
  Matrix R = out.factor;
  floor_diagonal(R);
  const Nodes at = evaluate(Z, ws);
  out.energy = 0;
  for (Index i = 0; i < K; ++i) out.energy += 0.5 * scale * chord_square(at, i, i + 1);
  out.gradient.resize(n, K - 1);
  out.chord_gradient.resize(n, K - 1);
  out.hessian.upper.resize(n, n * (K - 2));
  out.hessian.diagonal = whitened_curvature(at, R, ws);
  for (Index i = 1; i < K; ++i) {
    const auto factor_i = R.middleCols(n * i, n);
    const NodalDifference stencil = second_difference(i, K, DifferenceOrder::kFourth);  // its weights add up to 0
    Vector smooth = Vector::Zero(n);
    for (Index s = 0; s < stencil.count; ++s) smooth -= scale * stencil.weights[s] * force(at, i, stencil.first + s);
    out.gradient.col(i - 1) = unlift(factor_i, smooth);
    out.chord_gradient.col(i - 1) = unlift(factor_i, -scale * (force(at, i, i - 1) + force(at, i, i + 1)));
    out.hessian.diagonal_block(static_cast<int>(i) - 1) += 2 * scale * Matrix::Identity(n, n);
    if (i == K - 1) continue;
    const Matrix half = unlift(factor_i, coupling(at, i, i + 1));
    out.hessian.upper.middleCols(n * (i - 1), n) =
        -scale * unlift(R.middleCols(n * (i + 1), n), half.transpose()).transpose();
  }
  return out;
}

std::shared_ptr<const Manifold> expected_manifold(std::shared_ptr<const Generator> generator) {
  if (const auto process = std::dynamic_pointer_cast<const GaussianProcess>(generator)) {
    return std::make_shared<GaussianProcessManifold>(process);
  }
  return std::make_shared<PullbackManifold>(std::move(generator));
}

}  // namespace pullback
