// A plugin of the next API version, about which nothing else can be known.
#include "pullback/solvers/plugin.h"

extern "C" const pullback::PluginInfo* pullback_plugin() {
  static const pullback::PluginInfo info{pullback::kPluginApiVersion + 1, nullptr, nullptr, {}, nullptr};
  return &info;
}
