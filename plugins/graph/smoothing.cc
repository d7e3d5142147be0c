#include "pullback/plugins/graph/smoothing.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace pullback {
namespace {

constexpr int kMostPasses = 1024;
// Smoothing goes on while a round shortens the path by this fraction.
constexpr double kWorthwhile = 1e-4;

// Every segment of the polyline cut into `parts`.
Matrix subdivided(const ConstMatrixRef& points, int parts) {
  const Eigen::Index segments = points.cols() - 1;
  Matrix out(points.rows(), segments * parts + 1);
  for (Eigen::Index i = 0; i < segments; ++i) {
    for (Eigen::Index s = 0; s < parts; ++s) {
      const double t = static_cast<double>(s) / parts;
      out.col(i * parts + s) = (1 - t) * points.col(i) + t * points.col(i + 1);
    }
  }
  out.rightCols(1) = points.rightCols(1);
  return out;
}

struct Polyline {
  Matrix nodes;
  double length = 0;
};

Polyline at_constant_speed(const Manifold& manifold, const ConstMatrixRef& path, int pieces, int subdivisions,
                           Workspace& ws) {
  const Matrix fine = subdivided(path, subdivisions);
  Vector chords(fine.cols() - 1);
  manifold.chords(fine, chords, ws);
  return {at_equal_distances(fine, chords, pieces), chords.sum()};
}

void average_neighbours(Matrix& nodes, int passes) {
  const Eigen::Index inner = nodes.cols() - 2;
  for (int pass = 0; pass < passes; ++pass) {
    nodes.middleCols(1, inner) =
        (0.25 * nodes.leftCols(inner) + 0.5 * nodes.middleCols(1, inner) + 0.25 * nodes.rightCols(inner)).eval();
  }
}

}  // namespace

Curve smoothed_path(const Manifold& manifold, const ConstMatrixRef& path, int pieces, int subdivisions, Workspace& ws) {
  Polyline best = at_constant_speed(manifold, path, pieces, subdivisions, ws);
  const int parts = std::max(1, subdivisions / 4);  // a piece is much shorter than an edge
  best.length = at_constant_speed(manifold, best.nodes, pieces, parts, ws).length;
  for (int passes = 1; passes <= kMostPasses; passes *= 2) {
    Matrix nodes = best.nodes;
    average_neighbours(nodes, passes);
    Polyline smoother = at_constant_speed(manifold, nodes, pieces, parts, ws);
    if (!(smoother.length < best.length)) break;
    const bool worthwhile = smoother.length < (1 - kWorthwhile) * best.length;
    best = std::move(smoother);
    if (!worthwhile) break;
  }
  return Curve::through(best.nodes);
}

}  // namespace pullback
