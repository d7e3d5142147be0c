// The default solver: several starts, several methods, and the certificate as the judge.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/solvers/registry.h"
#include "pullback/solvers/solver.h"

namespace pullback {

struct PULLBACK_EXPORT AutoOptions {
  // Paths of the large graph besides its shortest.
  int alternatives = 6;
  // Starts that are relaxed to geodesics of their own, the shortest first, where the first converged to none.
  int starts = 3;
  // Times that a saddle is left.
  int escapes = 4;
  // Descent steps on every start before they are compared.
  int relaxation = 25;

  template <class V>
  void visit(V&& visit) {
    visit("alternatives", alternatives, "paths of the graph besides its shortest", 0, 1000);
    visit("starts", starts, "starts that are followed to a geodesic, the shortest first", 1, 1000);
    visit("escapes", escapes, "times that a saddle is left, to both sides", 0, 1000);
    visit("relaxation", relaxation, "descent steps on every start before they are compared", 0, 100'000);
  }
};

// Finds the shortest geodesic that it can, and says how. A cascade, which ends where there is little more to gain:
//
//   1. `newton` from the initial curve (the straight line), certified. A geodesic that is a saddle is left to both
//      sides, along the direction in which its second variation is negative. One that is longer than its start is not
//      the one that the start led to: it is sought again on more chords.
//   2. Where that converged, and is longer than the line between the images of the ends: two paths of a graph of the
//      problem's points, which is kept, or in up to 32 dimensions of a few samples. Where one of them led to a shorter
//      geodesic, or the geodesic was a saddle, nearly one, or bends so much that 32 chords do not show its length:
//      those of step 3. Each path takes some steps of descent on 32 chords. One that is then clearly shorter than the
//      shortest geodesic known, by the same chords, is followed by all solvers.
//   3. Where nothing converged: several paths of a large graph, which keep away from one another (different homotopy
//      classes), and the initial curve, all relaxed on few chords; those that end in the same place count once. The
//      shortest few are followed by the local solvers that the manifold allows, the most exact first (newton, energy,
//      shooting where it is smooth; energy elsewhere), until the certificate finds a curve converged. A geodesic that
//      bends too sharply for the chords that it has is sought again on more.
//   4. The shortest converged curve is returned; others that may be shorter are reported as met: `shorter_known` is set
//      if one that did not converge is. If none converged, the shortest is returned with what the certificate says.
//
// Solvers that are not registered are left out. Errors: std::invalid_argument when no local solver is registered.
// If stopped, it returns the best curve that was certified until then.
// Cost: that of newton and of its certificate, and 500 to 2,000 values; on a manifold with points, once, a value for
// each of up to 2,000 of them. Step 3 takes a local solve and a certificate for each start that is followed: 40,000 to
// 100,000 evaluations, and no new step after a million in two dimensions. Weaknesses: the shortest curve found is the
// shortest of those tried, and nothing proves that there is no other.
// Thread safety: immutable but for the graphs kept, which threads share. Reference: none; its parts have theirs.
class PULLBACK_EXPORT AutoSolver final : public GeodesicSolver {
 public:
  AutoSolver(AutoOptions options, const SolverRegistry& registry);

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;
  bool knows_other_ways(const GeodesicProblem& problem) const;
  std::vector<Curve> starts(const GeodesicProblem& problem, SolveContext& context) const;
  static std::vector<Curve> paths_of(const GeodesicSolver& graph, const GeodesicProblem& problem,
                                     SolveContext& context);
  static std::vector<Curve> found_by(const GeodesicSolver* solver, const GeodesicProblem& problem,
                                     SolveContext& context);

  AutoOptions options_;
  std::unique_ptr<const GeodesicSolver> few_;                   // a graph of few points, for a comparison
  std::unique_ptr<const GeodesicSolver> graph_;                 // of many
  std::vector<std::unique_ptr<const GeodesicSolver>> smooth_;   // for smooth manifolds, in the order of trying
  std::vector<std::unique_ptr<const GeodesicSolver>> rough_;    // for all others
  std::vector<std::unique_ptr<const GeodesicSolver>> careful_;  // where those left the curve that they started from
  std::unique_ptr<const GeodesicSolver> fine_;  // where a geodesic bends too sharply for their chords; may be null
};

}  // namespace pullback
