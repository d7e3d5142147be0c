find_path(NANOFLANN_INCLUDE nanoflann.hpp REQUIRED)

pullback_plugin(graph SOURCES graph.cc kept_graph.cc neighbour_graph.cc nodes.cc smoothing.cc LIBRARIES Boost::headers)
