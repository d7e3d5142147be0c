// Charts of a prescribed condition number.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/types.h"

namespace pullback {

enum class ChartKind {
  kRotated,  // U diag(s) Vᵀ, both rotations random: latent coordinates are large and cancel, so that f itself is known
             // to no better than εκ
  kSqueezed,  // U diag(s): the axes of the chart are its singular directions, and nothing cancels
  kSheared    // pairs of coordinates (x + ay, y), scaled
};

// "rotated", …
PULLBACK_EXPORT const char* to_string(ChartKind kind);

// A linear change of chart w = A z.
//
// The singular values s of A go from 1 down to 1/κ, log-spaced; those of a shear are 1 and 1/κ, and 1 for the last
// coordinate of an odd number. `inverse` is made from the factors and not by solving with A.
struct PULLBACK_EXPORT Chart {
  Matrix matrix;   // A, n×n
  Matrix inverse;  // A⁻¹
};

// Errors: std::invalid_argument for κ below 1 or not finite, or κ ≠ 1 in one dimension.
PULLBACK_EXPORT Chart make_chart(ChartKind kind, int dimension, double kappa, std::uint64_t seed);

// The chart of "kappa=K[,chart=rotated|squeezed|sheared][,seed=S]".
// Errors: std::invalid_argument for an unknown key or value.
PULLBACK_EXPORT Chart parse_chart(int dimension, std::string_view chart);

}  // namespace pullback
