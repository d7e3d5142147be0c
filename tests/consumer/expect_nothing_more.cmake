# cmake -DBUILD=<folder of the subproject> -DCTEST=… -DWORK=… -P expect_nothing_more.cmake
# A project that adds pullback neither installs nor tests it, unless it asks for that.
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
file(GLOB_RECURSE installed RELATIVE ${WORK} ${WORK}/*)
if(NOT installed STREQUAL "bin/subproject")
  message(FATAL_ERROR "expected bin/subproject alone to be installed, got\n${installed}")
endif()
execute_process(COMMAND ${CTEST} --test-dir ${BUILD} --show-only OUTPUT_VARIABLE tests)
if(NOT tests MATCHES "Total Tests: 0")
  message(FATAL_ERROR "expected no test, got\n${tests}")
endif()
