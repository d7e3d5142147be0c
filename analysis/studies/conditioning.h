// A study of what the condition number of the Jacobian does to solvers.
//
// A panel is a curved map in one dimension, seen in charts of growing condition number κ. The pairs are chosen in the
// map's own (base) coordinates and carried into each chart, so that the same geodesics are asked for at every κ and
// their lengths do not depend on it: what any solver finds at any κ is a bound for all.
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
#include "pullback/solvers/solver.h"
#include "pullback/spaces/opener.h"

namespace pullback {

// What decides the results. Threads do not.
struct PULLBACK_EXPORT ConditioningSettings {
  std::vector<std::string> solvers;  // chains
  std::vector<std::string> families;
  std::vector<int> dimensions;
  std::vector<double> kappas;  // increasing
  int pairs = 0;               // of each panel; from kFewerPairsFrom dimensions on a quarter of them, one at least
  std::uint64_t seed = 0;
  double time_limit = 0;  // seconds for each solve
};
inline constexpr int kFewerPairsFrom = 16;

// A panel's map in one chart.
struct PULLBACK_EXPORT ConditionedSpace {
  double kappa = 1;
  OpenedSpace space;
  std::vector<StudyPair> pairs;
  std::function<Curve(const Curve&)> to_base;  // the image of a curve in base coordinates
};

struct PULLBACK_EXPORT ConditioningPanel {
  std::string family;
  std::string title;  // for people
  int dimension = 0;
  std::shared_ptr<const Manifold> base;
  std::vector<ConditionedSpace> spaces;  // by κ
};

// The names of all families.
PULLBACK_EXPORT std::vector<std::string> conditioning_families();

// Errors: std::invalid_argument for an unknown family, or when no family has one of the dimensions; as Opener::open.
PULLBACK_EXPORT std::vector<ConditioningPanel> make_conditioning_panels(Opener& opener,
                                                                        const ConditioningSettings& settings);

// What came of one solve.
enum class ClaimOutcome {
  kSolved,    // converged, and at most kSolvedTolerance longer than the best length known for the pair at any κ
  kLonger,    // converged to a geodesic that is longer than that
  kFalse,     // claimed converged, but in base coordinates the curve is no geodesic or has another length
  kUnclaimed  // did not claim to have converged
};
PULLBACK_EXPORT const char* to_string(ClaimOutcome outcome);

// What the summary needs of one solve.
struct PULLBACK_EXPORT ConditioningRun {
  Termination termination = Termination::kNumericalFailure;
  double length = 0;       // NaN without a curve
  double best_known = 0;   // the shortest curve with the right ends that it returned or met; infinite without
  double base_length = 0;  // of the curve in base coordinates; NaN unless it converged
  bool base_converged = false;
  double seconds = 0;
  double evaluations = 0;
};

struct PULLBACK_EXPORT ConditioningStudy {
  ConditioningSettings settings;
  std::vector<ConditioningPanel> panels;
  std::vector<std::optional<ConditioningRun>> runs;  // see run_index()
  bool complete = false;                             // not stopped before its end
};

// One solve: indices into panels, kappas, the panel's pairs, solvers.
struct PULLBACK_EXPORT ConditioningJob {
  std::size_t panel;
  std::size_t kappa;
  std::size_t pair;
  std::size_t solver;
};

// Whether the study has such a solve, and the pair that it joins.
PULLBACK_EXPORT bool has_job(const ConditioningStudy& study, const ConditioningJob& job);
PULLBACK_EXPORT const StudyPair& pair_of(const ConditioningStudy& study, const ConditioningJob& job);

PULLBACK_EXPORT std::size_t run_index(const ConditioningStudy& study, const ConditioningJob& job);
// Places in `runs`, of which panels with fewer pairs leave some.
PULLBACK_EXPORT std::size_t run_count(const ConditioningStudy& study);

// What a claim is worth in base coordinates, where the map is well-conditioned.
struct PULLBACK_EXPORT BaseCheck {
  double length = 0;
  double relative_excess = 0;  // as in Certificate
  Termination termination = Termination::kNumericalFailure;
};

// One solve in full.
struct PULLBACK_EXPORT ConditioningResult {
  GeodesicResult result;
  std::optional<BaseCheck> base;  // of results that claim to have converged
};

// Solves, and checks a claim in base coordinates; nothing when stopped.
PULLBACK_EXPORT std::optional<ConditioningResult> run_conditioning_job(const ConditioningStudy& study,
                                                                       const ConditioningJob& job,
                                                                       const GeodesicSolver& solver,
                                                                       const std::function<bool()>& should_stop = {});

// One solve without its curve, as a journal keeps it.
struct PULLBACK_EXPORT ConditioningRecord {
  Termination termination = Termination::kNumericalFailure;
  Certificate certificate;  // as it is reported: not measured without a curve
  Effort effort;
  std::optional<BaseCheck> base;
};
PULLBACK_EXPORT ConditioningRecord record_of(const ConditioningResult& result);

// What the summary needs of a result for the pair.
PULLBACK_EXPORT ConditioningRun run_of(const ConditioningRecord& record, const StudyPair& pair);

// How many solves are not done yet.
PULLBACK_EXPORT std::size_t missing_runs(const ConditioningStudy& study);

// Does the solves that are not done yet, and sets `complete`. `study.runs` has run_count() places; `solvers` are those
// of the settings, in this order. `finished` is called after each run was put in its place, by one thread at a time.
// Calls control.advanced for each run. Errors: what `finished` throws ends the work and is thrown.
PULLBACK_EXPORT void run_conditioning_study(
    ConditioningStudy& study, const std::vector<std::unique_ptr<GeodesicSolver>>& solvers,
    const WorkControl& control = {},
    const std::function<void(const ConditioningJob&, const ConditioningResult&)>& finished = {});

}  // namespace pullback
