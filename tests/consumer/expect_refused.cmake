# cmake -DTOOL=… -DPLUGIN=… -DMESSAGE=… -P expect_refused.cmake
# The tool must refuse the plugin with exit status 3, nothing on standard output, and at most six lines of error of which
# the first names the file and says why.
foreach(arguments "solvers" "geodesic;sphere;--from;0.8,0.1;--to;1.9,1.3")
  execute_process(COMMAND ${TOOL} ${arguments} --plugin ${PLUGIN} RESULT_VARIABLE status OUTPUT_VARIABLE output
                  ERROR_VARIABLE errors)
  if(NOT status EQUAL 3)
    message(SEND_ERROR "${arguments}: expected exit status 3, got ${status}\n${errors}")
  endif()
  if(NOT output STREQUAL "")
    message(SEND_ERROR "${arguments}: expected nothing on standard output, got\n${output}")
  endif()
  string(REGEX MATCH "^[^\n]*" first "${errors}")
  string(FIND "${first}" "${MESSAGE}" reason)
  string(FIND "${first}" "${PLUGIN}" path)
  if(reason EQUAL -1 OR path EQUAL -1)
    message(SEND_ERROR "${arguments}: expected '${PLUGIN}' and '${MESSAGE}' in the first line of\n${errors}")
  endif()
  string(REGEX MATCHALL "\n" lines "${errors}")
  list(LENGTH lines count)
  if(count GREATER 6)
    message(SEND_ERROR "${arguments}: expected at most six lines, got ${count}\n${errors}")
  endif()
endforeach()
