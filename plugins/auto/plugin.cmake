pullback_plugin(auto SOURCES auto.cc candidates.cc search.cc)
