// Loading plugins from shared objects.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/solvers/plugin.h"

namespace pullback {

// Registers a plugin that was linked in. Errors: std::invalid_argument for a name that is taken.
PULLBACK_EXPORT void register_builtin(const PluginInfo& plugin, PluginRegistrar& registrar);

// Loads one plugin. Its registrations either all happen or none does; the object stays loaded for the rest of the
// process. Errors: pullback::Error with the path when the file cannot be loaded, has no `pullback_plugin`, was made for
// another API version, was built differently (saying what differs), or throws while registering.
PULLBACK_EXPORT void load_plugin(const std::filesystem::path& path, PluginRegistrar& registrar);

// Loads every *.so of a directory, goes on past a bad one, and returns the messages of those that failed.
// Errors: pullback::Error when the directory cannot be read.
PULLBACK_EXPORT std::vector<std::string> load_plugin_directory(const std::filesystem::path& directory,
                                                               PluginRegistrar& registrar);

}  // namespace pullback
