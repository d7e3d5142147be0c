// The graph of points that are the same for many pairs of ends, built once.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "pullback/manifold/manifold.h"
#include "pullback/plugins/graph/neighbour_graph.h"

namespace pullback {

// Points with their neighbours, which do not depend on the ends that are to be joined.
struct PointGraph {
  Matrix points;                 // n×K
  std::vector<Matrix> scalings;  // n×n each: neighbours are near in the chart `scaling · z` of one of them
  Edges edges;                   // in order
  std::vector<double> lengths;   // of every edge, a lower bound; see EdgeBounds
  Matrix axes;    // N×d, orthonormal: the images are kept as places = axesᵀ f(z); empty without a generator
  Matrix places;  // d×K
  std::shared_ptr<EdgeMemory> memory;  // of the edges, filled by the searches of one solver
};

// Joins every point to its `neighbours` nearest ones in the chart whitened by the mean metric at some of the points and
// with every axis scaled by the points' spread.
// Cost: a value per point and 64 factors (two chords per edge where the metric is no pullback).
PointGraph make_point_graph(const Manifold& manifold, const Matrix& points, int neighbours, Workspace& ws);

// The graph with both ends, columns 0 and 1 of Z, joined to their nearest points.
struct GraphWithEnds {
  Matrix Z;
  Edges edges;
  EdgeBounds bounds;
};

// Cost: a value for each end and each of its neighbours.
GraphWithEnds with_ends(const Manifold& manifold, const PointGraph& graph, const Vector& from, const Vector& to,
                        int neighbours, Workspace& ws);

// Keeps the graphs of the manifolds and points that were asked for last.
//
// One for each solver: lengths that its searches have measured are kept with a graph, and are of its subdivisions.
// What it hands out depends on the manifold and the points alone, not on who asked before.
// Thread safety: any. Threads that ask for the same graph at the same time each build it. Memory: that of four graphs.
class GraphKeeper {
 public:
  // At most `most` of the points, evenly chosen by their number; 0: all. Fewer where their images would not fit into
  // 128 MiB.
  std::shared_ptr<const PointGraph> get(const std::shared_ptr<const Manifold>& manifold, const Matrix& points, int most,
                                        int neighbours, Workspace& ws);

 private:
  struct Kept {
    std::weak_ptr<const Manifold> manifold;
    Matrix points;  // all that were given
    std::shared_ptr<const PointGraph> graph;
  };
  std::shared_ptr<const PointGraph> find(const std::shared_ptr<const Manifold>& manifold, const Matrix& points) const;

  mutable std::mutex mutex_;
  std::vector<Kept> kept_;  // the newest last
};

}  // namespace pullback
