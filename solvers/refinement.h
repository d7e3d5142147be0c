// Coarse to fine: a solver's discrete curve on more and more chords, until it is exact enough.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "pullback/base/export.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"
#include "pullback/solvers/iteration_status.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// What a solver did on the chords of one level.
struct PULLBACK_EXPORT RefinementLevel {
  IterationStatus status = IterationStatus::kNotFinite;
  int iterations = 0;
  // By what fraction of its length the curve is still too long, where that is known; see chord_excess.
  std::optional<double> excess;
  std::string message;  // in place of describe(status, …); empty: that
};

// What a solver is told of the level that it is to solve.
struct PULLBACK_EXPORT RefinementTask {
  int level = 0;            // 0: the first
  bool last = false;        // its chords cannot be doubled any more
  int first_iteration = 0;  // of this level, counted from the beginning: for SolveContext::record
};

// How a method solves, and makes curves of its nodes. Only `solve` is needed.
struct PULLBACK_EXPORT RefinedMethod {
  // Moves the interior columns of the nodes, n×(K+1), to the solution on K chords.
  std::function<RefinementLevel(Matrix& nodes, const RefinementTask& task)> solve;
  // The curve through the nodes of a level. Empty: quintic with geodesic accelerations (with_geodesic_accelerations).
  std::function<Curve(const Matrix& nodes)> curve;
  // The nodes that the next level starts from. Empty: 2K+1 at equal times on `curve`.
  std::function<Matrix(const Matrix& nodes)> refined;
  // Whether a curve that would be claimed is good enough; another level follows where it is not. Empty: it is.
  std::function<bool(const Curve& curve)> accepted;
};

struct PULLBACK_EXPORT RefinementOptions {
  int max_nodes;     // chords up to which they are doubled; fewer than the first: no refinement
  double tolerance;  // ends when excess ≤ tolerance
};

// Runs a method on the chords given, and on twice as many as long as that is worth while.
//
// Ends with a level whose excess is at most the tolerance (NaN is taken for that), whose chords cannot be doubled, or
// whose status is neither kConverged, kSaddle nor kUnresolved. Claim and message are claim_of and describe of its
// status, the iterations those of all levels, the curve that through its nodes.
//   nodes: n×(K+1), the first and the last being the ends of the curve; see starting_nodes (start.h).
// Errors: what the method throws. Cost: that of the method, and of one curve a level.
PULLBACK_EXPORT RawSolution refine(const Manifold& manifold, Matrix nodes, const RefinedMethod& method,
                                   const RefinementOptions& options, SolveContext& context);

// What a minimiser of the energy of chords did on those of one level.
struct PULLBACK_EXPORT EnergyRun {
  IterationStatus status = IterationStatus::kNotFinite;
  int iterations = 0;
  double initial_energy = 0;
  double final_energy = 0;
  std::string message = {};  // in place of describe(status, …); empty: that
};

// Moves the interior columns of the nodes, n×(K+1), to a minimum of the energy of K chords. Iterations are recorded
// from `first_iteration` on.
using EnergyMinimiser = std::function<EnergyRun(Matrix& nodes, int first_iteration)>;

// refine() with a minimiser, from `chords` chords of the initial curve (starting_nodes), by the excesses that its
// energies show (chord_excess).
PULLBACK_EXPORT RawSolution refine_energy(const GeodesicProblem& problem, int chords, const EnergyMinimiser& minimise,
                                          const RefinementOptions& options, SolveContext& context);

// The excess of the minimum c_2K of the energy of 2K chords, by what the doubling gained:
//
//   (E_2K(c_K) − E_2K(c_2K)) / (2 E_2K(c_2K)) / 8,
// the first factor being by what fraction c_K was too long. A doubling divides the excess by 16 in the limit, and by at
// least 8 before it. Nothing for the first level, which has no curve of fewer chords before it.
PULLBACK_EXPORT std::optional<double> chord_excess(const RefinementTask& task, double energy_before,
                                                   double energy_after);

}  // namespace pullback
