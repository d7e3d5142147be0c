// A plugin built against version 7.1 of the library.
#include "pullback/solvers/plugin.h"

namespace {

pullback::BuildFingerprint build_of_version_7() {
  pullback::BuildFingerprint build = pullback::this_build();
  build.library_version = 7'01'00;
  return build;
}

}  // namespace

extern "C" const pullback::PluginInfo* pullback_plugin() {
  static const pullback::PluginInfo info{pullback::kPluginApiVersion, "other_version", "1.0", build_of_version_7(),
                                         [](pullback::PluginRegistrar&) {}};
  return &info;
}
