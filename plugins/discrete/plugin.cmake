pullback_plugin(discrete SOURCES discrete.cc)
