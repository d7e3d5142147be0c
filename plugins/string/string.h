// The string method: a string of nodes at equal distances that shrinks across itself.
#pragma once

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

struct PULLBACK_EXPORT StringOptions {
  // Chords of the string to begin with.
  int nodes = 64;
  // Refinement doubles the chords until that would shorten the string by less than `tolerance`, or to this many.
  int max_nodes = 1024;
  // Stop refining at 2K chords when (E_2K(c_K) − E_2K(c_2K)) / (2E) ≤ 8 tolerance: the excess falls by 16 with a
  // doubling.
  // 0: 2e-8 for an accuracy of 1e-6, in proportion to it (tolerance_for).
  double tolerance = 0;
  // Stop moving when ½ g⊥ᵀ(flat Laplacian)⁻¹g⊥ ≤ energy_tolerance · E.
  // 0: 1e-11 for an accuracy of 1e-6, in proportion to it.
  double energy_tolerance = 0;
  // Steps at each number of chords.
  int max_iterations = 1000;
  // Steps remembered for Anderson mixing.
  int memory = 5;

  template <class V>
  void visit(V&& visit) {
    visit("nodes", nodes, "chords of the string to begin with", 8, 65536);
    visit("max_nodes", max_nodes, "chords up to which the string is refined; nodes: no refinement", 8, 65536);
    visit("tolerance", tolerance,
          "refined until the string is too long by at most about this fraction; 0: from the accuracy, 2e-8 at 1e-6", 0,
          1);
    visit("energy_tolerance", energy_tolerance,
          "stops when a step promises to lower the energy by at most this; 0: from the accuracy, 1e-11 at 1e-6", 0, 1);
    visit("max_iterations", max_iterations, "steps at each number of chords", 1, 1e6);
    visit("memory", memory, "steps remembered for Anderson mixing; 0: none", 0, 100);
  }
};

// Moves a string of nodes down the gradient of its energy, across itself only, and back to equal distances after every
// step:
//
//   ∂z/∂τ = −(∇E)⊥, ∇ in the metric; then z_i ← c(t_i), c through the nodes, t_i at equal arcs.
// The published method steps explicitly, which is stable only for Δτ ≲ h², so that the number of steps grows as the
// square of the number of nodes. Here the step is implicit in the flat part of the second variation, −d²/dt² in frames
// whitened by the metric and parallel along the string: for a long Δτ it leaves out only the curvature K, and divides
// the error by π²/|K|L², whatever the number of nodes and κ(J). Δτ is shortened while the energy does not fall, and
// Anderson mixing of the last strings is tried besides. Then the chords are doubled until that no longer shortens the
// string, which is quintic with geodesic accelerations at its nodes.
//
// Cost: K+1 Jacobians and about 4K+512 values a step, 5 to 40 steps; second derivatives only for the accelerations of
// each level's curve.
// Weaknesses: linear convergence, slow towards conjugate points and where |K|L² is far above π²; a symmetric start
// stays on a saddle; equal distances cannot be kept where the metric vanishes; at kinks the interpolant of the
// reparametrisation is of first order, and it stalls.
// The figures of the paper are minimum energy paths of a potential, which a geodesic problem does not have; what it
// says of the method and holds here is tested in tests/plugins/string_test.cc: equal distances after every step, and an
// error that the interpolation (of fourth order) does not dominate. Reference: E, Ren, Vanden-Eijnden (2007),
// doi:10.1063/1.2720838.
class PULLBACK_EXPORT StringSolver : public GeodesicSolver {
 public:
  explicit StringSolver(StringOptions options) : GeodesicSolver("string"), options_(options) {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;

  StringOptions options_;
};

}  // namespace pullback
