// A comparison of solver chains on generators: what is solved, and what came of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pullback/analysis/study_pairs.h"
#include "pullback/analysis/work_control.h"
#include "pullback/base/export.h"
#include "pullback/solvers/result.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// One generator's part.
struct PULLBACK_EXPORT StudyPart {
  OpenedSpace space;
  std::vector<StudyPair> pairs;
  // By pair, then solver: results[pair * solvers + solver]; nothing where it was not finished.
  std::vector<std::optional<GeodesicResult>> results;
};

struct PULLBACK_EXPORT Study {
  std::vector<std::string> solvers;  // chains
  std::vector<StudyPart> parts;
  int pairs = 0;
  std::uint64_t seed = 1;
  // Of pairs on generators without codes: positive, so that polar and half-plane charts are met inside.
  Interval box{0.2, 1.8};
  double outside = 0;      // share of the pairs with ends outside of the data
  double time_limit = 0;   // seconds for each solve; 0: none
  double accuracy = 1e-6;  // relative, of the lengths; see SolveControl
  bool complete = false;   // not stopped before its end

  const std::optional<GeodesicResult>& result(const StudyPart& part, std::size_t pair, std::size_t solver) const {
    return part.results[pair * solvers.size() + solver];
  }
  // How many solves it is.
  std::size_t size() const;
};

// Adds a part with the pairs that choose_pairs() draws by the study's numbers, and room for the results of the solvers
// that the study has. Errors: as choose_pairs().
PULLBACK_EXPORT void add_part(Study& study, OpenedSpace space);

// Solves every pair of every part with every solver, and sets `complete`. `solvers` are those of study.solvers, in this
// order. A result that was stopped is left out, as it says nothing of the solver.
//
// `kept` is called after each result was put in its place, by one thread at a time, and no result changes meanwhile:
// what is finished may be saved there. Calls control.advanced for each result.
// Errors: what `kept` throws ends the work and is thrown. Cost: study.size() solves.
PULLBACK_EXPORT void run_comparison(Study& study, const std::vector<std::unique_ptr<GeodesicSolver>>& solvers,
                                    const WorkControl& control = {},
                                    const std::function<void(const Study&)>& kept = {});

}  // namespace pullback
