// Images of a folder, to fit to.
#pragma once

#include <filesystem>

#include "pullback/base/export.h"
#include "pullback/base/types.h"

namespace pullback {

// The held-out images of a folder of IDX files, as `pullback train` would hold them out by default: grey values from 0
// to 1, an image in each column. Errors: pullback::Error for a folder without such files, or images whose number of
// pixels is not `pixels`.
PULLBACK_EXPORT Matrix read_heldout_images(const std::filesystem::path& folder, int pixels);

}  // namespace pullback
