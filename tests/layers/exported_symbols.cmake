# cmake -DNM=… -DLIBRARY=… [-DENTRY=<C function>] -P exported_symbols.cmake: a library exports its part of namespace
# pullback, the type information and tables of that, and its C entry point. libstdc++ declares namespace std as visible, as
# Boost and LibTorch do some of their classes, so that instances of them are exported whatever the flags; those are weak,
# and any copy will do. Nothing strong of others is exported, as the contents of an archive would be, but for the ends of
# sections, which the linker names.
execute_process(COMMAND ${NM} --dynamic --defined-only --format=posix ${LIBRARY}
                OUTPUT_VARIABLE table COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" table "${table}")

set(special "(T[VTIS]|T[hv]n?[0-9]+_(n?[0-9]+_)?|GV|Z)*")  # tables, type information, thunks, guards, local names
set(own 0)
set(others 0)
set(strangers "")
foreach(line IN LISTS table)
  if(line MATCHES "^_Z${special}NK?8pullback")
    math(EXPR own "${own} + 1")
  elseif(line MATCHES "^_Z[^ ]* [WVu] ")
    math(EXPR others "${others} + 1")
  elseif(line MATCHES "^(__bss_start|_edata|_end) ")
  elseif(NOT ENTRY OR NOT line MATCHES "^${ENTRY} T ")
    string(APPEND strangers "  ${line}\n")
  endif()
endforeach()

cmake_path(GET LIBRARY FILENAME name)
message("${name}: ${own} symbols of pullback, ${others} weak ones of other libraries")
if(strangers)
  message(FATAL_ERROR "${name} exports what is not pullback's:\n${strangers}")
endif()
if(own EQUAL 0 AND NOT ENTRY)
  message(FATAL_ERROR "${name} exports nothing")
endif()
