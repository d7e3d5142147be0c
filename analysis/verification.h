// Whether results that were stored are true.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "pullback/analysis/comparison.h"
#include "pullback/analysis/field_values.h"
#include "pullback/analysis/work_control.h"
#include "pullback/base/export.h"
#include "pullback/solvers/result_fields.h"
#include "pullback/spaces/named_transforms.h"
#include "pullback/spaces/opened_space.h"
#include "pullback/spaces/transform_fields.h"

namespace pullback {

// Points of a curve, n×K, with their times.
struct PULLBACK_EXPORT CurveSamples {
  Vector times;
  Matrix points;
};

// A result as it was stored.
struct PULLBACK_EXPORT StoredResult {
  Vector from;
  Vector to;
  std::string solver;      // the chain
  double accuracy = 1e-6;  // that was asked for, by which the certificate judged
  Termination termination = Termination::kNumericalFailure;
  std::optional<Curve> curve;  // nothing: it was not kept; empty: there was none
  Stored<Certificate> certificate;
  Effort effort;
  std::optional<CurveSamples> samples;
  std::optional<Stored<PlainView>> plain;  // on a transformed space
};

// What a solve returned, as it is stored.
PULLBACK_EXPORT StoredResult as_stored(const ConstVectorRef& from, const ConstVectorRef& to,
                                       const GeodesicResult& result);

struct PULLBACK_EXPORT VerificationOptions {
  // Relative difference that is allowed between a number that was stored and the same number measured again.
  double tolerance = 1e-6;
};

// What was found of one result.
struct PULLBACK_EXPORT Verification {
  std::vector<Finding> findings;  // none: verified
  bool without_curve = false;     // nothing to measure, or no time to measure it, and nothing claimed of it
  // Measured again: termination, curve and effort as stored, the certificate as found.
  GeodesicResult result;
};

// Measures the curve of a stored result again and compares with what was stored.
//
// The curve is its nodes, which make the solver's interpolant exactly; samples must lie on it. Every number of the
// certificate must be found again to within |written − found| ≤ tolerance |found|, or else within ten times what the
// number changes by when the nodes are moved by a unit in the last place, which is how far two machines may differ
// where the metric is ill-conditioned. The termination must be one that the certificate found does not refute. What
// only the solver knows is not checked: effort, a regularisation, and which shorter curve was met.
//
//   stored: ends and curve of the dimension of the space; samples and plain points n×K.
// Errors: std::invalid_argument for another dimension. Cost: one certificate; four where something does not hold.
// Thread safety: from any thread.
PULLBACK_EXPORT Verification verify(const OpenedSpace& space, const StoredResult& stored,
                                    const VerificationOptions& options = {});

// Results that were stored of one space.
struct PULLBACK_EXPORT StoredPart {
  OpenedSpace space;
  std::vector<StoredResult> results;
};

// The same for all results of all parts, [part][result]; nothing for those that were not finished when it was stopped.
// Calls control.advanced after each result, with its solver.
using Verifications = std::vector<std::vector<std::optional<Verification>>>;
PULLBACK_EXPORT Verifications verify(const std::vector<StoredPart>& parts, const VerificationOptions& options = {},
                                     const WorkControl& control = {});

// Whether the pairs of a part of a comparison are those that choose_pairs() draws by the study's numbers; "pairs",
// "pairs[2]" in findings. Cost: as choose_pairs().
PULLBACK_EXPORT std::vector<Finding> verify_pairs(const Study& study, const StudyPart& part);

// Where a result of a comparison belongs; `solver` is the number of solvers for one that is none of them.
struct PULLBACK_EXPORT ResultPlace {
  std::size_t pair;
  std::size_t solver;
};

// Whether the numbers of a part of a comparison that follow from its results do: "pairs[0].best_length",
// "results[3].solved", "results[3].length_ratio" and "summary[1].…" with the fields of a SolverSummary. `measured` are
// the results as verify() found them and `places` where they belong, both in the order of "results"; the results of
// `part` are not looked at.
PULLBACK_EXPORT std::vector<Finding> verify_summary(const Study& study, const StudyPart& part,
                                                    const std::vector<ResultPlace>& places,
                                                    const std::vector<GeodesicResult>& measured,
                                                    const FieldMap& written, double tolerance);

}  // namespace pullback
