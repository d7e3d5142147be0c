#include "pullback/plugins/georce/control_problem.h"

#include <Eigen/QR>
#include <algorithm>
#include <utility>
#include <vector>

#include "pullback/base/stop.h"

namespace pullback {
namespace {

// A pair whose product is below this fraction of the largest possible shows no curvature but rounding.
constexpr double kLeastCurvature = 1e-10;
// Rows that are factored at a time: a group takes well below a second.
constexpr Eigen::Index kRows = 2048;

double product(const ConstMatrixRef& a, const ConstMatrixRef& b) { return a.cwiseProduct(b).sum(); }

}  // namespace

ControlProblem::ControlProblem(Matrix roots) : roots_(std::move(roots)) {
  const Eigen::Index n = roots_.rows();
  const Eigen::Index T = roots_.cols() / n;
  inverse_.resize(n, n * T);
  const Eigen::Index group = std::max<Eigen::Index>(1, kRows / n);
  triangle_.resize(0, n);
  for (Eigen::Index first = 0; first < T; first += group) {
    throw_if_stopped();
    const Eigen::Index count = std::min(group, T - first);
    Matrix stacked(triangle_.rows() + n * count, n);
    stacked.topRows(triangle_.rows()) = triangle_.triangularView<Eigen::Upper>();
    for (Eigen::Index t = first; t < first + count; ++t) {
      inverse_.middleCols(n * t, n) =
          roots_.middleCols(n * t, n).triangularView<Eigen::Upper>().solve(Matrix::Identity(n, n));
      stacked.middleRows(triangle_.rows() + n * (t - first), n) = inverse_.middleCols(n * t, n).transpose();
    }
    const Eigen::HouseholderQR<Matrix> qr(stacked);
    Q_.emplace_back(qr.householderQ() * Matrix::Identity(stacked.rows(), n));
    triangle_ = qr.matrixQR().topRows(n);
  }
}

// Qᵀx of the QR of all roots' inverses, one group after the other.
Vector ControlProblem::projection(const ConstVectorRef& x) const {
  Vector out(0);
  Eigen::Index first = 0;
  for (const Matrix& Q : Q_) {
    Vector rows(Q.rows());
    rows << out, x.segment(first, Q.rows() - out.size());
    first += Q.rows() - out.size();
    out = Q.transpose() * rows;
  }
  return out;
}

Matrix ControlProblem::solve(const ConstMatrixRef& q) const {
  const Eigen::Index n = roots_.rows();
  const Eigen::Index T = roots_.cols() / n;
  Matrix scaled(n, T);  // R_t⁻ᵀ S_t, then R_t⁻ᵀ (S_t − c)
  Vector sum = Vector::Zero(n);
  for (Eigen::Index t = T - 1; t >= 0; --t) {
    if (t < T - 1) sum += q.col(t);
    scaled.col(t).noalias() = inverse_.middleCols(n * t, n).transpose() * sum;
  }
  const Vector c = triangle_.triangularView<Eigen::Upper>().solve(projection(scaled.reshaped()));
  Matrix move(n, T - 1);
  sum.setZero();
  for (Eigen::Index t = 0; t + 1 < T; ++t) {
    const auto inverse = inverse_.middleCols(n * t, n);
    sum += inverse * (scaled.col(t) - inverse.transpose() * c);
    move.col(t) = sum;
  }
  return move;
}

void CurvatureMemory::add(Matrix step, Matrix change) {
  const double sy = product(step, change);
  if (length_ == 0 || !(sy > kLeastCurvature * step.norm() * change.norm())) return;
  if (static_cast<int>(pairs_.size()) == length_) pairs_.pop_front();
  pairs_.push_back({std::move(step), std::move(change), sy});
}

Matrix CurvatureMemory::direction(const ConstMatrixRef& gradient, const ControlProblem& problem, double scale) const {
  Matrix q = -gradient;
  std::vector<double> weight(pairs_.size());
  for (std::size_t i = pairs_.size(); i-- > 0;) {
    weight[i] = product(pairs_[i].step, q) / pairs_[i].product;
    q -= weight[i] * pairs_[i].change;
  }
  Matrix move = problem.solve(q) / scale;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    move += (weight[i] - product(pairs_[i].change, move) / pairs_[i].product) * pairs_[i].step;
  }
  return move;
}

}  // namespace pullback
