#include "pullback/manifold/metrics/ambient_pullback.h"

#include <fmt/format.h>

#include <Eigen/QR>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "pullback/manifold/numerics/chord_form.h"
#include "pullback/manifold/numerics/chord_model.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

using Eigen::Index;

const Generator& require(const std::shared_ptr<const Generator>& generator) {
  if (!generator) throw std::invalid_argument("AmbientPullback: the generator is null");
  return *generator;
}

std::shared_ptr<const MetricField> field_of_numbers(const Generator& generator,
                                                    AmbientPullback::AmbientMetric ambient) {
  if (!ambient) throw std::invalid_argument("AmbientPullback: the ambient metric is null");
  const auto each = [ambient = std::move(ambient)](const ConstMatrixRef& X, MatrixRef M, Workspace& /*ws*/) {
    const Index N = X.rows();
    for (Index k = 0; k < X.cols(); ++k) {
      const Matrix G = ambient(X.col(k));
      if (G.rows() != N || G.cols() != N) {
        throw std::invalid_argument(
            fmt::format("AmbientPullback: the ambient metric must be {0}×{0}, got {1}×{2}", N, G.rows(), G.cols()));
      }
      M.middleCols(N * k, N) = G;
    }
  };
  return metric_of_numbers(generator.ambient_dimension(), each);
}

}  // namespace

struct AmbientPullback::Nodes {
  Matrix values;   // f(z_i), N×(K+1)
  Matrix frames;   // J_i R_i⁻¹, N×n(K+1)
  Matrix factor;   // R_i
  Matrix floored;  // R_i, its inverse existing
  Matrix inverse;  // R_i⁻¹
  Matrix chords() const { return values.rightCols(values.cols() - 1) - values.leftCols(values.cols() - 1); }
  Matrix middles() const {
    return 0.5 * values.leftCols(values.cols() - 1) + 0.5 * values.rightCols(values.cols() - 1);
  }
};

AmbientPullback::AmbientPullback(std::shared_ptr<const Generator> generator, std::shared_ptr<const MetricField> ambient)
    : Manifold(require(generator).latent_dimension(), generator->traits().name, generator->traits().smooth, generator),
      ambient_(std::move(ambient)) {
  if (!ambient_) throw std::invalid_argument("AmbientPullback: the ambient metric is null");
  if (ambient_->dimension() != generator->ambient_dimension()) {
    throw std::invalid_argument(
        fmt::format("AmbientPullback: the ambient metric must be of dimension {}, as the generator's outputs, got {}",
                    generator->ambient_dimension(), ambient_->dimension()));
  }
  const bool exact = second_derivative() == Derivative::kExact && ambient_->derivatives() == Derivative::kExact;
  set_derivatives(first_derivative(), exact ? Derivative::kExact : Derivative::kFiniteDifference);
}

AmbientPullback::AmbientPullback(std::shared_ptr<const Generator> generator, AmbientMetric ambient)
    : AmbientPullback(generator, field_of_numbers(require(generator), std::move(ambient))) {}

void AmbientPullback::factors(const ConstMatrixRef& X, const ConstMatrixRef& J, MatrixRef R, Workspace& ws) const {
  const Index n = dimension();
  const Index N = X.rows();
  Matrix root(N, N);
  for (Index k = 0; k < X.cols(); ++k) {
    ambient_->factor(X.col(k), root, ws);
    R.middleCols(n * k, n) = frame_factor(root.triangularView<Eigen::Upper>() * J.middleCols(n * k, n));
  }
}

AmbientPullback::Nodes AmbientPullback::evaluate(const ConstMatrixRef& Z, Workspace& ws) const {
  const Index n = dimension();
  Nodes at;
  at.values.resize(ambient_->dimension(), Z.cols());
  at.frames.resize(ambient_->dimension(), n * Z.cols());
  at.factor.resize(n, n * Z.cols());
  generator()->value_and_jacobian(Z, at.values, at.frames, ws);
  factors(at.values, at.frames, at.factor, ws);
  at.floored = at.factor;
  floor_diagonal(at.floored);
  at.inverse = block_inverses(at.floored);
  for (Index i = 0; i < Z.cols(); ++i) {
    at.frames.middleCols(n * i, n) = (at.frames.middleCols(n * i, n) * at.inverse.middleCols(n * i, n)).eval();
  }
  return at;
}

void AmbientPullback::do_metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const {
  const Index n = dimension();
  do_factor(Z, M, ws);
  for (Index k = 0; k < Z.cols(); ++k) {
    const Matrix R = M.middleCols(n * k, n);
    M.middleCols(n * k, n).noalias() = R.transpose() * R;
  }
}

void AmbientPullback::do_factor(const ConstMatrixRef& Z, MatrixRef R, Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto X = frame.matrix(ambient_->dimension(), Z.cols());
  auto J = frame.matrix(ambient_->dimension(), dimension() * Z.cols());
  generator()->value_and_jacobian(Z, X, J, ws);
  factors(X, J, R, ws);
}

// Whitened, with frames E = JR⁻¹ and ν = Rv: α = −Eᵀ(G d²f[v,v] + dG[Eν]Eν) + ½ (Eν)ᵀ dG[E] Eν, a = R⁻¹α.
Vector AmbientPullback::accelerations(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A,
                                      Workspace& ws) const {
  const Index n = dimension();
  const Index K = Z.cols();
  const Index r = n + 1;
  const Nodes at = evaluate(Z, ws);
  Matrix curvature(ambient_->dimension(), K);
  generator()->second_directional(Z, V, curvature, ws);
  Matrix seen(ambient_->dimension(), r * K);
  for (Index k = 0; k < K; ++k) {
    seen.middleCols(r * k, n) = at.frames.middleCols(n * k, n);
    seen.col(r * k + n) = curvature.col(k);
  }
  Matrix F(r, r * K);
  Matrix B(r, r * n * K);
  Vector error = ambient_->first(at.values, at.frames, seen, F, B, ws);
  for (Index k = 0; k < K; ++k) {
    const Vector v = at.floored.middleCols(n * k, n) * V.col(k);
    Vector alpha = -F.col(r * k + n).head(n);
    for (Index l = 0; l < n; ++l) {
      const Vector slope = B.block(0, r * (n * k + l), n, n) * v;
      alpha -= v(l) * slope;
      alpha(l) += 0.5 * v.dot(slope);
    }
    error(k) *= 1.5 * std::sqrt(static_cast<double>(n)) * v.squaredNorm();
    const auto given = at.factor.middleCols(n * k, n);
    const auto raised = at.floored.middleCols(n * k, n);
    A.col(k) = at.inverse.middleCols(n * k, n) * alpha;
    if (raised == given || !given.allFinite()) continue;
    const Matrix M = given.transpose() * given;  // singular: the solution of least norm
    A.col(k) = M.completeOrthogonalDecomposition().solve(raised.transpose() * alpha);
  }
  return error;
}

void AmbientPullback::do_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A,
                                      Workspace& ws) const {
  accelerations(Z, V, A, ws);
}

void AmbientPullback::do_acceleration_error(const ConstMatrixRef& Z, const ConstMatrixRef& V, VectorRef e,
                                            Workspace& ws) const {
  Matrix A(Z.rows(), Z.cols());
  e = accelerations(Z, V, A, ws);
}

void AmbientPullback::do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const {
  const Index K = Z.cols() - 1;
  Matrix X(ambient_->dimension(), K + 1);
  generator()->value(Z, X, ws);
  ambient_->lengths(0.5 * X.leftCols(K) + 0.5 * X.rightCols(K), X.rightCols(K) - X.leftCols(K), d, ws);
}

// The chord's energy depends on a and b through x_a and x_b: its gradient is that of the ambient chord along the
// frames, its Hessian the ambient one's and, at each end, ∇_x e · d²f[r_k, r_l] with the columns r of R⁻¹.
AmbientPullback::Chords AmbientPullback::chord_models(const ConstMatrixRef& Z, const Nodes& at, bool second,
                                                      Workspace& ws) const {
  const Index n = dimension();
  const Index K = Z.cols() - 1;
  Matrix frames(ambient_->dimension(), 2 * n * K);
  for (Index i = 0; i < K; ++i) frames.middleCols(2 * n * i, 2 * n) = at.frames.middleCols(n * i, 2 * n);
  const ChordForms forms = chord_forms(*ambient_, at.middles(), at.chords(), frames, second, ws);
  const Matrix left = Matrix::Identity(2 * n, 2 * n).leftCols(n);
  const Matrix right = Matrix::Identity(2 * n, 2 * n).rightCols(n);
  Chords out{forms.q, Matrix(2 * n, K), Matrix(2 * n, 2 * n * K)};
  for (Index i = 0; i < K; ++i) {
    out.gradients.col(i) = chord_gradient(forms, i, left, right, kMiddle, static_cast<double>(K));
    out.hessians.middleCols(2 * n * i, 2 * n) =
        chord_hessian(forms, i, left, right, kMiddle, static_cast<double>(K), !second);
  }
  if (second) add_curvature(Z, at, out.hessians, ws);
  return out;
}

void AmbientPullback::add_curvature(const ConstMatrixRef& Z, const Nodes& at, Matrix& hessians, Workspace& ws) const {
  const Index n = dimension();
  const Index K = Z.cols() - 1;
  Matrix directions(n, K + 1);
  Matrix bends(ambient_->dimension(), K + 1);
  std::vector<Matrix> squares(static_cast<std::size_t>(n));  // along r_k, ends × chords
  for (Index k = 0; k < n; ++k) {
    for (Index l = k; l >= 0; --l) {
      for (Index i = 0; i <= K; ++i) {
        directions.col(i) = at.inverse.col(n * i + k);
        if (l != k) directions.col(i) += at.inverse.col(n * i + l);
      }
      generator()->second_directional(Z, directions, bends, ws);
      Matrix change = end_slopes(at, bends, ws);
      if (l == k) {
        squares[static_cast<std::size_t>(k)] = change;
      } else {  // r_k and r_l together, by polarisation
        change = 0.5 * (change - squares[static_cast<std::size_t>(k)] - squares[static_cast<std::size_t>(l)]);
      }
      for (Index i = 0; i < K; ++i) {
        for (Index side = 0; side < 2; ++side) {
          hessians(n * side + k, 2 * n * i + n * side + l) += change(side, i);
          if (k != l) hessians(n * side + l, 2 * n * i + n * side + k) += change(side, i);
        }
      }
    }
  }
}

Matrix AmbientPullback::end_slopes(const Nodes& at, const Matrix& moves, Workspace& ws) const {
  const Index K = moves.cols() - 1;
  Matrix ends(moves.rows(), 2 * K);
  for (Index i = 0; i < K; ++i) ends.middleCols(2 * i, 2) = moves.middleCols(i, 2);
  const ChordForms forms = chord_forms(*ambient_, at.middles(), at.chords(), ends, false, ws);
  Matrix out(2, K);
  for (Index i = 0; i < K; ++i) {
    out.col(i) = chord_gradient(forms, i, Vector::Unit(2, 0), Vector::Unit(2, 1), kMiddle, static_cast<double>(K));
  }
  return out;
}

void AmbientPullback::do_segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual,
                                  MatrixRef jacobian, Workspace& ws) const {
  const Index n = dimension();
  const Index K = Z.cols() - 1;
  const Nodes at = evaluate(Z, ws);
  R = at.floored;
  const Chords chords = chord_models(Z, at, model == HessianModel::kProjectedNewton, ws);
  for (Index i = 0; i < K; ++i) {
    compress_chord(chords.gradients.col(i), chords.hessians.middleCols(2 * n * i, 2 * n),
                   std::sqrt(static_cast<double>(K) * chords.squares(i)), residual.col(i),
                   jacobian.middleCols(2 * n * i, 2 * n));
  }
}

Variation AmbientPullback::do_variation(const ConstMatrixRef& Z, Workspace& ws) const {
  const Index n = dimension();
  const Index K = Z.cols() - 1;
  const Nodes at = evaluate(Z, ws);
  const Chords chords = chord_models(Z, at, true, ws);
  Variation out;
  out.factor = at.factor;
  out.energy = 0.5 * static_cast<double>(K) * chords.squares.sum();
  out.gradient = smooth_gradient(*ambient_, at.values, at.frames, ws);
  out.chord_gradient.setZero(n, K - 1);
  out.hessian.diagonal.setZero(n, n * (K - 1));
  out.hessian.upper.setZero(n, n * (K - 2));
  for (Index i = 0; i < K; ++i) {
    add_chord(chords.gradients.col(i), chords.hessians.middleCols(2 * n * i, 2 * n), i, out);
  }
  return out;
}

}  // namespace pullback
