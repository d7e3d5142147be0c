#include "pullback/cli/known_dimension.h"

#include "pullback/base/parse.h"
#include "pullback/cli/files.h"

namespace pullback::cli {

KnownDimension known_dimension(const std::string& point, const std::string& table, int points_per_row, int dimension) {
  KnownDimension known{0, dimension};
  if (!point.empty()) {
    known.likely = static_cast<int>(split(point, ',').size());
  } else if (!table.empty()) {
    known.likely = columns_of(table) / points_per_row;
  }
  return known;
}

}  // namespace pullback::cli
