pullback_plugin(string SOURCES flow.cc string.cc)
