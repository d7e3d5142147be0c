pullback_plugin(shooting SOURCES joints.cc shooting.cc)
