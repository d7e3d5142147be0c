# The contract that every solver must keep, for plugins outside the library: known answers, ends, stopping, threads.
#
# pullback_add_solver_contract_tests(<target> PLUGIN <file or target> [SOLVERS <chain> …] [TIMEOUT <seconds>])
# makes a GoogleTest program that loads the plugin and holds its solvers against the contract, all of them or those
# named, and registers its tests with ctest under "<target>.". The sources are those of the library's own tests. Needs
# GoogleTest 1.10 or later, which is sought here, and the component `plugins`.
set(pullback_CONTRACT_SOURCES cases.cc solvers_under_test.cc solver_contract_test.cc solver_threads_test.cc)

function(pullback_add_solver_contract_tests target)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "PLUGIN;TIMEOUT" "SOLVERS")
  if(NOT ARG_PLUGIN)
    message(FATAL_ERROR "pullback_add_solver_contract_tests(${target}): PLUGIN is missing, a file or a target")
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  find_package(GTest 1.10 REQUIRED)
  include(GoogleTest)
  list(TRANSFORM pullback_CONTRACT_SOURCES PREPEND ${pullback_CONTRACT_DIR}/ OUTPUT_VARIABLE sources)
  list(JOIN ARG_SOLVERS " " solvers)
  set(file ${ARG_PLUGIN})
  if(TARGET ${ARG_PLUGIN})
    set(file $<TARGET_FILE:${ARG_PLUGIN}>)
  endif()
  add_executable(${target} ${sources})
  target_link_libraries(${target} PRIVATE pullback::plugins GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE "PULLBACK_CONTRACT_PLUGIN=\"${file}\""
                             "PULLBACK_CONTRACT_SOLVERS=\"${solvers}\"")
  if(TARGET ${ARG_PLUGIN})
    add_dependencies(${target} ${ARG_PLUGIN})
  endif()
  gtest_discover_tests(${target} TEST_PREFIX ${target}. DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT ${ARG_TIMEOUT})
endfunction()
