pullback_plugin(continuation SOURCES continuation.cc)
