// End points for comparisons and studies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/statistics.h"
#include "pullback/spaces/opened_space.h"

namespace pullback {

// End points to join, with where they come from.
struct PULLBACK_EXPORT StudyPair {
  std::string name;  // "two sevens", "3 to 8"
  std::string kind;  // "within", "across", "codes" (labels unknown), "outside", "box", "sevens", "rim"
  Vector from;
  Vector to;
  std::optional<int> from_label;
  std::optional<int> to_label;
};

// `count` pairs of codes, half of them across and half within classes where labels are known, and before them two
// sevens where there are such; the share `outside` of them has ends drawn uniformly from the box that holds the codes,
// most of which lies outside of the data. For a space without codes pairs in `box`, the same interval for each
// coordinate. Drawn ends are points at which the metric is finite and regular. The same seed gives the same pairs on
// every machine. Errors: std::invalid_argument when a box holds no regular points.
// Cost: one metric for each end that is drawn from a box, more where the metric is singular. Thread safety: from any.
PULLBACK_EXPORT std::vector<StudyPair> choose_pairs(const OpenedSpace& space, int count, std::uint64_t seed,
                                                    Interval box, double outside = 0);

}  // namespace pullback
