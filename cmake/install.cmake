# Installation: libraries, headers, the tool, the models and a package for find_package(pullback).

include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pullback)
set(model_dir ${CMAKE_INSTALL_DATADIR}/pullback/models)
set(contract_dir ${CMAKE_INSTALL_DATADIR}/pullback/contract)

get_property(layers GLOBAL PROPERTY PULLBACK_TARGETS)
install(TARGETS ${layers} EXPORT pullbackTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT pullbackTargets NAMESPACE pullback:: DESTINATION ${package_dir})

# All that the tool needs at run time, for building it without tests and examples.
add_custom_target(tool DEPENDS ${layers})
foreach(program pullback pullback-train)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    add_dependencies(tool ${program})
  endif()
endforeach()

# The tool looks for modules here, relative to itself, when it opens the first file that needs one.
if(TARGET pullback_torch)
  install(TARGETS pullback_torch LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/pullback/plugins)
  add_dependencies(tool pullback_torch)
endif()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/models/ DESTINATION ${model_dir}
        FILES_MATCHING PATTERN "*.safetensors" PATTERN "*.md")

# The contract of solvers, for the tests of plugins outside: pullback_add_solver_contract_tests.
include(cmake/pullbackContract.cmake)
set(contract_files ${pullback_CONTRACT_SOURCES} cases.h solvers_under_test.h)
list(TRANSFORM contract_files PREPEND ${PROJECT_SOURCE_DIR}/tests/contract/)
install(FILES ${contract_files} DESTINATION ${contract_dir})

configure_package_config_file(cmake/pullbackConfig.cmake.in ${PROJECT_BINARY_DIR}/pullbackConfig.cmake
                              INSTALL_DESTINATION ${package_dir} PATH_VARS model_dir contract_dir)
# The classes of the public headers may change with the minor version until 1.0.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/pullbackConfigVersion.cmake COMPATIBILITY SameMinorVersion)
configure_file(cmake/pullback.pc.in ${PROJECT_BINARY_DIR}/pullback.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/pullback.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${PROJECT_BINARY_DIR}/pullbackConfig.cmake ${PROJECT_BINARY_DIR}/pullbackConfigVersion.cmake
              cmake/pullbackContract.cmake
        DESTINATION ${package_dir})
