// The runs of the study `conditioning` as its journal keeps them.
#pragma once

#include <string>
#include <vector>

#include "pullback/analysis/studies/conditioning.h"
#include "pullback/cli/json_view.h"

namespace pullback::cli {

// A study and, for each of its runs, what results.json says of it as JSON text, in the order of `study.runs`. Both are
// made from journal entries, fresh or read back, so that a study that was resumed is the same as one that was not.
struct JournaledStudy {
  ConditioningStudy study;
  std::vector<std::string> texts;
};

// {"panel", "kappa", "pair", "solver", "result": {…as in `geodesic` without samples, with nodes where it claims a
// geodesic…}, "base": {"length", "relative_excess", "termination"} or null}.
Json entry_json(const ConditioningJob& job, const ConditioningResult& result);

// Puts a journal entry in its place. Errors: pullback::Error for an entry that does not belong to the study.
void take_entry(JournaledStudy& journaled, const JsonView& entry);

}  // namespace pullback::cli
