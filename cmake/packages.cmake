# Debian packages, which `make deb` writes from what is built already: one for each component of the installation.

# pullback_package(<component> <name> <one line> [ARCHITECTURE a] [SECTION s] [DEPENDS …] [SUGGESTS …] [RECOMMENDS …])
set(CPACK_COMPONENTS_ALL "")
macro(pullback_package component name summary)
  cmake_parse_arguments(ARG "" "ARCHITECTURE;SECTION" "DEPENDS;SUGGESTS;RECOMMENDS" ${ARGN})
  string(TOUPPER pullback_${component} id)
  list(APPEND CPACK_COMPONENTS_ALL pullback_${component})
  set(CPACK_DEBIAN_${id}_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${id}_DESCRIPTION "${summary}")
  set(CPACK_DEBIAN_${id}_PACKAGE_SECTION ${ARG_SECTION})
  if(ARG_ARCHITECTURE)
    set(CPACK_DEBIAN_${id}_PACKAGE_ARCHITECTURE ${ARG_ARCHITECTURE})
  endif()
  foreach(field DEPENDS SUGGESTS RECOMMENDS)
    list(JOIN ARG_${field} ", " CPACK_DEBIAN_${id}_PACKAGE_${field})
  endforeach()
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name} RENAME copyright
          COMPONENT pullback_${component})
endmacro()

set(library libpullback${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(this_library "${library} (= ${PROJECT_VERSION})")

# Two minor versions of the library can be installed together, and share the models.
pullback_package(models pullback-models "models that pullback opens by name" SECTION science ARCHITECTURE all)
pullback_package(library ${library} "geometry of deep generative models: the libraries" SECTION libs
                 DEPENDS "pullback-models (>= ${PROJECT_VERSION})" SUGGESTS pullback-torch)
# What the installed CMake package and the public headers need.
pullback_package(development libpullback-dev "geometry of deep generative models: headers and CMake package"
                 SECTION libdevel DEPENDS ${this_library} "libeigen3-dev (>= 3.4)" "libboost-dev (>= 1.74)"
                 SUGGESTS libgtest-dev)  # for pullback_add_solver_contract_tests
if(TARGET pullback)
  pullback_package(tool pullback "geometry of deep generative models: the program" SECTION science
                   DEPENDS ${this_library} RECOMMENDS "pullback-torch (= ${PROJECT_VERSION})")
endif()
# `pullback train`, TorchScript files, and pullback::generators_torch beside libpullback-dev.
if(PULLBACK_TORCH)
  pullback_package(torch pullback-torch "geometry of deep generative models: TorchScript and training" SECTION science
                   DEPENDS ${this_library} SUGGESTS "libpullback-dev (= ${PROJECT_VERSION})")
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "the pullback authors")
set(CPACK_PACKAGE_CONTACT "the pullback authors <maintainers@pullback.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# Libraries of one package are found where they were built; the packages of all others are dpkg-shlibdeps's to know.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/lib)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
include(CPack)
