// Results files as `verify` takes them apart.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pullback/analysis/comparison.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/verification.h"
#include "pullback/spaces/opener.h"

namespace pullback::cli {

// One result to verify.
struct VerifyTask {
  std::size_t part;
  JsonView view;
  Vector from;
  Vector to;
  std::string solver;
  std::vector<Finding> fields = {};          // of check_fields(), and a result given twice
  std::optional<Verification> outcome = {};  // nothing: not yet, or interrupted
};

// The results on one generator.
struct VerifyPart {
  OpenedSpace space;
  std::optional<JsonView> view;  // of a study's part; nothing for `geodesic`
  std::vector<StudyPair> pairs;
};

struct VerifyDocument {
  std::string schema;  // empty for `geodesic`
  std::vector<VerifyPart> parts;
  std::vector<VerifyTask> tasks;

  bool comparison() const;
  bool samples() const;  // a study of conditioning keeps the nodes of what it claims and no samples
};

// A point of finite coordinates. Errors: pullback::Error for what is none.
Vector read_end(const JsonView& view, int dimension);

// Opens the generators that the file names, or what --generator says instead. Errors: pullback::Error for what is no
// results file, std::invalid_argument for a --generator that does not fit it.
VerifyDocument read_document(const JsonView& root, const VerifyArguments& arguments);

// What does not hold of the document as a whole, without its curves: a list that must not be empty, results that are
// missing though it says to be complete, dimensions, transforms, pairs that its seed does not choose, its seal.
std::vector<Finding> check_document(const VerifyDocument& document, const JsonView& root);

// A comparison's own numbers, which follow from its results: best lengths, who solved what, and the summary. They are
// found again as they were found, from the results as measured now; all tasks must have an outcome.
std::vector<Finding> check_summary(const VerifyDocument& document, std::size_t part, const JsonView& root,
                                   double tolerance);

}  // namespace pullback::cli
