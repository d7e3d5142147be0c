#include "pullback/manifold/numerics/anderson.h"

#include <Eigen/QR>

namespace pullback {
namespace {

// Changes that depend on one another to this relative accuracy are left out of the combination.
constexpr double kDependent = 1e-12;

Vector whitened(const Matrix& factors, const Matrix& move) {
  const Eigen::Index n = move.rows();
  Vector out(move.size());
  for (Eigen::Index i = 0; i < move.cols(); ++i) {
    out.segment(n * i, n).noalias() = factors.middleCols(n * i, n) * move.col(i);
  }
  return out;
}

}  // namespace

Matrix AndersonMixing::next(const Matrix& x, const Matrix& image, const Matrix& factors) {
  const Matrix residual = image - x;
  if (x_.size() > 0 && memory_ > 0) {
    if (static_cast<int>(x_changes_.size()) == memory_) {
      x_changes_.pop_front();
      residual_changes_.pop_front();
    }
    x_changes_.push_back(x - x_);
    residual_changes_.push_back(residual - residual_);
  }
  x_ = x;
  residual_ = residual;
  Matrix out = image;
  const auto count = static_cast<Eigen::Index>(x_changes_.size());
  if (count == 0) return out;
  Matrix changes(x.size(), count);
  Vector norms(count);
  for (Eigen::Index j = 0; j < count; ++j) {
    changes.col(j) = whitened(factors, residual_changes_[static_cast<std::size_t>(j)]);
    norms(j) = changes.col(j).norm() > 0 ? changes.col(j).norm() : 1;
    changes.col(j) /= norms(j);
  }
  Eigen::ColPivHouseholderQR<Matrix> qr(changes.rows(), count);
  qr.setThreshold(kDependent);
  qr.compute(changes);
  const Vector weights = qr.solve(whitened(factors, residual)).cwiseQuotient(norms);
  for (Eigen::Index j = 0; j < count; ++j) {
    const auto k = static_cast<std::size_t>(j);
    out -= weights(j) * (x_changes_[k] + residual_changes_[k]);
  }
  return out;
}

void AndersonMixing::clear() {
  x_.resize(0, 0);
  residual_.resize(0, 0);
  x_changes_.clear();
  residual_changes_.clear();
}

}  // namespace pullback
