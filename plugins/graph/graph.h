// Shortest paths in a graph of latent points: where a local solver should start.
#pragma once

#include <memory>

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

class GraphKeeper;

struct PULLBACK_EXPORT GraphOptions {
  // Each point is joined to this many nearest ones, in each of two scalings.
  int neighbours = 8;
  // Of the problem's points at most this many, evenly chosen; 0: all.
  int most_points = 0;
  // Points drawn where the problem brings none.
  int samples = 2000;
  // Samples reach beyond the ends by this share of their distance.
  double margin = 0.5;
  // Seed of the samples.
  int seed = 1;
  // An edge of a candidate path is measured with this many chords.
  int subdivisions = 8;
  // Further paths that keep away from the ones before, of which the shortest counts in the end.
  int alternatives = 2;
  // Descent steps on each path.
  int relaxation = 3;
  // Pieces of the curve returned.
  int nodes = 64;

  template <class V>
  void visit(V&& visit) {
    visit("neighbours", neighbours, "each point is joined to this many nearest ones, in each of two scalings", 1, 1000);
    visit("most_points", most_points, "of the problem's points at most this many, evenly chosen; 0: all", 0, 1e9);
    visit("samples", samples, "points drawn where the problem brings none", 2, 1e6);
    visit("margin", margin, "samples reach beyond the ends by this share of their distance", 0, 100);
    visit("seed", seed, "seed of the samples", 0, 2147483647);
    visit("subdivisions", subdivisions, "chords by which an edge of a candidate path is measured", 1, 1024);
    visit("alternatives", alternatives, "further paths that keep away from the ones before", 0, 1000);
    visit("relaxation", relaxation, "descent steps on each path; 0: the path itself, its corners cut", 0, 1000);
    visit("nodes", nodes, "pieces of the curve returned", 4, 65536);
  }
};

// The shortest path from end to end in a nearest-neighbour graph, straightened.
//
// Nodes are the problem's points and both ends; without points, samples: half of them a low-discrepancy sequence in
// boxes around the ends, half scattered round the initial curve at all scales. Points are neighbours that are near in
// the chart whitened by the mean metric along the initial curve, or with every axis scaled by its spread. An edge
// weighs the ambient length of its chord line. A* goes by lower bounds ‖f(a) − f(b)‖, and only edges of the best path
// so far are measured by `subdivisions` chords, until the best path is measured throughout: the shortest path of the
// graph with every edge measured, at the price of a few. A path is resampled at constant speed, averaged as long as
// that shortens it, and relaxed by a few Gauss–Newton steps on its energy, which take out the zigzag of the graph but
// do not leave its valley. Alternatives, for which edges near the paths before weigh more, and the straight line
// compete on what they are then.
//
// It is never a geodesic (claim: stalled), but it is near the globally shortest one where the points are dense, and
// keeps to the data where points are codes: follow it with a local solver, as in "graph+energy".
//
// The graph of points that a problem brings, their neighbours and the lengths of their edges do not depend on the ends;
// it is kept from solve to solve, also between threads, for as long as the manifold and the points are the same.
//
// Cost: a value per node (of points: once), `subdivisions` values per measured edge (some hundreds),
// nodes·(relaxation+1) Jacobians per path. The neighbour search, O(K log K) in low dimension and O(K²) in high,
// dominates for cheap generators. Weaknesses: samples cannot fill a high-dimensional box, where only those round the
// initial curve help; neighbours are chosen in latent space, so that a passage that is narrow there may be missed.
// Reference: Chen, Klushyn, Ferroni, Bayer, van der Smagt (2019), arXiv:1812.08284; the lazy search: Dellin, Srinivasa
// (2016), Proc. ICAPS 26.
class PULLBACK_EXPORT GraphSolver : public GeodesicSolver {
 public:
  explicit GraphSolver(GraphOptions options);
  ~GraphSolver() override;

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;

  GraphOptions options_;
  std::unique_ptr<GraphKeeper> keeper_;  // of the graphs of points
};

}  // namespace pullback
