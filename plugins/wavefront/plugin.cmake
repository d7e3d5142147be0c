pullback_plugin(wavefront SOURCES wavefront.cc box.cc meeting.cc)
