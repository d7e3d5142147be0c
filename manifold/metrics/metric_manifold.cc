#include "pullback/manifold/metrics/metric_manifold.h"

#include <fmt/format.h>

#include <Eigen/QR>
#include <algorithm>
#include <array>
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

const MetricField& require(const std::shared_ptr<const MetricField>& field, const std::string& name) {
  if (!field) throw std::invalid_argument(fmt::format("MetricManifold '{}': the metric is null", name));
  return *field;
}

// Simpson's rule along the chord: at its ends too, so that no chord jumps over what is near one of them. The metric in
// the middle alone is nearly blind to a chord from y = 1 to y = 1e6 of the half-plane, whose length it calls 2.
constexpr std::array<ChordPlace, 3> kPlaces{{{0, 1.0 / 6}, {0.5, 4.0 / 6}, {1, 1.0 / 6}}};

// Not from a sum of points, which overflows where the points do not.
Matrix points_at(const ConstMatrixRef& Z, ChordPlace place) {
  const Index K = Z.cols() - 1;
  if (place.share == 0) return Z.leftCols(K);
  if (place.share == 1) return Z.rightCols(K);
  return (1 - place.share) * Z.leftCols(K) + place.share * Z.rightCols(K);
}

Matrix chords_of(const ConstMatrixRef& Z) { return Z.rightCols(Z.cols() - 1) - Z.leftCols(Z.cols() - 1); }

// One place on every chord of a discrete curve, seen in directions of unit length there.
struct Places {
  ChordPlace place;
  Matrix factor;  // R there, floored
  ChordForms forms;
  // What a whitened step of the chord's left (side = 0) or right end moves in these directions.
  Matrix step(Index chord, Index side, const Matrix& inverse_factors) const {
    const Index n = factor.rows();
    return factor.middleCols(n * chord, n).triangularView<Eigen::Upper>() *
           inverse_factors.middleCols(n * (chord + side), n);
  }
};

std::vector<Places> places_on(const MetricField& field, const ConstMatrixRef& Z, bool second, Workspace& ws) {
  std::vector<Places> out;
  for (const ChordPlace place : kPlaces) {
    const Matrix points = points_at(Z, place);
    Places at{place, Matrix(Z.rows(), Z.rows() * points.cols()), {}};
    field.factor(points, at.factor, ws);
    floor_diagonal(at.factor);
    at.forms = chord_forms(field, points, chords_of(Z), block_inverses(at.factor), second, ws);
    out.push_back(std::move(at));
  }
  return out;
}

// Energy, gradient and Hessian of one chord of K, whitened at its ends.
struct ChordModel {
  double energy = 0;
  Vector gradient;
  Matrix hessian;
};

ChordModel chord_model(const std::vector<Places>& places, Index i, const Matrix& inverse_factors, double K) {
  const Index n = inverse_factors.rows();
  ChordModel out{0, Vector::Zero(2 * n), Matrix::Zero(2 * n, 2 * n)};
  for (const Places& at : places) {
    const Matrix left = at.step(i, 0, inverse_factors);
    const Matrix right = at.step(i, 1, inverse_factors);
    out.energy += 0.5 * K * at.place.weight * at.forms.q(i);
    out.gradient += chord_gradient(at.forms, i, left, right, at.place, K);
    out.hessian += chord_hessian(at.forms, i, left, right, at.place, K, false);
  }
  return out;
}

// A chord's residuals √(Kw) ν, ν = Rδ at each place, and their Jacobian, compressed by a QR. To first order R(x + u) is
// (I + ½ R⁻ᵀdM[u]R⁻¹) R: the frame that turns least, so that the rows are √(Kw) (±I + ½ (1−s or s) D).
void gauss_newton_rows(const std::vector<Places>& places, const Vector& chord, Index i, const Matrix& inverse_factors,
                       double K, VectorRef residual, MatrixRef jacobian) {
  const Index n = chord.size();
  const Matrix identity = Matrix::Identity(n, n);
  Matrix rows(n * static_cast<Index>(places.size()), 2 * n + 1);
  Index row = 0;
  for (const Places& at : places) {
    const double scale = std::sqrt(K * at.place.weight);
    const auto turn = at.forms.D.middleCols(n * i, n);
    auto block = rows.middleRows(row, n);
    block.leftCols(n) = scale * (0.5 * (1 - at.place.share) * turn - identity) * at.step(i, 0, inverse_factors);
    block.middleCols(n, n) = scale * (0.5 * at.place.share * turn + identity) * at.step(i, 1, inverse_factors);
    const Vector length = at.factor.middleCols(n * i, n) * chord;
    block.col(2 * n) = scale * length;
    row += n;
  }
  residual.setZero();
  jacobian.setZero();
  const Index kept = std::min(rows.rows(), 2 * n + 1);
  const Eigen::HouseholderQR<Matrix> qr(rows);
  const Matrix compressed = qr.matrixQR().topRows(kept).triangularView<Eigen::Upper>();
  jacobian.topRows(kept) = compressed.leftCols(2 * n);
  residual.head(kept) = compressed.col(2 * n);
}

}  // namespace

MetricManifold::MetricManifold(const std::string& name, std::shared_ptr<const MetricField> field, bool smooth)
    : Manifold(require(field, name).dimension(), name, smooth), field_(std::move(field)) {
  set_derivatives(Derivative::kExact, field_->derivatives());
}

MetricManifold::MetricManifold(int dimension, const std::string& name, MetricFunction metric)
    : MetricManifold(name, metric_of_numbers(dimension, std::move(metric))) {}

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
  const Matrix chords = chords_of(Z);
  Matrix lengths(d.size(), static_cast<Index>(kPlaces.size()));
  Index column = 0;
  for (const ChordPlace place : kPlaces) {
    field_->lengths(points_at(Z, place), chords, lengths.col(column), ws);
    lengths.col(column++) *= std::sqrt(place.weight);
  }
  for (Index i = 0; i < d.size(); ++i) d(i) = lengths.row(i).stableNorm();  // squares may overflow
}

void MetricManifold::do_segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual,
                                 MatrixRef jacobian, Workspace& ws) const {
  const Index n = dimension();
  const Index K = Z.cols() - 1;
  const auto scale = static_cast<double>(K);
  field_->factor(Z, R, ws);
  floor_diagonal(R);
  const Matrix inverse_factors = block_inverses(R);
  const bool second = model == HessianModel::kProjectedNewton;
  const std::vector<Places> places = places_on(*field_, Z, second, ws);
  for (Index i = 0; i < K; ++i) {
    auto rows = jacobian.middleCols(2 * n * i, 2 * n);
    if (second) {
      const ChordModel chord = chord_model(places, i, inverse_factors, scale);
      compress_chord(chord.gradient, chord.hessian, std::sqrt(2 * chord.energy), residual.col(i), rows);
    } else {
      gauss_newton_rows(places, Z.col(i + 1) - Z.col(i), i, inverse_factors, scale, residual.col(i), rows);
    }
  }
}

Variation MetricManifold::do_variation(const ConstMatrixRef& Z, Workspace& ws) const {
  const Index n = dimension();
  const Index K = Z.cols() - 1;
  Variation out;
  out.factor.resize(n, n * (K + 1));
  field_->factor(Z, out.factor, ws);
  Matrix R = out.factor;
  floor_diagonal(R);
  const Matrix inverse_factors = block_inverses(R);
  out.gradient = smooth_gradient(*field_, Z, inverse_factors, ws);
  out.energy = 0;
  out.chord_gradient.setZero(n, K - 1);
  out.hessian.diagonal.setZero(n, n * (K - 1));
  out.hessian.upper.setZero(n, n * (K - 2));
  const std::vector<Places> places = places_on(*field_, Z, true, ws);
  for (Index i = 0; i < K; ++i) {
    const ChordModel chord = chord_model(places, i, inverse_factors, static_cast<double>(K));
    out.energy += chord.energy;
    add_chord(chord.gradient, chord.hessian, i, out);
  }
  return out;
}

}  // namespace pullback
