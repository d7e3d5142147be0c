// A plugin built when the classes of the library had other sizes.
#include "pullback/solvers/plugin.h"

namespace {

pullback::BuildFingerprint build_of_other_classes() {
  pullback::BuildFingerprint build = pullback::this_build();
  build.layout += 1;
  return build;
}

}  // namespace

extern "C" const pullback::PluginInfo* pullback_plugin() {
  static const pullback::PluginInfo info{pullback::kPluginApiVersion, "other_layout", "1.0", build_of_other_classes(),
                                         [](pullback::PluginRegistrar&) {}};
  return &info;
}
