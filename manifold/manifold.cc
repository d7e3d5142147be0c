#include "pullback/manifold/manifold.h"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "pullback/base/stop.h"
#include "pullback/manifold/numerics/chords.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

// The factors of blocks of this size take long enough to ask whether to stop at each.
constexpr Eigen::Index kLargeBlock = 8;

void require_shape(const char* method, const char* argument, Eigen::Index rows, Eigen::Index cols,
                   Eigen::Index want_rows, Eigen::Index want_cols) {
  if (rows == want_rows && cols == want_cols) return;
  throw std::invalid_argument(
      fmt::format("Manifold::{}: {} must be {}×{}, got {}×{}", method, argument, want_rows, want_cols, rows, cols));
}

}  // namespace

Manifold::Manifold(int dimension, std::string name, bool smooth, std::shared_ptr<const Generator> generator)
    : dimension_(dimension), name_(std::move(name)), smooth_(smooth), generator_(std::move(generator)) {
  if (dimension_ < 1) {
    throw std::invalid_argument(fmt::format("manifold '{}': dimension must be at least 1, got {}", name_, dimension_));
  }
  if (generator_) set_derivatives(generator_->traits().first, generator_->traits().second);
}

void Manifold::set_derivatives(Derivative first, Derivative second) {
  first_ = first;
  second_ = second;
}

void Manifold::metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const {
  require_shape("metric", "Z", Z.rows(), Z.cols(), dimension_, Z.cols());
  require_shape("metric", "M", M.rows(), M.cols(), dimension_, dimension_ * Z.cols());
  do_metric(Z, M, ws);
}

void Manifold::factor(const ConstMatrixRef& Z, MatrixRef R, Workspace& ws) const {
  require_shape("factor", "Z", Z.rows(), Z.cols(), dimension_, Z.cols());
  require_shape("factor", "R", R.rows(), R.cols(), dimension_, dimension_ * Z.cols());
  do_factor(Z, R, ws);
}

void Manifold::acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const {
  require_shape("acceleration", "Z", Z.rows(), Z.cols(), dimension_, Z.cols());
  require_shape("acceleration", "V", V.rows(), V.cols(), dimension_, Z.cols());
  require_shape("acceleration", "A", A.rows(), A.cols(), dimension_, Z.cols());
  do_acceleration(Z, V, A, ws);
}

void Manifold::acceleration_error(const ConstMatrixRef& Z, const ConstMatrixRef& V, VectorRef e, Workspace& ws) const {
  require_shape("acceleration_error", "Z", Z.rows(), Z.cols(), dimension_, Z.cols());
  require_shape("acceleration_error", "V", V.rows(), V.cols(), dimension_, Z.cols());
  require_shape("acceleration_error", "e", e.size(), 1, Z.cols(), 1);
  do_acceleration_error(Z, V, e, ws);
}

void Manifold::chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const {
  require_shape("chords", "Z", Z.rows(), Z.cols(), dimension_, Z.cols());
  require_shape("chords", "d", d.size(), 1, std::max<Eigen::Index>(Z.cols() - 1, 0), 1);
  if (d.size() > 0) do_chords(Z, d, ws);
}

void Manifold::acceleration_and_factor(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, MatrixRef R,
                                       Workspace& ws) const {
  const Eigen::Index n = dimension_;
  require_shape("acceleration_and_factor", "Z", Z.rows(), Z.cols(), n, Z.cols());
  require_shape("acceleration_and_factor", "V", V.rows(), V.cols(), n, Z.cols());
  require_shape("acceleration_and_factor", "A", A.rows(), A.cols(), n, Z.cols());
  require_shape("acceleration_and_factor", "R", R.rows(), R.cols(), n, n * Z.cols());
  do_acceleration_and_factor(Z, V, A, R, ws);
}

void Manifold::chords_between(const ConstMatrixRef& Z, std::span<const Pair> pairs, VectorRef d, Workspace& ws) const {
  require_shape("chords_between", "Z", Z.rows(), Z.cols(), dimension_, Z.cols());
  require_shape("chords_between", "d", d.size(), 1, static_cast<Eigen::Index>(pairs.size()), 1);
  if (!pairs.empty()) do_chords_between(Z, pairs, d, ws);
}

void Manifold::segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual,
                        MatrixRef jacobian, Workspace& ws) const {
  const Eigen::Index n = dimension_;
  const Eigen::Index chords = Z.cols() - 1;
  if (chords < 1) throw std::invalid_argument("Manifold::segments: Z must have at least 2 columns");
  require_shape("segments", "Z", Z.rows(), Z.cols(), n, Z.cols());
  require_shape("segments", "R", R.rows(), R.cols(), n, n * Z.cols());
  require_shape("segments", "residual", residual.rows(), residual.cols(), 2 * n + 1, chords);
  require_shape("segments", "jacobian", jacobian.rows(), jacobian.cols(), 2 * n + 1, 2 * n * chords);
  do_segments(Z, model, R, residual, jacobian, ws);
}

Variation Manifold::variation(const ConstMatrixRef& Z, Workspace& ws) const {
  require_shape("variation", "Z", Z.rows(), Z.cols(), dimension_, std::max<Eigen::Index>(Z.cols(), 7));
  return do_variation(Z, ws);
}

NestedVariations Manifold::nested_variations(const ConstMatrixRef& Z, Workspace& ws) const {
  require_shape("nested_variations", "Z", Z.rows(), Z.cols(), dimension_,
                std::max<Eigen::Index>(Z.cols() - (Z.cols() + 1) % 2, 13));
  return do_nested_variations(Z, ws);
}

std::unique_ptr<const VariationProducts> Manifold::variation_products(const ConstMatrixRef& Z, Workspace& ws) const {
  require_shape("variation_products", "Z", Z.rows(), Z.cols(), dimension_, std::max<Eigen::Index>(Z.cols(), 7));
  return prefers_products_ ? do_variation_products(Z, ws) : nullptr;
}

int Manifold::frame_dimension() const { return do_frame_dimension(); }

void Manifold::push_forward(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef T, Workspace& ws) const {
  require_shape("push_forward", "Z", Z.rows(), Z.cols(), dimension_, Z.cols());
  require_shape("push_forward", "V", V.rows(), V.cols(), dimension_, Z.cols());
  require_shape("push_forward", "T", T.rows(), T.cols(), frame_dimension(), Z.cols());
  do_push_forward(Z, V, T, ws);
}

double Manifold::inner(const ConstVectorRef& z, const ConstVectorRef& u, const ConstVectorRef& v) const {
  Workspace ws;
  Matrix R(dimension_, dimension_);
  factor(z, R, ws);
  require_shape("inner", "u", u.rows(), 1, dimension_, 1);
  require_shape("inner", "v", v.rows(), 1, dimension_, 1);
  return (R * u).dot(R * v);
}

double Manifold::norm(const ConstVectorRef& z, const ConstVectorRef& v) const { return std::sqrt(inner(z, v, v)); }

Matrix Manifold::metric(const ConstMatrixRef& Z) const {
  Workspace ws;
  Matrix M(dimension_, dimension_ * Z.cols());
  metric(Z, M, ws);
  return M;
}

void Manifold::do_factor(const ConstMatrixRef& Z, MatrixRef R, Workspace& ws) const {
  const Eigen::Index n = dimension_;
  do_metric(Z, R, ws);
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    if (n >= kLargeBlock) throw_if_stopped();
    R.middleCols(n * k, n) = square_root_factor(R.middleCols(n * k, n));
  }
}

NestedVariations Manifold::do_nested_variations(const ConstMatrixRef& Z, Workspace& ws) const {
  const Matrix second = Z(Eigen::all, Eigen::seq(0, Z.cols() - 1, 2));
  NestedVariations out{do_variation(Z, ws), do_variation(second, ws), Vector(Z.cols() - 1), Vector(Z.cols() - 2)};
  const std::vector<Pair> pairs = chords_over_one_and_two(Z.cols() - 1);
  Vector d(static_cast<Eigen::Index>(pairs.size()));
  do_chords_between(Z, pairs, d, ws);
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const auto [from, to] = pairs[p];
    (to == from + 1 ? out.chords : out.double_chords)(from) = d(static_cast<Eigen::Index>(p));
  }
  return out;
}

std::unique_ptr<const VariationProducts> Manifold::do_variation_products(const ConstMatrixRef& /*Z*/,
                                                                         Workspace& /*ws*/) const {
  return nullptr;
}

int Manifold::do_frame_dimension() const { return dimension_; }

void Manifold::do_push_forward(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef T, Workspace& ws) const {
  const Eigen::Index n = dimension_;
  Workspace::Frame frame(ws);
  auto R = frame.matrix(n, n * Z.cols());
  do_factor(Z, R, ws);
  for (Eigen::Index k = 0; k < Z.cols(); ++k) T.col(k).noalias() = R.middleCols(n * k, n) * V.col(k);
}

void Manifold::do_acceleration_and_factor(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, MatrixRef R,
                                          Workspace& ws) const {
  do_acceleration(Z, V, A, ws);
  do_factor(Z, R, ws);
}

void Manifold::do_chords_between(const ConstMatrixRef& Z, std::span<const Pair> pairs, VectorRef d,
                                 Workspace& ws) const {
  std::vector<Eigen::Index> walk{pairs.front()[0]};
  std::vector<std::size_t> step;  // of each pair, in the walk
  for (const auto& [from, to] : pairs) {
    if (walk.back() != from) walk.push_back(from);
    step.push_back(walk.size() - 1);
    walk.push_back(to);
  }
  Vector lengths(static_cast<Eigen::Index>(walk.size()) - 1);
  do_chords(Z(Eigen::all, walk), lengths, ws);
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    d(static_cast<Eigen::Index>(p)) = lengths(static_cast<Eigen::Index>(step[p]));
  }
}

void Manifold::do_acceleration_error(const ConstMatrixRef& /*Z*/, const ConstMatrixRef& /*V*/, VectorRef e,
                                     Workspace& /*ws*/) const {
  e.setZero();
}

}  // namespace pullback
