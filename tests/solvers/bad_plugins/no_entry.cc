// A shared object that is no plugin.
extern "C" int pullback_plugin_by_another_name() { return 1; }
