#include "pullback/manifold/metric_manifold.h"

#include <fmt/format.h>

#include <Eigen/QR>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "pullback/manifold/chord_form.h"
#include "pullback/manifold/chord_model.h"
#include "pullback/manifold/whitening.h"

namespace pullback {
namespace {

using Eigen::Index;

const MetricField& require(const std::shared_ptr<const MetricField>& field, const std::string& name) {
  if (!field) throw std::invalid_argument(fmt::format("MetricManifold '{}': the metric is null", name));
  return *field;
}

// Chords of a discrete curve seen from their middles, in directions of unit length there.
struct Middles {
  Matrix points;
  Matrix chords;
  Matrix factor;      // R_m, floored
  Matrix directions;  // R_m⁻¹
  Matrix ends;        // R_i⁻¹ at the nodes
  // What a whitened step of node i moves in the directions of the chord to its right (left = 0) or left (1).
  Matrix step(Index i, Index left) const {
    const Index n = points.rows();
    return factor.middleCols(n * (i - left), n).triangularView<Eigen::Upper>() * ends.middleCols(n * i, n);
  }
};

Middles middles_of(const MetricField& field, const ConstMatrixRef& Z, const ConstMatrixRef& R, Workspace& ws) {
  const Index K = Z.cols() - 1;
  Middles out;
  // Not half of the sum, which overflows where the points do not.
  out.points = 0.5 * Z.leftCols(K) + 0.5 * Z.rightCols(K);
  out.chords = Z.rightCols(K) - Z.leftCols(K);
  out.factor.resize(Z.rows(), Z.rows() * K);
  field.factor(out.points, out.factor, ws);
  floor_diagonal(out.factor);
  out.directions = block_inverses(out.factor);
  out.ends = block_inverses(R);
  return out;
}

// A chord's residual √K ν, ν = R_m δ, and its Jacobian. To first order R(m + x) is (I + ½ R⁻ᵀdM[x]R⁻¹) R: the frame
// that turns least, so that the rows are √K(±I + ¼ D).
void gauss_newton_rows(const ChordForms& forms, const Middles& middles, Index i, double K, VectorRef residual,
                       MatrixRef jacobian) {
  const Index n = forms.f.rows();
  residual.setZero();
  jacobian.setZero();
  const Matrix turn = 0.25 * forms.D.middleCols(n * i, n);
  const Matrix identity = Matrix::Identity(n, n);
  residual.head(n) = std::sqrt(K) * (middles.factor.middleCols(n * i, n) * middles.chords.col(i));
  jacobian.topLeftCorner(n, n) = std::sqrt(K) * (turn - identity) * middles.step(i, 0);
  jacobian.topRightCorner(n, n) = std::sqrt(K) * (turn + identity) * middles.step(i + 1, 1);
}

}  // namespace

MetricManifold::MetricManifold(std::string name, std::shared_ptr<const MetricField> field, bool smooth)
    : Manifold(require(field, name).dimension(), name, smooth), field_(std::move(field)) {
  set_derivatives(Derivative::kExact, field_->derivatives());
}

MetricManifold::MetricManifold(int dimension, std::string name, MetricFunction metric)
    : MetricManifold(std::move(name), metric_of_numbers(dimension, std::move(metric))) {}

void MetricManifold::do_metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const { field_->metric(Z, M, ws); }

void MetricManifold::do_factor(const ConstMatrixRef& Z, MatrixRef R, Workspace& ws) const { field_->factor(Z, R, ws); }

Vector MetricManifold::whitened_acceleration(const ConstMatrixRef& Z, const Matrix& directions,
                                             const Matrix& velocities, Matrix& accelerations, Workspace& ws) const {
  const Index n = dimension();
  const Index K = Z.cols();
  Matrix F(n, n * K);
  Matrix B(n, n * n * K);
  Vector error = field_->first(Z, directions, directions, F, B, ws);
  for (Index p = 0; p < K; ++p) {
    const auto v = velocities.col(p);
    Vector alpha = Vector::Zero(n);
    for (Index k = 0; k < n; ++k) {
      const Vector slope = B.middleCols(n * (n * p + k), n) * v;
      alpha -= v(k) * slope;
      alpha(k) += 0.5 * v.dot(slope);
    }
    accelerations.col(p) = alpha;
    // |Σ v_k ΔB_k v| ≤ √n |v|² |ΔB|, and half of it from the second term.
    error(p) *= 1.5 * std::sqrt(static_cast<double>(n)) * v.squaredNorm();
  }
  return error;
}

void MetricManifold::do_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A,
                                     Workspace& ws) const {
  const Index n = dimension();
  Matrix R(n, n * Z.cols());
  field_->factor(Z, R, ws);
  const Matrix exact = R;
  floor_diagonal(R);
  const Matrix directions = block_inverses(R);
  Matrix velocities(n, Z.cols());
  for (Index k = 0; k < Z.cols(); ++k) velocities.col(k) = R.middleCols(n * k, n) * V.col(k);
  Matrix accelerations(n, Z.cols());
  whitened_acceleration(Z, directions, velocities, accelerations, ws);
  for (Index k = 0; k < Z.cols(); ++k) {
    const auto raised = R.middleCols(n * k, n);
    const auto given = exact.middleCols(n * k, n);
    A.col(k) = directions.middleCols(n * k, n) * accelerations.col(k);
    if (raised == given || !given.allFinite()) continue;
    // Singular: the right side RᵀR a = R̃ᵀα in the given factor, of least norm.
    const Matrix M = given.transpose() * given;
    A.col(k) = M.completeOrthogonalDecomposition().solve(raised.transpose() * accelerations.col(k));
  }
}

void MetricManifold::do_acceleration_error(const ConstMatrixRef& Z, const ConstMatrixRef& V, VectorRef e,
                                           Workspace& ws) const {
  if (field_->derivatives() == Derivative::kExact) {
    e.setZero();
    return;
  }
  const Index n = dimension();
  Matrix R(n, n * Z.cols());
  field_->factor(Z, R, ws);
  floor_diagonal(R);
  Matrix velocities(n, Z.cols());
  for (Index k = 0; k < Z.cols(); ++k) velocities.col(k) = R.middleCols(n * k, n) * V.col(k);
  Matrix accelerations(n, Z.cols());
  e = whitened_acceleration(Z, block_inverses(R), velocities, accelerations, ws);
}

void MetricManifold::do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const {
  const Index K = Z.cols() - 1;
  field_->lengths(0.5 * Z.leftCols(K) + 0.5 * Z.rightCols(K), Z.rightCols(K) - Z.leftCols(K), d, ws);
}

void MetricManifold::do_segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual,
                                 MatrixRef jacobian, Workspace& ws) const {
  const Index n = dimension();
  const Index K = Z.cols() - 1;
  const auto scale = static_cast<double>(K);
  field_->factor(Z, R, ws);
  floor_diagonal(R);
  const Middles middles = middles_of(*field_, Z, R, ws);
  const bool second = model == HessianModel::kProjectedNewton;
  const ChordForms forms = chord_forms(*field_, middles.points, middles.chords, middles.directions, second, ws);
  for (Index i = 0; i < K; ++i) {
    auto rows = jacobian.middleCols(2 * n * i, 2 * n);
    if (!second) {
      gauss_newton_rows(forms, middles, i, scale, residual.col(i), rows);
      continue;
    }
    const Matrix left = middles.step(i, 0);
    const Matrix right = middles.step(i + 1, 1);
    compress_chord(chord_gradient(forms, i, left, right, scale), chord_hessian(forms, i, left, right, scale, false),
                   std::sqrt(scale * forms.q(i)), residual.col(i), rows);
  }
}

Variation MetricManifold::do_variation(const ConstMatrixRef& Z, Workspace& ws) const {
  const Index n = dimension();
  const Index K = Z.cols() - 1;
  const auto scale = static_cast<double>(K);
  Variation out;
  out.factor.resize(n, n * (K + 1));
  field_->factor(Z, out.factor, ws);
  Matrix R = out.factor;
  floor_diagonal(R);
  const Middles middles = middles_of(*field_, Z, R, ws);
  const ChordForms forms = chord_forms(*field_, middles.points, middles.chords, middles.directions, true, ws);
  out.energy = 0.5 * scale * forms.q.sum();
  out.gradient = smooth_gradient(*field_, Z, middles.ends, ws);
  out.chord_gradient.setZero(n, K - 1);
  out.hessian.diagonal.setZero(n, n * (K - 1));
  out.hessian.upper.setZero(n, n * (K - 2));
  for (Index i = 0; i < K; ++i) {
    add_chord(chord_gradient(forms, i, middles.step(i, 0), middles.step(i + 1, 1), scale),
              chord_hessian(forms, i, middles.step(i, 0), middles.step(i + 1, 1), scale, false), i, out);
  }
  return out;
}

}  // namespace pullback
