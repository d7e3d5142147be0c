# Fails if a variant of the network kernel defines a symbol that the linker may share with another variant or with the
# rest of the program: code compiled for one instruction set would then run where it must not.
#   cmake -DNM=nm -DOBJECTS=a.o,b.o -P kernel_symbols.cmake
string(REPLACE "," ";" OBJECTS "${OBJECTS}")
list(LENGTH OBJECTS count)
if(count EQUAL 0)
  message(FATAL_ERROR "no object of the network kernel given")
endif()
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND ${NM} -C --defined-only ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]* [WVuw] [^\n]*" shared "${symbols}")
  if(shared)
    message(FATAL_ERROR "${object} defines weak symbols: ${shared}")
  endif()
endforeach()
