#include "pullback/plugins/collocation/almost_block_diagonal.h"

#include <limits>
#include <utility>

#include "pullback/base/stop.h"

namespace pullback {
namespace {

// A pivot below this share of the largest one is rounding.
constexpr double kSingular = 16 * std::numeric_limits<double>::epsilon();

bool regular(const Eigen::HouseholderQR<Matrix>& qr) {
  const Vector pivots = qr.matrixQR().diagonal().cwiseAbs();
  return pivots.minCoeff() > kSingular * pivots.maxCoeff();
}

}  // namespace

bool AlmostBlockDiagonal::factor(const std::vector<Matrix>& L, const std::vector<Matrix>& U) {
  steps_.clear();
  Matrix carry(0, L.front().cols());  // equations that are left in the present unknown
  for (std::size_t i = 0; i < L.size(); ++i) {
    throw_if_stopped();
    const Eigen::Index unknowns = L[i].cols();
    Matrix stacked(carry.rows() + L[i].rows(), unknowns);
    stacked << carry, L[i];
    Matrix next = Matrix::Zero(stacked.rows(), U[i].cols());
    next.bottomRows(U[i].rows()) = U[i];
    Step step{Eigen::HouseholderQR<Matrix>(stacked), {}};
    if (!regular(step.qr)) return false;
    next.applyOnTheLeft(step.qr.householderQ().adjoint());
    step.coupling = next.topRows(unknowns);
    carry = next.bottomRows(next.rows() - unknowns);
    steps_.push_back(std::move(step));
  }
  steps_.push_back({Eigen::HouseholderQR<Matrix>(carry), {}});
  return regular(steps_.back().qr);
}

Vector AlmostBlockDiagonal::solve(const ConstMatrixRef& b) const {
  std::vector<Vector> reduced;
  Vector carry(0);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Eigen::HouseholderQR<Matrix>& qr = steps_[i].qr;
    Vector rhs(qr.rows());
    rhs.head(carry.size()) = carry;
    if (i + 1 < steps_.size()) rhs.tail(b.rows()) = b.col(static_cast<Eigen::Index>(i));
    rhs.applyOnTheLeft(qr.householderQ().adjoint());
    carry = rhs.tail(rhs.size() - qr.cols());
    reduced.push_back(rhs.head(qr.cols()));
  }
  Vector x(b.size());
  Eigen::Index end = x.size();
  for (std::size_t i = steps_.size(); i-- > 0;) {
    const Step& step = steps_[i];
    const Eigen::Index p = step.qr.cols();
    Vector rhs = reduced[i];
    if (i + 1 < steps_.size()) rhs -= step.coupling * x.segment(end, step.coupling.cols());
    x.segment(end - p, p) = step.qr.matrixQR().topRows(p).triangularView<Eigen::Upper>().solve(rhs);
    end -= p;
  }
  return x;
}

}  // namespace pullback
