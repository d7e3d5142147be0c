// What the command line tells of the latent dimension.
#pragma once

#include <string>

#include "pullback/spaces/opener.h"

namespace pullback::cli {

// The command line's word: the coordinates of a point as it was typed, or else the columns of a table (a row of which
// holds `points_per_row` points), or else `dimension`. Nothing is checked here: whoever reads the points does that.
KnownDimension known_dimension(const std::string& point, const std::string& table, int points_per_row, int dimension);

}  // namespace pullback::cli
