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
  // Paths of the graph besides its shortest.
  int alternatives = 6;
  // Starts that are relaxed to geodesics of their own, the shortest first.
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

// Finds the shortest geodesic that it can, and says how.
//
//   1. Starts: the initial curve (the straight line) and several paths of a graph, which keep away from one another:
//      different homotopy classes. All are relaxed on few chords; those that end in the same place count once.
//   2. The shortest few are followed by the local solvers that the manifold allows, the most exact first (newton,
//      energy, shooting where it is smooth; energy elsewhere), until the certificate finds a curve converged. A
//      geodesic that is longer than its start is not the one that the start led to: the search is repeated on more
//      chords, as it is for a geodesic that bends too sharply for the chords that it has.
//   3. A geodesic that is a saddle is left to both sides along the direction in which its second variation is negative.
//   4. The shortest converged curve is returned, all others are reported as met: `shorter_known` is set if one that did
//      not converge is shorter. If none converged, the shortest is returned with what the certificate says.
//
// Solvers that are not registered are left out. Errors: std::invalid_argument when no local solver is registered.
// If stopped, it returns the best curve that was certified until then.
// Cost: a graph of the points and, for each start that is followed, a local solve and a certificate; 40,000 to 100,000
// evaluations on trained decoders, and no new step after a million in two dimensions. Weaknesses: the
// shortest curve found is the shortest of those tried, and nothing proves that there is no other.
// Thread safety: immutable. Reference: none; its parts have theirs.
class PULLBACK_EXPORT AutoSolver final : public GeodesicSolver {
 public:
  AutoSolver(AutoOptions options, const SolverRegistry& registry);

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;
  std::vector<Curve> starts(const GeodesicProblem& problem, SolveContext& context) const;

  AutoOptions options_;
  std::unique_ptr<const GeodesicSolver> graph_;
  std::vector<std::unique_ptr<const GeodesicSolver>> smooth_;   // for smooth manifolds, in the order of trying
  std::vector<std::unique_ptr<const GeodesicSolver>> rough_;    // for all others
  std::vector<std::unique_ptr<const GeodesicSolver>> careful_;  // where those left the curve that they started from
  std::unique_ptr<const GeodesicSolver> fine_;  // where a geodesic bends too sharply for their chords; may be null
};

}  // namespace pullback
