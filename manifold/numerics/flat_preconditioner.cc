#include "pullback/manifold/numerics/flat_preconditioner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "pullback/base/random.h"
#include "pullback/manifold/manifold.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

constexpr int kProbes = 2;
// In more dimensions than this one metric has to do, by its Cholesky factor.
constexpr Eigen::Index kSeveralMetrics = 256;
// A factor whose entries beside the diagonal are no larger than this, relative, is diagonal.
constexpr double kBesideDiagonal = 1e-6;

// s²: mean of |p|² at every node.
Vector sizes(const Manifold& manifold, const ConstMatrixRef& nodes, Workspace& ws) {
  Random random(1);
  Matrix T(manifold.frame_dimension(), nodes.cols());
  Vector out = Vector::Zero(nodes.cols());
  for (int probe = 0; probe < kProbes; ++probe) {
    const Vector p = random.normal_matrix(manifold.dimension(), 1);
    manifold.push_forward(nodes, p.replicate(1, nodes.cols()), T, ws);
    out += T.colwise().squaredNorm().transpose() / kProbes;
  }
  return out;
}

// U of the mean of the metrics at the ends and in the middle, each divided by its size: by factors, so that κ is not
// squared.
Matrix mean_factor(const Manifold& manifold, const ConstMatrixRef& nodes, const Vector& size, Workspace& ws) {
  const Eigen::Index n = manifold.dimension();
  Matrix stacked = Matrix::Zero(3 * n, n);
  Matrix R(n, n);
  int places = 0;
  for (const Eigen::Index at : {Eigen::Index{0}, nodes.cols() / 2, nodes.cols() - 1}) {
    if (!(size(at) > 0)) continue;  // singular there
    manifold.factor(nodes.col(at), R, ws);
    stacked.middleRows(n * places++, n) = R / std::sqrt(size(at));
  }
  return frame_factor(stacked.topRows(n * std::max(places, 1)));
}

}  // namespace

FlatPreconditioner::FlatPreconditioner(const Manifold& manifold, const ConstMatrixRef& nodes, Workspace& ws,
                                       const FlatPreconditioner* nearby)
    : root_chords_(std::sqrt(static_cast<double>(nodes.cols() - 1))) {
  const Vector size = sizes(manifold, nodes, ws);
  scale(size);
  if (nearby != nullptr) {
    factor_ = nearby->factor_;
    diagonal_metric_ = nearby->diagonal_metric_;
    return;
  }
  const Eigen::Index n = manifold.dimension();
  Matrix factor;
  if (n <= kSeveralMetrics) {
    factor = mean_factor(manifold, nodes, size, ws);
  } else {
    Matrix M(n, n);
    manifold.metric(nodes.col(nodes.cols() / 2), M, ws);
    factor = square_root_factor(M / std::max(size(nodes.cols() / 2), std::numeric_limits<double>::min()));
  }
  floor_diagonal(factor);
  const double beside = factor.triangularView<Eigen::StrictlyUpper>().toDenseMatrix().cwiseAbs().maxCoeff();
  diagonal_metric_ = beside <= kBesideDiagonal * factor.diagonal().minCoeff();
  factor_ = std::make_shared<const Matrix>(std::move(factor));
}

// T = B Bᵀ: b_i² = 2 − 1/b_{i−1}².
void FlatPreconditioner::scale(const Vector& size) {
  const Eigen::Index m = size.size() - 2;
  const double least = std::numeric_limits<double>::epsilon() * size.maxCoeff();
  scale_ = size.segment(1, m).cwiseMax(least).cwiseSqrt();
  diagonal_.resize(m);
  off_diagonal_.resize(std::max<Eigen::Index>(m - 1, 0));
  for (Eigen::Index i = 0; i < m; ++i) {
    diagonal_(i) = std::sqrt(2 - (i > 0 ? off_diagonal_(i - 1) * off_diagonal_(i - 1) : 0));
    if (i + 1 < m) off_diagonal_(i) = -1 / diagonal_(i);
  }
}

Matrix FlatPreconditioner::solve(const Matrix& G) const { return transposed_half_solve(half_solve(G)); }

// L = √K S (B ⊗ Uᵀ): columns are solved from the first on.
Matrix FlatPreconditioner::half_solve(const Matrix& G) const {
  Matrix Y = diagonal_metric_ ? Matrix(factor_->diagonal().cwiseInverse().asDiagonal() * G)
                              : Matrix(factor_->transpose().triangularView<Eigen::Lower>().solve(G));
  for (Eigen::Index i = 0; i < Y.cols(); ++i) {
    Y.col(i) /= root_chords_ * scale_(i);
    if (i > 0) Y.col(i) -= off_diagonal_(i - 1) * Y.col(i - 1);
    Y.col(i) /= diagonal_(i);
  }
  return Y;
}

Matrix FlatPreconditioner::transposed_half_solve(const Matrix& Y) const {
  Matrix V = Y;
  for (Eigen::Index i = V.cols() - 1; i >= 0; --i) {
    if (i + 1 < V.cols()) V.col(i) -= off_diagonal_(i) * V.col(i + 1);
    V.col(i) /= diagonal_(i);
  }
  for (Eigen::Index i = 0; i < V.cols(); ++i) V.col(i) /= root_chords_ * scale_(i);
  if (diagonal_metric_) return factor_->diagonal().cwiseInverse().asDiagonal() * V;
  return factor_->triangularView<Eigen::Upper>().solve(V);
}

}  // namespace pullback
