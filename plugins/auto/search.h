// Follows starts to geodesics, and keeps what is found.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pullback/plugins/auto/candidates.h"

namespace pullback {

using Solvers = std::vector<std::unique_ptr<const GeodesicSolver>>;
// Runs one solver's algorithm; what it throws becomes its solution.
using Runner = std::function<RawSolution(const GeodesicSolver&, const GeodesicProblem&)>;

// Follows starts to geodesics, and keeps what is found.
class Search {
 public:
  Search(const GeodesicProblem& problem, const Solvers& solvers, const Solvers& careful, const GeodesicSolver* fine,
         Runner run, int escapes, SolveContext& context)
      : problem_(problem),
        solvers_(solvers),
        careful_(careful),
        fine_(fine),
        run_(std::move(run)),
        escapes_(escapes),
        context_(context) {}

  // Worth following when no converged curve is known that goes the same way or is clearly shorter.
  bool worthwhile(const Start& start) const;
  // Follows it with the first solver alone, or with all. Errors: StopRequested; what was found before is kept.
  void follow(const Start& start, bool first_alone = false);
  // Follows a path of a graph where a few steps of descent bring it as near to being shortest as they may.
  void follow_if_within_reach(const Curve& path);
  // Whether the shortest converged curve, which must be there, is one of many: near a saddle, or on a rough map.
  bool one_of_many();
  // Length of the shortest converged curve; infinite without one.
  double shortest() const;
  // Where nothing converged the start may be shorter than all that the solvers made of it.
  void fall_back();
  // The shortest start, for that.
  void remember(Start start) { shortest_start_ = std::move(start); }
  // The best of what was found; the others are told of as met. Evaluates nothing.
  RawSolution result();
  bool found_any() const;

 private:
  Candidate solve_from(const Start& start, const Solvers& solvers, bool first_alone = false);
  void run_all(const Start& start, const Solvers& solvers, bool first_alone, Candidate& best);
  Candidate solved(const GeodesicSolver& solver, const GeodesicProblem& from, const std::string& origin, bool* settled);
  bool lost_its_way(const Candidate& candidate, const Start& start) const;
  std::string explanation(const Candidate& best) const;
  void follow_coarse(const CoarseCurve& curve);
  // Whether few chords do not show the length of the shortest converged curve, which must be there.
  bool rough();
  // That curve on few chords.
  const CoarseCurve& coarse_shortest();
  bool known_place(const CoarseCurve& curve);

  const GeodesicProblem& problem_;
  const Solvers& solvers_;
  const Solvers& careful_;
  const GeodesicSolver* fine_;
  const Runner run_;
  const int escapes_;
  SolveContext& context_;
  std::vector<Candidate> found_;
  std::optional<Start> shortest_start_;
  CoarseCurve coarse_;        // of the shortest
  double coarse_length_ = 0;  // of that
  std::vector<CoarseCurve> seen_;
  int rough_follows_ = 0;
  int iterations_ = 0;
  int left_saddles_ = 0;
};

}  // namespace pullback
