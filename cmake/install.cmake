# Installation: libraries, headers, the tool, the models and a package for find_package(pullback). The components are
# Debian's packages: see packages.cmake.

include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pullback)
set(model_dir ${CMAKE_INSTALL_DATADIR}/pullback/models)
set(contract_dir ${CMAKE_INSTALL_DATADIR}/pullback/contract)

# pullback_install(<export> <component>) installs the layers given after it, with what is needed to build against them.
function(pullback_install export component)
  if(component STREQUAL pullback_library)
    set(development pullback_development)
  else()
    set(development ${component})
  endif()
  install(TARGETS ${ARGN} EXPORT ${export}
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component} NAMELINK_COMPONENT ${development}
          FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT ${development})
  install(EXPORT ${export} NAMESPACE pullback:: DESTINATION ${package_dir} COMPONENT ${development})
endfunction()

# What needs LibTorch is a package of its own, so that a program that does without installs without.
get_property(layers GLOBAL PROPERTY PULLBACK_TARGETS)
list(FILTER layers EXCLUDE REGEX _torch$)
pullback_install(pullbackTargets pullback_library ${layers})
if(PULLBACK_TORCH)
  pullback_install(pullbackTorchTargets pullback_torch pullback_generators_torch)
  # The library looks for modules here, beside itself, when it opens the first file that needs one.
  install(TARGETS pullback_torch LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/pullback/plugins COMPONENT pullback_torch)
endif()
if(TARGET pullback)
  install(TARGETS pullback RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT pullback_tool)
endif()
if(TARGET pullback-train)
  install(TARGETS pullback-train RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT pullback_torch)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/models/ DESTINATION ${model_dir} COMPONENT pullback_models
        FILES_MATCHING PATTERN "*.safetensors" PATTERN "*.md")

# The contract of solvers, for the tests of plugins outside: pullback_add_solver_contract_tests.
include(cmake/pullbackContract.cmake)
set(contract_files ${pullback_CONTRACT_SOURCES} cases.h solvers_under_test.h)
list(TRANSFORM contract_files PREPEND ${PROJECT_SOURCE_DIR}/tests/contract/)
install(FILES ${contract_files} DESTINATION ${contract_dir} COMPONENT pullback_development)

configure_package_config_file(cmake/pullbackConfig.cmake.in ${PROJECT_BINARY_DIR}/pullbackConfig.cmake
                              INSTALL_DESTINATION ${package_dir} PATH_VARS model_dir contract_dir)
# The classes of the public headers may change with the minor version until 1.0.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/pullbackConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/pullbackConfig.cmake ${PROJECT_BINARY_DIR}/pullbackConfigVersion.cmake
              cmake/pullbackContract.cmake
        DESTINATION ${package_dir} COMPONENT pullback_development)

# Paths relative to the file itself, so that an installation can be moved.
set(pkgconfig_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${pkgconfig_dir} OUTPUT_VARIABLE pkgconfig_to_prefix)
configure_file(cmake/pullback.pc.in ${PROJECT_BINARY_DIR}/pullback.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/pullback.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT pullback_development)

if(PROJECT_IS_TOP_LEVEL)
  include(cmake/packages.cmake)
endif()
