pullback_plugin(shooting SOURCES joints.cc relaxation.cc shooting.cc)
