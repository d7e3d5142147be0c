// Shortest paths by fast marching in two and three latent dimensions: where a local solver should start.
#pragma once

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

struct PULLBACK_EXPORT WavefrontOptions {
  // Nodes of the grid in all, in cells that are as long in every direction of the whitened chart.
  int points = 12000;
  // The first box reaches beyond the ends by this share of their distance.
  double margin = 0.6;
  // How often the box may grow where a shorter path could leave it.
  int enlargements = 3;
  // Further paths, through other minima of the length of paths that meet halfway, of which the shortest counts.
  int alternatives = 3;
  // Descent steps on each path.
  int relaxation = 3;
  // Pieces of the curve returned.
  int nodes = 64;

  template <class V>
  void visit(V&& visit) {
    visit("points", points, "nodes of the grid in all", 100, 4e6);
    visit("margin", margin, "the first box reaches beyond the ends by this share of their distance", 0.01, 100);
    visit("enlargements", enlargements, "how often the box may grow where a shorter path could leave it", 0, 20);
    visit("alternatives", alternatives, "further paths, through other places where the fronts of both ends meet", 0,
          1000);
    visit("relaxation", relaxation, "descent steps on each path; 0: the path itself", 0, 1000);
    visit("nodes", nodes, "pieces of the curve returned", 4, 65536);
  }
};

// The globally shortest path between both ends on a grid, in two or three latent dimensions.
//
// Fronts start from both ends (manifold/fields/distance_field.h: anisotropic fast marching of the eikonal equation in
// the chart whitened by the mean metric along the initial curve). Where u_from = u_to they meet; there, minima of
// u_from + u_to are the middles of geodesics whose halves are shortest, and the deepest is that of the shortest path.
// From a middle, both halves are followed down, which is stable even where an end lies on the other's cut locus. Other
// minima that stand out (persistence) are other ways round: they compete, with the straight line, after a few descent
// steps, and are reported as met.
//
// The box is found on a coarse grid: a path that leaves it is at least min u_from + min u_to over its border long. It
// grows where that is less than the path found, up to `enlargements` times, and is then cut to what paths 30 % longer
// than the best can reach. The message says whether a shorter path could still leave it. Where the grid's distance and
// the path found differ by more than 5 %, a second pass takes the chart whitened along that path.
//
// It is not a geodesic (claim: stalled): follow it with a local solver, as in "wavefront+energy". What fast marching
// was chosen for over the heat method: its distance is the viscosity solution, monotone and causal whatever the
// anisotropy, so that it takes the right way round at the price of O(h²); heat needs a time step, a linear solve and
// obtuse-free elements, and is smoothed over just where two ways round compete.
//
// Cost: a factor and n values per node of the grid, and per coarse node (an eighth) and enlargement, once or twice; K
// log K for the fronts; nodes·(relaxation+1) Jacobians per path. Weaknesses: two and three dimensions only
// (numerical_failure otherwise); a passage or a wall thinner than a cell is not seen; problem.points are not used.
// Reproduces: second-order convergence to the exact distance, Mirebeau 2019's figure for smooth metrics (see
// tests/manifold/distance_field_test.cc).
// References: as distance_field.h; the first use on latent spaces: none known.
class PULLBACK_EXPORT WavefrontSolver : public GeodesicSolver {
 public:
  explicit WavefrontSolver(WavefrontOptions options) : GeodesicSolver("wavefront"), options_(options) {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;

  WavefrontOptions options_;
};

}  // namespace pullback
