// A comparison of solver chains on generators: what is solved, and what came of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pullback/cli/arguments.h"
#include "pullback/cli/session.h"
#include "pullback/solvers/result.h"

namespace pullback::cli {

// End points to join, with where they come from.
struct StudyPair {
  std::string name;  // "two sevens", "3 to 8"
  std::string kind;  // "within", "across", "codes" (labels unknown), "outside", "box", "sevens"
  Vector from;
  Vector to;
  std::optional<int> from_label;
  std::optional<int> to_label;
};

// One generator's part.
struct StudyPart {
  OpenedSpace space;
  std::vector<StudyPair> pairs;
  // By pair, then solver: results[pair * solvers + solver]; nothing where it was not finished.
  std::vector<std::optional<GeodesicResult>> results;
};

struct Study {
  std::vector<std::string> solvers;  // chains
  std::vector<StudyPart> parts;
  int pairs = 0;
  std::uint64_t seed = 0;
  Interval box{0, 1};  // of pairs on generators without codes
  double outside = 0;  // share of the pairs with ends outside of the data
  int threads = 1;
  double time_limit = 0;
  std::string command;
  std::string started;  // ISO 8601, UTC
  bool complete = false;

  const std::optional<GeodesicResult>& result(const StudyPart& part, std::size_t pair, std::size_t solver) const {
    return part.results[pair * solvers.size() + solver];
  }
};

// `count` pairs of codes, half of them across and half within classes where labels are known, and before them two
// sevens where there are such; the share `outside` of them has ends drawn uniformly from the box that holds the codes,
// most of which lies outside of the data. For a space without codes pairs in `box`. Drawn ends are points at which the
// metric is finite and regular. The same seed gives the same pairs on every machine. Errors: std::invalid_argument when
// a box holds no regular points.
std::vector<StudyPair> choose_pairs(const OpenedSpace& space, int count, std::uint64_t seed, Interval box,
                                    double outside = 0);

}  // namespace pullback::cli
