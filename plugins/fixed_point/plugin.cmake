pullback_plugin(fixed_point SOURCES acceleration_process.cc fixed_point.cc iteration.cc)
