// Where the library's own parts lie.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace pullback {

// The folder of this library.
std::filesystem::path library_folder();

// The shipped models: $PULLBACK_MODELS where set; share/pullback/models beside the library's lib folder once installed;
// ../models from that folder in a build tree.
std::filesystem::path models_folder();

// A module that is loaded when it is first needed, such as "libpullback_torch.so"; nothing when this build has none.
std::optional<std::filesystem::path> find_module(const std::string& file_name);

}  // namespace pullback
