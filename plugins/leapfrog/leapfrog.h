// The leapfrog method: a curve of short geodesics whose joints are pulled straight.
#pragma once

#include <memory>
#include <utility>

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// The solver of the pieces is not among these: any chain, written as leapfrog(CHAIN).
struct PULLBACK_EXPORT LeapfrogOptions {
  // Pieces that the curve is cut into.
  int pieces = 4;
  // Converged when 2 m³ Σ ‖δ_i‖² / π² ≤ tolerance · L², where δ_i are the moves of the joints in one sweep, measured in
  // the metric. In flat space the curve of m pieces is then at most this fraction longer than the geodesic.
  // 0: 1e-8 for an accuracy of 1e-6, in proportion to it (tolerance_for).
  double tolerance = 0;
  // Sweeps over the joints.
  int max_sweeps = 200;
  // Sweeps remembered for Anderson mixing.
  int memory = 5;

  template <class V>
  void visit(V&& visit) {
    visit("pieces", pieces, "pieces that the curve is cut into", 2, 1024);
    visit("tolerance", tolerance,
          "excess of the curve that the joints' moves may stand for; 0: from the accuracy, 1e-8 at 1e-6", 0, 1);
    visit("max_sweeps", max_sweeps, "sweeps over the joints", 1, 1e6);
    visit("memory", memory, "sweeps remembered for Anderson mixing; 0: the plain method", 0, 100);
  }
};

// Replaces each joint x_i of a curve of geodesic pieces in turn by the midpoint of the geodesic between x_{i−1} and
// x_{i+1}, until none moves. Each piece is a geodesic over 2/m of the length, found by another solver. That solver may
// be one that fails on long geodesics.
//
// It is a nonlinear Gauss–Seidel iteration (a Schwarz method of overlapping pieces) for the joints: where the curvature
// along the geodesic is K, a sweep divides their error by (cos(h√K) / cos(π/m))², h = L/m, in flat space by
// cos(π/m)⁻², so that the number of plain sweeps grows as m². Anderson mixing (manifold/numerics/anderson.h) reduces it
// to a few. It starts anew when the moves grow. The curve returned is solved once more piece by piece, with the pieces'
// own interpolants; each piece gets the share of [0, 1] that it has of the length.
//
// Cost: m−1 inner solves a sweep, from the curve that is there, and m at the end; 4 to 15 sweeps with the default
// options, so some 20 to 40 inner solves.
// Weaknesses: linear convergence, the slower the more pieces; as exact as the inner solver, and with one that returns
// no geodesics (graph) it stalls and says so; finds the geodesic next to its start and stays on a saddle; needs the
// inner solver to be right where joints are close to one another: nothing is gained where the metric is singular.
// Reproduces the convergence rate of the Schwarz analysis, cos²(π/m) in flat space and its counterpart on the sphere,
// in tests/plugins/leapfrog_test.cc. Reference: Noakes (1998), doi:10.1017/S1446788700001142; Sutti, Vandereycken
// (2020), arXiv:2409.01023.
class PULLBACK_EXPORT LeapfrogSolver : public GeodesicSolver {
 public:
  LeapfrogSolver(LeapfrogOptions options, std::unique_ptr<const GeodesicSolver> inner)
      : GeodesicSolver("leapfrog"), options_(options), inner_(std::move(inner)) {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;
  RawSolution solve_piece(const GeodesicProblem& piece, SolveContext& context) const;

  LeapfrogOptions options_;
  std::unique_ptr<const GeodesicSolver> inner_;
};

}  // namespace pullback
