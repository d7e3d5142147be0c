# pullback_test(<name> SOURCES … LINK … [ENVIRONMENT VAR=value …] [TIMEOUT s] [OWN_FLAGS])
# makes a GoogleTest program and registers each of its tests with ctest under "<name>.". OWN_FLAGS: it is compiled with
# flags or definitions that others are not, as LibTorch's, and cannot use what is precompiled for all tests.
find_package(GTest REQUIRED)
include(GoogleTest)

# Has to be a program: its flags are those of the tests.
file(CONFIGURE OUTPUT test_headers.cc CONTENT "int main() {}\n")
add_executable(pullback_test_headers ${CMAKE_CURRENT_BINARY_DIR}/test_headers.cc)
target_link_libraries(pullback_test_headers PRIVATE Eigen3::Eigen GTest::gmock GTest::gtest)
target_precompile_headers(pullback_test_headers PRIVATE
  <cmath> <filesystem> <fstream> <functional> <limits> <memory> <stdexcept> <string> <vector>
  <Eigen/Core> <Eigen/LU> <Eigen/QR> <Eigen/Cholesky> <Eigen/SVD> <Eigen/Eigenvalues> <gmock/gmock.h> <gtest/gtest.h>)

function(pullback_test name)
  cmake_parse_arguments(ARG "OWN_FLAGS" "TIMEOUT" "SOURCES;LINK;ENVIRONMENT" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main)
  if(NOT ARG_OWN_FLAGS)
    target_precompile_headers(${name} REUSE_FROM pullback_test_headers)
  endif()
  gtest_discover_tests(${name} TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST
                       PROPERTIES TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "${ARG_ENVIRONMENT}")
endfunction()
