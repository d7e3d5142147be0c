#include "pullback/plugins/collocation/lobatto.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "pullback/base/stop.h"
#include "pullback/plugins/collocation/almost_block_diagonal.h"

namespace pullback {
namespace {

// A Newton step is not damped further than this.
constexpr double kSmallestDamping = 1.0 / 1024;
// A derivative is kept while it brings corrections down to this share.
constexpr double kKeepDerivative = 0.1;
// Corrections of this many roundings of the coordinates cannot be told from none.
constexpr double kRoundings = 100;

// What the equations say of the values: accelerations at the nodes, the middles, and the gaps Φ, 2n×m.
struct Evaluation {
  Matrix a;
  Matrix y_middle, v_middle, a_middle;
  Matrix gaps;
  bool finite() const { return gaps.allFinite(); }
};

// Whether there is a derivative to go by: none, one of values before, that of these.
enum class Derivative { kNone, kKept, kFresh };

class MeshNewton {
 public:
  MeshNewton(const WhitenedChart& chart, MeshValues start, SolveContext& context)
      : chart_(chart),
        context_(context),
        n_(chart.dimension()),
        m_(start.t.size() - 1),
        h_(start.t.tail(m_) - start.t.head(m_)),
        values_(std::move(start)) {}

  MeshSolution run(const NewtonBounds& bounds, int first_iteration);

 private:
  Evaluation evaluate(const MeshValues& values) const;
  bool linearise();
  Matrix derivative_at(const Matrix& y, const Matrix& v, const Matrix& a, const Matrix& R) const;
  bool factor(const Matrix& node_derivatives, const Matrix& middle_derivatives);
  Vector correction_of(const Evaluation& at) const;
  double norm(const Vector& correction) const;
  MeshValues moved(double damping) const;
  bool damped_step();
  IterationStatus finish(MeshSolution& out);

  auto node_factor(Eigen::Index i) const { return node_factors_.middleCols(n_ * i, n_).triangularView<Eigen::Upper>(); }
  auto middle_factor(Eigen::Index i) const {
    return middle_factors_.middleCols(n_ * i, n_).triangularView<Eigen::Upper>();
  }

  const WhitenedChart& chart_;
  SolveContext& context_;
  Eigen::Index n_, m_;
  Vector h_;
  MeshValues values_;
  Evaluation at_;  // of the values
  // Of the values where the derivative was taken: metrics, length, and the derivative.
  Matrix node_factors_, middle_factors_;
  double length_ = 0;
  AlmostBlockDiagonal jacobian_;
  Derivative derivative_ = Derivative::kNone;
  Vector correction_;  // whitened: v_0, (y_1, v_1), …, (y_{m−1}, v_{m−1}), v_m
};

Evaluation MeshNewton::evaluate(const MeshValues& values) const {
  Evaluation out;
  const auto left = [&](const Matrix& X) { return X.leftCols(m_); };
  const auto right = [&](const Matrix& X) { return X.rightCols(m_); };
  const auto h = h_.asDiagonal();
  out.a.resize(n_, m_ + 1);
  out.a_middle.resize(n_, m_);
  chart_.acceleration(values.y, values.v, out.a, context_.workspace());
  out.y_middle = 0.5 * (left(values.y) + right(values.y)) + 0.125 * (left(values.v) - right(values.v)) * h;
  out.v_middle = 0.5 * (left(values.v) + right(values.v)) + 0.125 * (left(out.a) - right(out.a)) * h;
  chart_.acceleration(out.y_middle, out.v_middle, out.a_middle, context_.workspace());
  out.gaps.resize(2 * n_, m_);
  out.gaps.topRows(n_) =
      right(values.y) - left(values.y) - (left(values.v) + 4 * out.v_middle + right(values.v)) * h / 6;
  out.gaps.bottomRows(n_) = right(values.v) - left(values.v) - (left(out.a) + 4 * out.a_middle + right(out.a)) * h / 6;
  return out;
}

// [∂a/∂y ∂a/∂v] at every point, n×2n each, in the chart; `a` is the acceleration there.
Matrix MeshNewton::derivative_at(const Matrix& y, const Matrix& v, const Matrix& a, const Matrix& R) const {
  const Eigen::Index points = y.cols();
  Matrix out(n_, 2 * n_ * points);
  Matrix direction(n_, points), moved(n_, points);
  const double noise = std::max(std::numeric_limits<double>::epsilon(), chart_.rounding() / length_);
  const double step = std::sqrt(noise) * length_;
  for (Eigen::Index column = 0; column < 2 * n_; ++column) {
    const bool by_velocity = column >= n_;
    const Vector unit = Vector::Unit(n_, by_velocity ? column - n_ : column);
    for (Eigen::Index k = 0; k < points; ++k) {
      direction.col(k) = step * R.middleCols(n_ * k, n_).triangularView<Eigen::Upper>().solve(unit);
    }
    if (by_velocity) {
      chart_.acceleration(y, v + direction, moved, context_.workspace());
    } else {
      chart_.acceleration(y + direction, v, moved, context_.workspace());
    }
    for (Eigen::Index k = 0; k < points; ++k) out.col(2 * n_ * k + column) = (moved.col(k) - a.col(k)) / step;
  }
  for (Eigen::Index k = 0; k < points; ++k) {
    const auto block = R.middleCols(n_ * k, n_).triangularView<Eigen::Upper>();
    for (const Eigen::Index half : {Eigen::Index{0}, n_}) {
      out.middleCols(2 * n_ * k + half, n_) = (out.middleCols(2 * n_ * k + half, n_) * block).eval();
    }
  }
  return out;
}

// Metrics and derivative at the values.
bool MeshNewton::linearise() {
  derivative_ = Derivative::kNone;
  node_factors_ = chart_.factor(values_.y, context_.workspace());
  middle_factors_ = chart_.factor(at_.y_middle, context_.workspace());
  if (!node_factors_.allFinite() || !middle_factors_.allFinite()) return false;
  double energy = 0;
  for (Eigen::Index i = 0; i < m_; ++i) energy += h_(i) * (middle_factor(i) * at_.v_middle.col(i)).squaredNorm();
  length_ = std::sqrt(energy);
  if (!(length_ > 0) || !std::isfinite(length_)) return false;
  const Matrix at_nodes = derivative_at(values_.y, values_.v, at_.a, node_factors_);
  const Matrix at_middles = derivative_at(at_.y_middle, at_.v_middle, at_.a_middle, middle_factors_);
  if (!at_nodes.allFinite() || !at_middles.allFinite()) return false;
  if (factor(at_nodes, at_middles)) derivative_ = Derivative::kFresh;
  return true;
}

// With A = [0 I; ∂a/∂y ∂a/∂v]:  ∂Φ/∂x_i = −I − h/6 (A_i + 4 A_½ (½I + h/8 A_i)), and with signs turned for x_{i+1}.
bool MeshNewton::factor(const Matrix& node_derivatives, const Matrix& middle_derivatives) {
  const Eigen::Index N = 2 * n_;
  const auto system = [&](const Matrix& derivatives, Eigen::Index k) {
    Matrix A = Matrix::Zero(N, N);
    A.topRightCorner(n_, n_).setIdentity();
    A.bottomRows(n_) = derivatives.middleCols(N * k, N);
    return A;
  };
  const auto whitened = [&](Matrix block, Eigen::Index row, Eigen::Index column) {
    for (const Eigen::Index half : {Eigen::Index{0}, n_}) {
      block.middleRows(half, n_) = (middle_factor(row) * block.middleRows(half, n_)).eval();
      block.middleCols(half, n_) =
          node_factor(column).template solve<Eigen::OnTheRight>(block.middleCols(half, n_)).eval();
    }
    const bool end = column == 0 || column == m_;
    return Matrix(block.rightCols(end ? n_ : N));
  };
  const Matrix identity = Matrix::Identity(N, N);
  std::vector<Matrix> lefts, rights;
  Matrix A_left = system(node_derivatives, 0);
  for (Eigen::Index i = 0; i < m_; ++i) {
    throw_if_stopped();
    const Matrix A_right = system(node_derivatives, i + 1);
    const Matrix A_middle = system(middle_derivatives, i);
    const double h = h_(i);
    lefts.push_back(whitened(-identity - h / 6 * (A_left + 4 * A_middle * (0.5 * identity + h / 8 * A_left)), i, i));
    rights.push_back(
        whitened(identity - h / 6 * (A_right + 4 * A_middle * (0.5 * identity - h / 8 * A_right)), i, i + 1));
    A_left = A_right;
  }
  return jacobian_.factor(lefts, rights);
}

Vector MeshNewton::correction_of(const Evaluation& at) const {
  Matrix gaps(2 * n_, m_);
  for (Eigen::Index i = 0; i < m_; ++i) {
    gaps.col(i).head(n_) = -(middle_factor(i) * at.gaps.col(i).head(n_));
    gaps.col(i).tail(n_) = -(middle_factor(i) * at.gaps.col(i).tail(n_));
  }
  return jacobian_.solve(gaps);
}

// Root mean square over t, so that it does not depend on the mesh.
double MeshNewton::norm(const Vector& correction) const {
  double sum = 0;
  Eigen::Index start = 0;
  for (Eigen::Index i = 0; i <= m_; ++i) {
    const bool end = i == 0 || i == m_;
    const double weight = 0.5 * ((i > 0 ? h_(i - 1) : 0) + (i < m_ ? h_(i) : 0));
    const Eigen::Index size = end ? n_ : 2 * n_;
    sum += weight * correction.segment(start, size).squaredNorm();
    start += size;
  }
  return std::sqrt(sum);
}

MeshValues MeshNewton::moved(double damping) const {
  MeshValues out = values_;
  Eigen::Index start = 0;
  for (Eigen::Index i = 0; i <= m_; ++i) {
    if (i > 0 && i < m_) {
      out.y.col(i) += damping * node_factor(i).solve(correction_.segment(start, n_));
      start += n_;
    }
    out.v.col(i) += damping * node_factor(i).solve(correction_.segment(start, n_));
    start += n_;
  }
  return out;
}

// Moves the values by the longest step after which the simplified correction is shorter by the share that the step
// promises, and takes that correction for the next. False: there is none, and nothing has moved.
bool MeshNewton::damped_step() {
  const double size = norm(correction_);
  // No further than the curve is long: beyond, the linearisation says nothing.
  for (double damping = std::min(1.0, length_ / size); damping >= kSmallestDamping; damping /= 2) {
    MeshValues trial = moved(damping);
    Evaluation at = evaluate(trial);
    if (at.finite()) {
      Vector next = correction_of(at);
      const double ratio = norm(next) / size;
      if (ratio <= 1 - damping / 4) {
        values_ = std::move(trial);
        at_ = std::move(at);
        correction_ = std::move(next);
        derivative_ = ratio <= kKeepDerivative ? Derivative::kKept : Derivative::kNone;
        return true;
      }
    }
    if (derivative_ == Derivative::kKept || context_.should_stop()) return false;
  }
  return false;
}

// Takes the last correction, which is too short to matter, and makes the curve.
IterationStatus MeshNewton::finish(MeshSolution& out) {
  MeshValues last = moved(1);
  Evaluation at = evaluate(last);
  if (!at.finite()) return IterationStatus::kNotFinite;
  out.curve = Curve(std::move(last.t), std::move(last.y), std::move(last.v), std::move(at.a));
  return IterationStatus::kConverged;
}

MeshSolution MeshNewton::run(const NewtonBounds& bounds, int first_iteration) {
  MeshSolution out;
  at_ = evaluate(values_);
  while (true) {
    if (context_.should_stop()) {
      out.status = IterationStatus::kStopped;
      break;
    }
    if (derivative_ == Derivative::kNone) {
      if (!at_.finite() || !linearise()) break;
      if (derivative_ == Derivative::kNone) {
        out.status = IterationStatus::kSingular;
        break;
      }
      correction_ = correction_of(at_);
    }
    out.length = length_;
    out.correction = norm(correction_) / length_;
    context_.record(first_iteration + out.iterations, length_);
    if (!std::isfinite(out.correction)) break;
    if (out.correction <= std::max(bounds.tolerance, kRoundings * chart_.rounding() / length_)) {
      out.status = finish(out);
      break;
    }
    if (out.iterations == bounds.max_iterations) {
      out.status = IterationStatus::kMaxIterations;
      break;
    }
    if (damped_step()) {
      ++out.iterations;
    } else if (derivative_ == Derivative::kFresh) {
      out.status = context_.should_stop() ? IterationStatus::kStopped : IterationStatus::kStalled;
      break;
    } else {
      derivative_ = Derivative::kNone;
    }
  }
  return out;
}

}  // namespace

MeshValues values_on(const Curve& curve, Vector mesh) {
  Matrix y = curve.position(mesh);
  Matrix v = curve.velocity(mesh);
  return {std::move(mesh), std::move(y), std::move(v)};
}

MeshSolution solve_on_mesh(const WhitenedChart& chart, MeshValues start, const NewtonBounds& bounds,
                           int first_iteration, SolveContext& context) {
  return MeshNewton(chart, std::move(start), context).run(bounds, first_iteration);
}

}  // namespace pullback
