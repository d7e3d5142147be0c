pullback_plugin(collocation SOURCES almost_block_diagonal.cc collocation.cc lobatto.cc)
