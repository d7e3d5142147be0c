// The data that a trained model knows of, and the region of latent space that they fill.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "pullback/base/export.h"
#include "pullback/manifold/data/data_region.h"
#include "pullback/spaces/opened_space.h"

namespace pullback {

// B of DataRegion for a model in its own coordinates, n×n: diag √(d_j² − var_j), where d_j is the deviation of the
// aggregate posterior along coordinate j and var_j the variance of the codes; n×0 where nothing says that codes are
// more than points. d_j comes from the metadata's "code_deviation", a JSON list. A VAE without it: 1, its prior's,
// along coordinates whose codes spread less than a tenth of that, which its encoder leaves to the prior. Errors:
// pullback::Error naming the model for an entry that is not a list of n positive numbers.
PULLBACK_EXPORT Matrix posterior_blur(const std::string& name, const Matrix& codes,
                                      const std::map<std::string, std::string>& metadata);

// Where the space's data are; nothing for a space with fewer than two codes.
PULLBACK_EXPORT std::optional<DataRegion> region_of(const OpenedSpace& space);

}  // namespace pullback
