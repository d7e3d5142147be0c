#include "pullback/manifold/metrics/pullback_manifold.h"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "pullback/base/stop.h"
#include "pullback/manifold/metrics/pullback_products.h"
#include "pullback/manifold/numerics/chord_model.h"
#include "pullback/manifold/numerics/dense_kernels.h"
#include "pullback/manifold/numerics/nodal_differences.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

// Evaluations go through the generator in batches of about this many points, which keeps its buffers in the cache.
constexpr Eigen::Index kBatch = 64;

// The linear algebra of blocks of this size takes long enough to ask whether to stop at each.
constexpr Eigen::Index kLargeBlock = 8;

// Records of a curve are kept up to this size, in doubles: beyond it a second pass costs less than the memory.
constexpr Eigen::Index kMostRecord = 1 << 23;

// From this latent dimension on products are cheaper than Jacobians, if the generator's are cheap:
// bench/dimension_bench.
constexpr int kProductDimension = 16;

// Up to this dimension a preconditioner is a factor by QR, which does not square κ.
constexpr int kMostFactored = 256;

// JᵀJ is made by halves from this dimension on.
constexpr Eigen::Index kSymmetricProduct = 32;

// Relative accuracy that the second variation needs.
constexpr double kHessianAccuracy = 1e-6;

const std::shared_ptr<const Generator>& require(const std::shared_ptr<const Generator>& generator) {
  if (!generator) throw std::invalid_argument("PullbackManifold: the generator is null");
  return generator;
}

double ambient_dot(const Eigen::Ref<const Vector>& x, const Eigen::Ref<const Vector>& y) {
  return kernels::dot(x.data(), y.data(), static_cast<std::size_t>(x.size()));
}

// ‖x‖, also where its square would underflow or overflow.
double ambient_norm(const Eigen::Ref<const Vector>& x) {
  constexpr double kLeast = 1e-280;
  constexpr double kMost = 1e280;
  const double square = ambient_dot(x, x);
  return square > kLeast && square < kMost ? std::sqrt(square) : x.stableNorm();
}

// J at every column of Z, orthonormalised in place: Q (N×n(K+1)), R, and X = f(Z). Keeps records where there is room
// for them (record.rows() > 0).
void evaluate_frames(const Generator& f, const ConstMatrixRef& Z, MatrixRef X, MatrixRef Q, MatrixRef R,
                     MatrixRef record, Workspace& ws) {
  const int n = f.latent_dimension();
  for (Eigen::Index k = 0; k < Z.cols(); k += kBatch) {
    const Eigen::Index count = std::min(kBatch, Z.cols() - k);
    auto block = Q.middleCols(n * k, n * count);
    if (record.rows() > 0) {
      f.record(Z.middleCols(k, count), X.middleCols(k, count), block, record.middleCols(k, count), ws);
    } else {
      f.value_and_jacobian(Z.middleCols(k, count), X.middleCols(k, count), block, ws);
    }
    orthonormalise(block, n, R.middleCols(n * k, n * count));
  }
}

// Every step-th column.
Eigen::Map<const Matrix, 0, Eigen::OuterStride<>> every(const ConstMatrixRef& matrix, Eigen::Index step) {
  return {matrix.data(), matrix.rows(), (matrix.cols() - 1) / step + 1,
          Eigen::OuterStride<>(step * matrix.outerStride())};
}

// f along a discrete curve: what segments and variations are made of.
struct Frames {
  // second: second derivatives will be asked for.
  Frames(const Generator& f, const ConstMatrixRef& Z, Workspace::Frame& frame, MatrixRef factors, bool second,
         Workspace& ws)
      : X(frame.matrix(f.ambient_dimension(), Z.cols())),
        Q(frame.matrix(f.ambient_dimension(), Z.rows() * Z.cols())),
        record(frame.matrix(second && f.record_size() * Z.cols() <= kMostRecord ? f.record_size() : 0, Z.cols())) {
    evaluate_frames(f, Z, X, Q, factors, record, ws);
    R = factors;
    floor_diagonal(R);
  }

  // The records of the interior nodes of every step-th one.
  auto interior_record(Eigen::Index step) const {
    const auto some = every(record, step);
    return some.middleCols(1, some.cols() - 2);
  }

  Workspace::Buffer X;       // f(Z)
  Workspace::Buffer Q;       // orthonormal frames of J
  Workspace::Buffer record;  // for second derivatives; without rows where there is none
  Matrix R;                  // factors, with a floor under their diagonals
};

// wᵀd²f[u_a,u_b] for the columns u_a of U = R⁻¹, by polarisation along whitened directions: through the weighted
// Hessian in the given chart, rounding would be amplified by κ².
void whitened_hessian(const Generator& f, const ConstMatrixRef& Z, const ConstMatrixRef& W, const Matrix& inverse_R,
                      MatrixRef H, Workspace& ws) {
  const Eigen::Index n = Z.rows();
  const Eigen::Index K = Z.cols();
  Workspace::Frame frame(ws);
  auto V = frame.matrix(n, K);
  auto D = frame.matrix(f.ambient_dimension(), K);
  for (Eigen::Index a = 0; a < n; ++a) {
    for (Eigen::Index b = 0; b <= a; ++b) {
      for (Eigen::Index k = 0; k < K; ++k) {
        V.col(k) = inverse_R.col(n * k + a);
        if (b != a) V.col(k) += inverse_R.col(n * k + b);
      }
      f.second_directional(Z, V, D, ws);
      for (Eigen::Index k = 0; k < K; ++k) H(a, n * k + b) = ambient_dot(W.col(k), D.col(k));
    }
  }
  for (Eigen::Index k = 0; k < K; ++k) {
    auto block = H.middleCols(n * k, n);
    for (Eigen::Index a = 0; a < n; ++a) {
      for (Eigen::Index b = 0; b < a; ++b) {
        block(a, b) = 0.5 * (block(a, b) - block(a, a) - block(b, b));
        block(b, a) = block(a, b);
      }
    }
  }
}

// The inverses of the blocks of R, and the largest of their condition numbers (Frobenius).
Matrix inverses_and_condition(const ConstMatrixRef& R, double& kappa) {
  const Eigen::Index n = R.rows();
  Matrix inverse = block_inverses(R);
  kappa = 0;
  for (Eigen::Index k = 0; k < R.cols() / n; ++k) {
    kappa = std::max(kappa, R.middleCols(n * k, n).norm() * inverse.middleCols(n * k, n).norm());
  }
  return inverse;
}

// Adds R⁻ᵀ (Σ w ∂²f) R⁻¹ to the diagonal blocks, w = −K δ²f at the interior nodes. Z, R and record are those of these.
void add_curvature(const Generator& f, const ConstMatrixRef& Z, const ConstMatrixRef& W, const ConstMatrixRef& R,
                   const ConstMatrixRef& record, MatrixRef diagonal, Workspace& ws) {
  const Eigen::Index n = Z.rows();
  double kappa = 0;
  const Matrix inverse = inverses_and_condition(R, kappa);
  // Rounding of a whitened Hessian is about ε κ².
  const bool through_chart = kappa * kappa * std::numeric_limits<double>::epsilon() < kHessianAccuracy;
  for (Eigen::Index k = 0; k < Z.cols(); k += kBatch) {
    const Eigen::Index count = std::min(kBatch, Z.cols() - k);
    const auto points = Z.middleCols(k, count);
    const auto weights = W.middleCols(k, count);
    Matrix H(n, n * count);
    if (through_chart) {
      if (record.rows() > 0) {
        f.recorded_hessian(points, record.middleCols(k, count), weights, H, ws);
      } else {
        f.weighted_hessian(points, weights, H, ws);
      }
      for (Eigen::Index i = 0; i < count; ++i) {
        if (n >= kLargeBlock) throw_if_stopped();
        const auto U = inverse.middleCols(n * (k + i), n);
        H.middleCols(n * i, n) = (U.transpose() * H.middleCols(n * i, n) * U).eval();
      }
    } else {
      whitened_hessian(f, points, weights, inverse.middleCols(n * k, n * count), H, ws);
    }
    diagonal.middleCols(n * k, n * count) += H;
  }
}

// w_i = ∂E_K/∂f(z_i) = −K (f(z_{i+1}) − 2 f(z_i) + f(z_{i−1})) at the interior nodes.
void second_difference_weights(const ConstMatrixRef& X, MatrixRef W) {
  const Eigen::Index K = X.cols() - 1;
  const auto scale = static_cast<double>(K);
  W = scale * (2 * X.middleCols(1, K - 1) - X.leftCols(K - 1) - X.rightCols(K - 1));
}

// One chord of a discrete curve of K chords, whitened at its ends a and b.
struct Chord {
  Eigen::Ref<const Matrix> Qa, Qb;                    // orthonormal frames of J
  Eigen::Ref<const Vector> d;                         // f(b) − f(a)
  Eigen::Ref<const Matrix> curvature_a, curvature_b;  // Σ w ∂²f at the ends
  double K;
};

// The model of ½K‖d‖² (chord_model.h). Its Hessian is K [I −C; −Cᵀ I], C = QaᵀQb, and half of each end's curvature.
void compress(const Chord& chord, Eigen::Ref<Vector> residual, Eigen::Ref<Matrix> jacobian) {
  const Eigen::Index n = chord.Qa.cols();
  Vector gradient(2 * n);
  Matrix hessian = Matrix::Identity(2 * n, 2 * n);
  for (Eigen::Index i = 0; i < n; ++i) {
    gradient(i) = -chord.K * ambient_dot(chord.Qa.col(i), chord.d);
    gradient(n + i) = chord.K * ambient_dot(chord.Qb.col(i), chord.d);
    for (Eigen::Index j = 0; j < n; ++j) {
      hessian(i, n + j) = hessian(n + j, i) = -ambient_dot(chord.Qa.col(i), chord.Qb.col(j));
    }
  }
  hessian *= chord.K;
  hessian.topLeftCorner(n, n) += 0.5 * chord.curvature_a;
  hessian.bottomRightCorner(n, n) += 0.5 * chord.curvature_b;
  compress_chord(gradient, std::move(hessian), std::sqrt(chord.K * ambient_dot(chord.d, chord.d)), residual, jacobian);
}

// The energy of the chords from X, and the whitened gradients and the flat part of the Hessian, of every step-th node.
void add_first_derivatives(const Frames& at, Eigen::Index step, const ConstMatrixRef& W, Eigen::Ref<Vector> weight,
                           Variation& out) {
  const Eigen::Index n = at.R.rows();
  const Eigen::Index K = W.cols() + 1;
  const auto scale = static_cast<double>(K);
  const auto X = every(at.X, step);
  const auto frame = [&](Eigen::Index i, Eigen::Index a) { return at.Q.col(n * step * i + a); };
  for (Eigen::Index i = 0; i < K; ++i) {
    kernels::scaled_difference(1, X.col(i + 1).data(), X.col(i).data(), weight.data(),
                               static_cast<std::size_t>(weight.size()));
    out.energy += 0.5 * scale * ambient_dot(weight, weight);
  }
  for (Eigen::Index i = 1; i < K; ++i) {
    if (n >= kLargeBlock) throw_if_stopped();
    const NodalDifference stencil = second_difference(i, K, DifferenceOrder::kSixth);
    weight.setZero();
    for (Eigen::Index s = 0; s < stencil.count; ++s) weight -= scale * stencil.weights[s] * X.col(stencil.first + s);
    for (Eigen::Index a = 0; a < n; ++a) {
      out.gradient(a, i - 1) = ambient_dot(frame(i, a), weight);
      out.chord_gradient(a, i - 1) = ambient_dot(frame(i, a), W.col(i - 1));
    }
    auto diagonal = out.hessian.diagonal.middleCols(n * (i - 1), n);
    diagonal.setIdentity();
    diagonal *= 2 * scale;
    if (i == K - 1) continue;
    for (Eigen::Index a = 0; a < n; ++a) {
      for (Eigen::Index b = 0; b < n; ++b) {
        out.hessian.upper(a, n * (i - 1) + b) = -scale * ambient_dot(frame(i, a), frame(i + 1, b));
      }
    }
  }
}

// Q_iᵀQ_j of nodes near each other, each made once.
class FrameProducts {
 public:
  explicit FrameProducts(const Frames& at) : at_(at), n_(at.R.rows()), known_(n_, n_ * kReach * at.X.cols()) {
    known_.setConstant(std::numeric_limits<double>::quiet_NaN());
  }

  // i < j.
  Eigen::Ref<const Matrix> of(Eigen::Index i, Eigen::Index j) {
    auto block = known_.middleCols(n_ * (kReach * i + j - i - 1), n_);
    if (!std::isnan(block(0, 0))) return block;
    for (Eigen::Index a = 0; a < n_; ++a) {
      for (Eigen::Index b = 0; b < n_; ++b) block(a, b) = ambient_dot(at_.Q.col(n_ * i + a), at_.Q.col(n_ * j + b));
    }
    return block;
  }

 private:
  static constexpr Eigen::Index kReach = 7;  // of the stencils of second_difference()

  const Frames& at_;
  Eigen::Index n_;
  Matrix known_;
};

SmoothCoupling coupling_of(const Frames& at) {
  const Eigen::Index n = at.R.rows();
  FrameProducts products(at);
  SmoothCoupling out{Matrix::Zero(n, 8 * n * (at.X.cols() - 2))};
  out.each([&](Eigen::Index i, Eigen::Index j, double weight, MatrixRef block) {
    if (n >= kLargeBlock) throw_if_stopped();
    if (i == j) {
      block.diagonal().setConstant(weight);
    } else if (i < j) {
      block = weight * products.of(i, j);
    } else {
      block = weight * products.of(j, i).transpose();
    }
  });
  return out;
}

// All of a variation but its factors, of the discrete curve of every step-th node.
Variation variation_of(const Generator& f, const ConstMatrixRef& Z, const Frames& at, Eigen::Index step,
                       Workspace& ws) {
  const Eigen::Index n = Z.rows();
  const Eigen::Index K = (Z.cols() - 1) / step;
  Workspace::Frame frame(ws);
  auto W = frame.matrix(f.ambient_dimension(), K - 1);
  auto weight = frame.matrix(f.ambient_dimension(), 1);
  second_difference_weights(every(at.X, step), W);
  Variation out;
  out.energy = 0;
  out.gradient.resize(n, K - 1);
  out.chord_gradient.resize(n, K - 1);
  out.hessian.diagonal.resize(n, n * (K - 1));
  out.hessian.upper.resize(n, n * (K - 2));
  add_first_derivatives(at, step, W, weight.col(0), out);
  Matrix R(n, n * (K - 1));
  for (Eigen::Index i = 1; i < K; ++i) R.middleCols(n * (i - 1), n) = at.R.middleCols(n * step * i, n);
  add_curvature(f, every(Z, step).middleCols(1, K - 1), W, R, at.interior_record(step), out.hessian.diagonal, ws);
  return out;
}

}  // namespace

PullbackManifold::PullbackManifold(std::shared_ptr<const Generator> generator, Products products)
    : Manifold(require(generator)->latent_dimension(), require(generator)->traits().name,
               require(generator)->traits().smooth, generator) {
  const bool cheaper = generator->traits().cheap_products && dimension() >= kProductDimension;
  set_prefers_products(products == Products::kAlways || (products == Products::kWhereCheaper && cheaper));
}

void PullbackManifold::do_metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const {
  const Eigen::Index n = dimension();
  Workspace::Frame frame(ws);
  auto X = frame.matrix(generator()->ambient_dimension(), Z.cols());
  auto J = frame.matrix(generator()->ambient_dimension(), n * Z.cols());
  generator()->value_and_jacobian(Z, X, J, ws);
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    const auto block = J.middleCols(n * k, n);
    if (n >= kLargeBlock) throw_if_stopped();
    auto out = M.middleCols(n * k, n);
    if (n < kSymmetricProduct) {
      out.noalias() = block.transpose() * block;
      continue;
    }
    out.setZero();
    out.selfadjointView<Eigen::Lower>().rankUpdate(block.transpose());
    out.triangularView<Eigen::StrictlyUpper>() = out.transpose();
  }
}

void PullbackManifold::do_factor(const ConstMatrixRef& Z, MatrixRef R, Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto X = frame.matrix(generator()->ambient_dimension(), Z.cols());
  auto Q = frame.matrix(generator()->ambient_dimension(), dimension() * Z.cols());
  evaluate_frames(*generator(), Z, X, Q, R, frame.matrix(0, 0), ws);
}

void PullbackManifold::do_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A,
                                       Workspace& ws) const {
  Workspace::Frame frame(ws);
  if (!prefers_products() || Z.cols() == 0) {
    return dense_acceleration(Z, V, A, frame.matrix(dimension(), dimension() * Z.cols()), ws);
  }
  Matrix factor(dimension(), dimension());
  if (dimension() <= kMostFactored) {
    do_factor(Z.col(Z.cols() / 2), factor, ws);
  } else {
    do_metric(Z.col(Z.cols() / 2), factor, ws);
    factor = square_root_factor(factor);
  }
  floor_diagonal(factor);
  for (const Eigen::Index k : internal::acceleration_by_products(*generator(), factor, Z, V, A, ws)) {
    dense_acceleration(Z.col(k), V.col(k), A.col(k), frame.matrix(dimension(), dimension()), ws);
  }
}

void PullbackManifold::do_acceleration_and_factor(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A,
                                                  MatrixRef R, Workspace& ws) const {
  dense_acceleration(Z, V, A, R, ws);
}

void PullbackManifold::dense_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, MatrixRef R,
                                          Workspace& ws) const {
  const Eigen::Index n = dimension();
  const int ambient = generator()->ambient_dimension();
  Workspace::Frame frame(ws);
  auto X = frame.matrix(ambient, Z.cols());
  auto J = frame.matrix(ambient, n * Z.cols());
  auto D = frame.matrix(ambient, Z.cols());
  generator()->second_order(Z, V, X, J, D, ws);
  orthonormalise(J, static_cast<int>(n), R);
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    const auto block = R.middleCols(n * k, n);
    if (n >= kLargeBlock) throw_if_stopped();
    Vector projection(n);
    for (Eigen::Index j = 0; j < n; ++j) projection(j) = -ambient_dot(J.col(n * k + j), D.col(k));
    if (block.diagonal().minCoeff() > 0) {
      A.col(k) = block.triangularView<Eigen::Upper>().solve(projection);
    } else {
      A.col(k) = Matrix(block).completeOrthogonalDecomposition().solve(projection);
    }
  }
}

void PullbackManifold::do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const {
  const int ambient = generator()->ambient_dimension();
  Workspace::Frame frame(ws);
  auto X = frame.matrix(ambient, kBatch + 1);  // column 0 keeps the last point of the batch before
  auto difference = frame.matrix(ambient, 1);
  generator()->value(Z.leftCols(1), X.leftCols(1), ws);
  for (Eigen::Index k = 1; k < Z.cols(); k += kBatch) {
    const Eigen::Index count = std::min(kBatch, Z.cols() - k);
    generator()->value(Z.middleCols(k, count), X.middleCols(1, count), ws);
    for (Eigen::Index i = 0; i < count; ++i) {
      kernels::scaled_difference(1, X.col(i + 1).data(), X.col(i).data(), difference.data(),
                                 static_cast<std::size_t>(ambient));
      d(k - 1 + i) = ambient_norm(difference.col(0));
    }
    X.col(0) = X.col(count);
  }
}

void PullbackManifold::do_chords_between(const ConstMatrixRef& Z, std::span<const Pair> pairs, VectorRef d,
                                         Workspace& ws) const {
  const int ambient = generator()->ambient_dimension();
  Workspace::Frame frame(ws);
  auto X = frame.matrix(ambient, Z.cols());
  auto difference = frame.matrix(ambient, 1);
  generator()->value(Z, X, ws);
  Eigen::Index p = 0;
  for (const auto& [from, to] : pairs) {
    kernels::scaled_difference(1, X.col(to).data(), X.col(from).data(), difference.data(),
                               static_cast<std::size_t>(ambient));
    d(p++) = ambient_norm(difference.col(0));
  }
}

void PullbackManifold::do_segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual,
                                   MatrixRef jacobian, Workspace& ws) const {
  const Eigen::Index n = dimension();
  const Eigen::Index K = Z.cols() - 1;
  const int ambient = generator()->ambient_dimension();
  Workspace::Frame frame(ws);
  auto chord = frame.matrix(ambient, 1);
  auto curvature = frame.matrix(n, n * (K + 1));
  const bool second = model == HessianModel::kProjectedNewton && K > 1;
  const Frames at(*generator(), Z, frame, R, second, ws);
  R = at.R;
  curvature.setZero();
  if (second) {
    auto W = frame.matrix(ambient, K - 1);
    second_difference_weights(at.X, W);
    add_curvature(*generator(), Z.middleCols(1, K - 1), W, R.middleCols(n, n * (K - 1)), at.interior_record(1),
                  curvature.middleCols(n, n * (K - 1)), ws);
  }
  for (Eigen::Index i = 0; i < K; ++i) {
    if (n >= kLargeBlock) throw_if_stopped();
    kernels::scaled_difference(1, at.X.col(i + 1).data(), at.X.col(i).data(), chord.data(),
                               static_cast<std::size_t>(ambient));
    compress({at.Q.middleCols(n * i, n), at.Q.middleCols(n * (i + 1), n), chord.col(0), curvature.middleCols(n * i, n),
              curvature.middleCols(n * (i + 1), n), static_cast<double>(K)},
             residual.col(i), jacobian.middleCols(2 * n * i, 2 * n));
  }
}

Variation PullbackManifold::do_variation(const ConstMatrixRef& Z, Workspace& ws) const {
  Workspace::Frame frame(ws);
  Matrix factors(Z.rows(), Z.rows() * Z.cols());
  const Frames at(*generator(), Z, frame, factors, true, ws);
  Variation out = variation_of(*generator(), Z, at, 1, ws);
  out.coupling = coupling_of(at);
  out.factor = std::move(factors);
  return out;
}

NestedVariations PullbackManifold::do_nested_variations(const ConstMatrixRef& Z, Workspace& ws) const {
  const Eigen::Index n = Z.rows();
  Workspace::Frame frame(ws);
  Matrix factors(n, n * Z.cols());
  const Frames at(*generator(), Z, frame, factors, true, ws);
  NestedVariations out{variation_of(*generator(), Z, at, 1, ws), variation_of(*generator(), Z, at, 2, ws),
                       Vector(Z.cols() - 1), Vector(Z.cols() - 2)};
  auto difference = frame.matrix(generator()->ambient_dimension(), 1);
  for (const Eigen::Index gaps : {1, 2}) {
    Vector& d = gaps == 1 ? out.chords : out.double_chords;
    for (Eigen::Index i = 0; i < d.size(); ++i) {
      kernels::scaled_difference(1, at.X.col(i + gaps).data(), at.X.col(i).data(), difference.data(),
                                 static_cast<std::size_t>(difference.rows()));
      d(i) = ambient_norm(difference.col(0));
    }
  }
  out.coarse.factor.resize(n, n * ((Z.cols() - 1) / 2 + 1));
  for (Eigen::Index k = 0; k < Z.cols(); k += 2)
    out.coarse.factor.middleCols(n * (k / 2), n) = factors.middleCols(n * k, n);
  out.fine.factor = std::move(factors);
  return out;
}

std::unique_ptr<const VariationProducts> PullbackManifold::do_variation_products(const ConstMatrixRef& Z,
                                                                                 Workspace& ws) const {
  return internal::pullback_products(*generator(), Z, ws);
}

int PullbackManifold::do_frame_dimension() const { return generator()->ambient_dimension(); }

void PullbackManifold::do_push_forward(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef T,
                                       Workspace& ws) const {
  Workspace::Frame frame(ws);
  auto X = frame.matrix(generator()->ambient_dimension(), Z.cols());
  generator()->jvp(Z, V, X, T, ws);
}

}  // namespace pullback
