pullback_plugin(whitened SOURCES whitened.cc)
