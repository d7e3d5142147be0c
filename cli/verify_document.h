// Results files as `verify` takes them apart.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pullback/analysis/verification.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/json_view.h"

namespace pullback::cli {

// One result to verify: that of the same place in its part's StoredPart.
struct VerifyTask {
  std::size_t part;
  JsonView view;
  std::string solver;
  std::vector<Finding> contradictions = {};  // of read_result()
  std::vector<Finding> fields = {};          // of check_fields(), and a result given twice
};

// What belongs to the results on one generator.
struct VerifyPart {
  std::optional<JsonView> view;  // of a study's part; nothing for `geodesic`
  std::vector<StudyPair> pairs;
};

struct VerifyDocument {
  std::string schema;  // empty for `geodesic`
  std::vector<VerifyPart> parts;
  std::vector<StoredPart> stored;  // by part
  std::vector<VerifyTask> tasks;   // by part, then result

  bool comparison() const;
  bool samples() const;  // a study of conditioning keeps the nodes of what it claims and no samples
};

// Opens the generators that the file names, or what --generator says instead. Errors: pullback::Error for what is no
// results file, std::invalid_argument for a --generator that does not fit it.
VerifyDocument read_document(const JsonView& root, const VerifyArguments& arguments);

// What does not hold of the document as a whole, without its curves: a list that must not be empty, results that are
// missing though it says to be complete, dimensions, transforms, pairs that its seed does not choose, its seal.
std::vector<Finding> check_document(const VerifyDocument& document, const JsonView& root);

// A comparison's own numbers, which follow from its results as they were measured: best lengths, who solved what, and
// the summary of each part.
std::vector<Finding> check_summaries(const VerifyDocument& document, const std::vector<GeodesicResult>& measured,
                                     const JsonView& root, double tolerance);

}  // namespace pullback::cli
