// Where the library's own parts lie.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "pullback/base/export.h"

namespace pullback {

// The shipped models: $PULLBACK_MODELS where set, share/pullback/models beside the library's lib folder where
// installed, ../models from it in a build tree.
PULLBACK_EXPORT std::filesystem::path models_folder();

// A module that is loaded when it is first needed, such as "libpullback_torch.so"; nothing when this build has none.
PULLBACK_EXPORT std::optional<std::filesystem::path> find_module(const std::string& file_name);

}  // namespace pullback
