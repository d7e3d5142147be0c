#include "pullback/manifold/numerics/chord_form.h"

#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/numerics/nodal_differences.h"

namespace pullback {
namespace {

using Eigen::Index;

}  // namespace

ChordForms chord_forms(const MetricField& metric, const ConstMatrixRef& points, const ConstMatrixRef& chords,
                       const ConstMatrixRef& U, bool second, Workspace& ws) {
  const Index K = points.cols();
  const Index m = U.cols() / K;
  const Index r = m + 1;
  Matrix vectors(points.rows(), r * K);
  for (Index i = 0; i < K; ++i) {
    vectors.middleCols(r * i, m) = U.middleCols(m * i, m);
    vectors.col(r * i + m) = chords.col(i);
  }
  Matrix F(r, r * K);
  Matrix B(r, r * m * K);
  metric.first(points, U, vectors, F, B, ws);
  ChordForms out{Vector(K), Matrix(m, m * K), Matrix(m, K), Matrix(m, m * K), Matrix(m, K), {}};
  for (Index i = 0; i < K; ++i) {
    const auto form = F.middleCols(r * i, r);
    out.q(i) = form(m, m);
    out.F.middleCols(m * i, m) = form.topLeftCorner(m, m);
    out.f.col(i) = form.col(m).head(m);
    for (Index l = 0; l < m; ++l) {
      const auto last = B.col(r * (m * i + l) + m);
      out.D.col(m * i + l) = last.head(m);
      out.g(l, i) = last(m);
    }
  }
  if (second) {
    out.C.resize(m, m * K);
    metric.second(points, U, chords, out.C, ws);
  }
  return out;
}

Vector chord_gradient(const ChordForms& forms, Index i, const Matrix& Sa, const Matrix& Sb, ChordPlace place,
                      double K) {
  const double scale = K * place.weight;
  Vector out(Sa.cols() + Sb.cols());
  out << Sa.transpose() * (scale * (0.5 * (1 - place.share) * forms.g.col(i) - forms.f.col(i))),
      Sb.transpose() * (scale * (0.5 * place.share * forms.g.col(i) + forms.f.col(i)));
  return out;
}

// e = ½Kw q has d²e = Kw(dδᵀG dδ + 2 dδᵀ dG[dx] d + ½ dᵀ d²G[dx,dx] d) with dδ = β − α and dx = (1−s)α + sβ.
Matrix chord_hessian(const ChordForms& forms, Index i, const Matrix& Sa, const Matrix& Sb, ChordPlace place, double K,
                     bool first_order) {
  const Index m = forms.f.rows();
  const Index p = Sa.cols();
  const double s = place.share;
  const double scale = K * place.weight;
  const auto F = forms.F.middleCols(m * i, m);
  Matrix aa = F;
  Matrix bb = F;
  Matrix ab = -F;
  if (!first_order) {
    const auto D = forms.D.middleCols(m * i, m);
    const Matrix C = 0.5 * forms.C.middleCols(m * i, m);
    const Matrix even = D + D.transpose();
    aa += (1 - s) * ((1 - s) * C - even);
    bb += s * (s * C + even);
    ab += s * (1 - s) * C + (1 - s) * D.transpose() - s * D;
  }
  Matrix out(2 * p, 2 * p);
  out.topLeftCorner(p, p) = scale * (Sa.transpose() * aa * Sa);
  out.bottomRightCorner(p, p) = scale * (Sb.transpose() * bb * Sb);
  out.topRightCorner(p, p) = scale * (Sa.transpose() * ab * Sb);
  out.bottomLeftCorner(p, p) = out.topRightCorner(p, p).transpose();
  return out;
}

void add_chord(const Vector& gradient, const Matrix& hessian, Index i, Variation& out) {
  const Index n = gradient.size() / 2;
  const Index last = out.chord_gradient.cols();
  if (i > 0) {
    out.chord_gradient.col(i - 1) += gradient.head(n);
    out.hessian.diagonal.middleCols(n * (i - 1), n) += hessian.topLeftCorner(n, n);
  }
  if (i < last) {
    out.chord_gradient.col(i) += gradient.tail(n);
    out.hessian.diagonal.middleCols(n * i, n) += hessian.bottomRightCorner(n, n);
  }
  if (i > 0 && i < last) out.hessian.upper.middleCols(n * (i - 1), n) = hessian.topRightCorner(n, n);
}

Matrix smooth_gradient(const MetricField& metric, const ConstMatrixRef& X, const ConstMatrixRef& U, Workspace& ws) {
  const Index K = X.cols() - 1;
  const Index n = U.cols() / X.cols();
  const auto scale = static_cast<double>(K);
  const Matrix velocities = Curve::through(X).velocities();
  Vector speeds(K + 1);
  metric.lengths(X, velocities, speeds, ws);
  const Index m = n + 1;
  const Index r = n + 2;
  Matrix directions(X.rows(), m * (K - 1));
  Matrix vectors(X.rows(), r * (K - 1));
  for (Index i = 1; i < K; ++i) {
    const NodalDifference stencil = second_difference(i, K, DifferenceOrder::kFourth);
    Vector acceleration = Vector::Zero(X.rows());
    for (Index s = 0; s < stencil.count; ++s)
      acceleration += scale * scale * stencil.weights[s] * X.col(stencil.first + s);
    auto along = directions.middleCols(m * (i - 1), m);
    auto seen = vectors.middleCols(r * (i - 1), r);
    along << U.middleCols(n * i, n), velocities.col(i) / (speeds(i) > 0 ? speeds(i) : 1);
    seen << U.middleCols(n * i, n), velocities.col(i), acceleration;
  }
  Matrix F(r, r * (K - 1));
  Matrix B(r, r * m * (K - 1));
  metric.first(X.middleCols(1, K - 1), directions, vectors, F, B, ws);
  Matrix out(n, K - 1);
  for (Index i = 0; i < K - 1; ++i) {
    const auto slope = [&](Index l) { return B.middleCols(r * (m * i + l), r); };
    out.col(i) = -(F.col(r * i + n + 1).head(n) + speeds(i + 1) * slope(n).col(n).head(n)) / scale;
    for (Index k = 0; k < n; ++k) out(k, i) += 0.5 / scale * slope(k)(n, n);
  }
  return out;
}

}  // namespace pullback
