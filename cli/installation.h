// Where the program's own parts lie.
#pragma once

#include <filesystem>
#include <optional>

namespace pullback::cli {

// The folder of the running binary.
std::filesystem::path binary_folder();

// The shipped models: $PULLBACK_MODELS where set, ../share/pullback/models where installed, ../models in a build tree,
// both relative to the binary.
std::filesystem::path models_folder();

// A module that is loaded when it is first needed, such as "libpullback_torch.so"; nothing when this build has none.
std::optional<std::filesystem::path> find_module(const std::string& file_name);

}  // namespace pullback::cli
