pullback_plugin(leapfrog SOURCES broken_geodesic.cc leapfrog.cc)
