pullback_plugin(georce SOURCES control_problem.cc georce.cc published_scheme.cc symmetric_scheme.cc)
