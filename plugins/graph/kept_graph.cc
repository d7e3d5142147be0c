#include "pullback/plugins/graph/kept_graph.h"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/manifold/metrics/whitened_chart.h"
#include "pullback/plugins/graph/nodes.h"

namespace pullback {
namespace {

constexpr std::size_t kKept = 4;
constexpr Eigen::Index kMostNumbers = Eigen::Index{1} << 24;  // of images, 128 MiB
constexpr Eigen::Index kMetrics = 64;                         // of which the whitening is the mean
constexpr Eigen::Index kAxes = 16;

// `count` columns at equal distances by number.
Matrix chosen(const Matrix& points, Eigen::Index count) {
  if (count >= points.cols()) return points;
  Matrix out(points.rows(), count);
  for (Eigen::Index k = 0; k < count; ++k) out.col(k) = points.col(k * points.cols() / count);
  return out;
}

bool has_images(const Manifold& manifold) { return dynamic_cast<const PullbackManifold*>(&manifold) != nullptr; }

// Orthonormal columns that span some of the images' differences: distances between places are at most those between
// the images, and most of them where the images lie near a few directions.
Matrix spanning_axes(const Matrix& images) {
  const Matrix some = chosen(images, std::min({kAxes + 1, images.cols(), images.rows() + 1}));
  const Matrix differences = some.rightCols(some.cols() - 1).colwise() - some.col(0);
  if (differences.cols() == 0 || !differences.allFinite()) return {};
  const Eigen::HouseholderQR<Matrix> qr(differences);
  return qr.householderQ() * Matrix::Identity(differences.rows(), differences.cols());
}

// The points nearest to z in one chart, the nearest first; ties by number.
std::vector<std::int32_t> nearest(const Matrix& scaling, const Matrix& points, const Vector& z, int count) {
  const Vector distance = (scaling * (points.colwise() - z)).colwise().squaredNorm().transpose();
  std::vector<std::int32_t> order(static_cast<std::size_t>(points.cols()));
  std::iota(order.begin(), order.end(), 0);
  const auto most = std::min<std::ptrdiff_t>(count, static_cast<std::ptrdiff_t>(order.size()));
  std::partial_sort(order.begin(), order.begin() + most, order.end(), [&](std::int32_t a, std::int32_t b) {
    return distance(a) != distance(b) ? distance(a) < distance(b) : a < b;
  });
  order.resize(static_cast<std::size_t>(most));
  return order;
}

std::vector<std::int32_t> neighbours_of(const PointGraph& graph, const Vector& z, int count) {
  std::vector<std::int32_t> out;
  for (const Matrix& scaling : graph.scalings) {
    const auto some = nearest(scaling, graph.points, z, count);
    out.insert(out.end(), some.begin(), some.end());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// Lower bounds of the edges from both ends, which are the first of the graph, and the places of the ends.
void bound_ends(const Manifold& manifold, const PointGraph& graph, Eigen::Index count, GraphWithEnds& out,
                Workspace& ws) {
  if (!has_images(manifold)) {
    const Edges first(out.edges.begin(), out.edges.begin() + count);
    out.bounds.lengths = edge_bounds(manifold, out.Z, first, ws).lengths;
    return;
  }
  Matrix points(out.Z.rows(), 2 + count);
  points.leftCols(2) = out.Z.leftCols(2);
  for (Eigen::Index e = 0; e < count; ++e) points.col(2 + e) = out.Z.col(out.edges[static_cast<std::size_t>(e)].second);
  const Matrix images = ambient_points(*manifold.generator(), points, ws);
  for (Eigen::Index e = 0; e < count; ++e) {
    const double length = (images.col(out.edges[static_cast<std::size_t>(e)].first) - images.col(2 + e)).norm();
    out.bounds.lengths.push_back(std::isfinite(length) ? length : kNoEdge);
  }
  if (graph.places.size() == 0) return;
  out.bounds.places.resize(graph.places.rows(), out.Z.cols());
  out.bounds.places << graph.axes.transpose() * images.leftCols(2), graph.places;
}

}  // namespace

PointGraph make_point_graph(const Manifold& manifold, const Matrix& points, int neighbours, Workspace& ws) {
  PointGraph out;
  out.points = points;
  const Matrix W = mean_factor(manifold, chosen(points, kMetrics), ws);
  out.scalings.push_back(W.triangularView<Eigen::Upper>());
  out.scalings.push_back(axis_scaling(points).asDiagonal());
  std::vector<Matrix> charts;
  for (const Matrix& scaling : out.scalings) charts.push_back(scaling * points);
  out.edges = nearest_neighbour_edges(charts, neighbours);
  EdgeBounds bounds = edge_bounds(manifold, points, out.edges, ws);
  out.lengths = std::move(bounds.lengths);
  out.memory = std::make_shared<EdgeMemory>(out.edges.size());
  if (bounds.places.size() == 0) return out;
  out.axes = spanning_axes(bounds.places);
  if (out.axes.size() > 0) out.places = out.axes.transpose() * bounds.places;
  return out;
}

GraphWithEnds with_ends(const Manifold& manifold, const PointGraph& graph, const Vector& from, const Vector& to,
                        int neighbours, Workspace& ws) {
  GraphWithEnds out;
  out.Z.resize(graph.points.rows(), graph.points.cols() + 2);
  out.Z << from, to, graph.points;
  for (const std::int32_t end : {0, 1}) {
    for (const std::int32_t other : neighbours_of(graph, out.Z.col(end), neighbours)) {
      out.edges.emplace_back(end, other + 2);
    }
  }
  bound_ends(manifold, graph, static_cast<Eigen::Index>(out.edges.size()), out, ws);
  out.bounds.memory = graph.memory;
  out.bounds.remembered = out.edges.size();
  out.edges.reserve(out.edges.size() + graph.edges.size());
  for (const auto& [a, b] : graph.edges) out.edges.emplace_back(a + 2, b + 2);
  out.bounds.lengths.insert(out.bounds.lengths.end(), graph.lengths.begin(), graph.lengths.end());
  return out;
}

std::shared_ptr<const PointGraph> GraphKeeper::find(const std::shared_ptr<const Manifold>& manifold,
                                                    const Matrix& points) const {
  const std::lock_guard lock(mutex_);
  for (const Kept& kept : kept_) {
    const bool same = kept.points.rows() == points.rows() && kept.points.cols() == points.cols();
    if (same && kept.manifold.lock() == manifold && kept.points == points) return kept.graph;
  }
  return nullptr;
}

std::shared_ptr<const PointGraph> GraphKeeper::get(const std::shared_ptr<const Manifold>& manifold,
                                                   const Matrix& points, int most, int neighbours, Workspace& ws) {
  if (auto known = find(manifold, points)) return known;
  Eigen::Index count = most > 0 ? std::min<Eigen::Index>(most, points.cols()) : points.cols();
  if (has_images(*manifold)) {
    count = std::min(count, std::max<Eigen::Index>(2, kMostNumbers / manifold->generator()->ambient_dimension()));
  }
  auto made = std::make_shared<const PointGraph>(make_point_graph(*manifold, chosen(points, count), neighbours, ws));
  const std::lock_guard lock(mutex_);
  std::erase_if(kept_, [](const Kept& kept) { return kept.manifold.expired(); });
  if (kept_.size() == kKept) kept_.erase(kept_.begin());
  kept_.push_back({manifold, points, made});
  return made;
}

}  // namespace pullback
