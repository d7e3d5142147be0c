#include "pullback/plugins/string/flow.h"

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <utility>

#include "pullback/base/stop.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/numerics/chords.h"

namespace pullback {
namespace {

// The longest time step, in units of the string's parameter: beyond, the implicit step is the flat Newton step.
constexpr double kLongest = 1e6;
constexpr double kShortest = 1e-9;
// The step after one that was taken, or refused, is longer or shorter by this.
constexpr double kFactor = 4;
// Below this, the distance from orthogonal after Newton–Schulz is rounding and what is left of the convergence.
constexpr double kOrthogonal = 1e-8;
constexpr int kNewtonSchulz = 8;

// The orthogonal matrix next to C, whose singular values are about 1 or less.
Matrix nearest_rotation(const Matrix& C) {
  const Matrix identity = Matrix::Identity(C.rows(), C.cols());
  Matrix X = C;
  for (int i = 0; i < kNewtonSchulz; ++i) {
    const Matrix error = identity - X.transpose() * X;
    if (error.norm() < kOrthogonal) return X;
    X += 0.5 * X * error;
  }
  if (!C.allFinite()) return identity;
  const Eigen::JacobiSVD<Matrix> svd(C, Eigen::ComputeFullU | Eigen::ComputeFullV);
  return svd.matrixU() * svd.matrixV().transpose();
}

}  // namespace

Matrix solve_flat(const ConstMatrixRef& b, double shift) {
  const Eigen::Index m = b.cols();
  const auto K = static_cast<double>(m + 1);
  const double diagonal = 2 * K + shift;
  Vector ratio(m);  // K over the pivots
  Matrix x = b;
  for (Eigen::Index i = 0; i < m; ++i) {
    const double pivot = diagonal - (i > 0 ? K * ratio(i - 1) : 0);
    ratio(i) = K / pivot;
    if (i > 0) x.col(i) += K * x.col(i - 1);
    x.col(i) /= pivot;
  }
  for (Eigen::Index i = m - 2; i >= 0; --i) x.col(i) += ratio(i) * x.col(i + 1);
  return x;
}

StringFlow::StringFlow(const Manifold& manifold, Matrix& nodes, int memory, Workspace& ws)
    : manifold_(manifold), nodes_(nodes), ws_(ws), mixing_(memory), time_step_(kLongest) {
  sample();
}

bool StringFlow::finite() const { return std::isfinite(energy_) && std::isfinite(promise_) && factors_.allFinite(); }

void StringFlow::sample() {
  const Eigen::Index n = nodes_.rows();
  const Eigen::Index K = nodes_.cols() - 1;
  factors_.resize(n, n * (K + 1));
  Matrix residual(2 * n + 1, K);
  Matrix jacobian(2 * n + 1, 2 * n * K);
  manifold_.segments(nodes_, HessianModel::kGaussNewton, factors_, residual, jacobian, ws_);
  energy_ = 0.5 * residual.squaredNorm();
  gradient_.resize(n, K - 1);
  for (Eigen::Index i = 1; i < K; ++i) {
    gradient_.col(i - 1) = jacobian.middleCols(2 * n * (i - 1) + n, n).transpose() * residual.col(i - 1) +
                           jacobian.middleCols(2 * n * i, n).transpose() * residual.col(i);
  }
  remove_tangential();
  find_frames(jacobian);
  Matrix g(n, K - 1);
  for (Eigen::Index i = 0; i < K - 1; ++i) g.col(i) = frames_.middleCols(n * (i + 1), n).transpose() * gradient_.col(i);
  promise_ = 0.5 * g.cwiseProduct(solve_flat(g, 0)).sum();
}

// The model of a chord's Hessian is K [I −C; −Cᵀ I], C taking whitened vectors at its end to its start: rotations next
// to C are parallel transport, to O(K⁻²) each where the ambient space is Euclidean.
void StringFlow::find_frames(const Matrix& jacobian) {
  const Eigen::Index n = nodes_.rows();
  const Eigen::Index K = nodes_.cols() - 1;
  frames_.resize(n, n * (K + 1));
  frames_.leftCols(n).setIdentity();
  for (Eigen::Index i = 0; i < K; ++i) {
    throw_if_stopped();
    const auto start = jacobian.middleCols(2 * n * i, n);
    const auto end = jacobian.middleCols(2 * n * i + n, n);
    const Matrix transport = nearest_rotation(end.transpose() * start / -static_cast<double>(K));
    frames_.middleCols(n * (i + 1), n) = transport * frames_.middleCols(n * i, n);
  }
}

void StringFlow::remove_tangential() {
  const Eigen::Index n = nodes_.rows();
  for (Eigen::Index i = 0; i < gradient_.cols(); ++i) {
    Vector tangent = factors_.middleCols(n * (i + 1), n) * (nodes_.col(i + 2) - nodes_.col(i));
    const double norm = tangent.norm();
    if (!(norm > 0)) continue;
    tangent /= norm;
    gradient_.col(i) -= tangent * tangent.dot(gradient_.col(i));
  }
}

Matrix StringFlow::image(double time_step) const {
  const Eigen::Index n = nodes_.rows();
  const Eigen::Index K = nodes_.cols() - 1;
  Matrix g(n, K - 1);
  for (Eigen::Index i = 0; i < K - 1; ++i) {
    g.col(i) = -frames_.middleCols(n * (i + 1), n).transpose() * gradient_.col(i);
  }
  const Matrix x = solve_flat(g, 1 / (static_cast<double>(K) * time_step));
  Matrix out = nodes_;
  for (Eigen::Index i = 0; i < K - 1; ++i) {
    out.col(i + 1) += factors_.middleCols(n * (i + 1), n)
                          .triangularView<Eigen::Upper>()
                          .solve(frames_.middleCols(n * (i + 1), n) * x.col(i));
  }
  return out;
}

std::optional<Matrix> StringFlow::reparametrised(const Matrix& nodes) const {
  if (!nodes.allFinite()) return std::nullopt;
  return constant_speed(manifold_, Curve::through(nodes), static_cast<int>(nodes.cols()) - 1, ws_).positions();
}

bool StringFlow::step() {
  const Eigen::Index n = nodes_.rows();
  const Eigen::Index inside = nodes_.cols() - 2;
  for (; time_step_ >= kShortest; time_step_ /= kFactor) {
    std::optional<Matrix> next = reparametrised(image(time_step_));
    if (!next) continue;
    double energy = chord_energy(manifold_, *next, ws_);
    if (!(energy < energy_)) {
      mixing_.clear();
      continue;
    }
    Matrix mixed = *next;
    mixed.middleCols(1, inside) =
        mixing_.next(nodes_.middleCols(1, inside), next->middleCols(1, inside), factors_.middleCols(n, n * inside));
    if (const std::optional<Matrix> trial = reparametrised(mixed)) {
      if (chord_energy(manifold_, *trial, ws_) < energy) {
        next = trial;
      } else {
        mixing_.clear();
      }
    }
    nodes_ = std::move(*next);
    sample();
    time_step_ = std::min(kFactor * time_step_, kLongest);
    return true;
  }
  time_step_ = kLongest;
  return false;
}

}  // namespace pullback
