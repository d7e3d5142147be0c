# A layer is a folder, a library and an include root of its own.
#
# The headers of layer X are reached as "pullback/X/…" through build/include/X/pullback/X, a link to the folder. A target
# sees only the roots of the layers that it links, so that including upward (base → generators → manifold → solvers → plugins → spaces)
# does not compile. Until 1.0 classes change with the minor version, and so does the SOVERSION.

set_property(GLOBAL PROPERTY PULLBACK_TARGETS "")

# pullback_layer(<name> FOLDER <dir> SOURCES … HEADERS … DEPENDS <public targets> PRIVATE <private targets>)
# makes the shared library pullback_<name>, known as pullback::<name> here and after installation. It exports what bears
# PULLBACK_EXPORT (base/export.h). Tests of what it hides link pullback_<name>_parts instead, an archive of its objects.
function(pullback_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;DEPENDS;PRIVATE" ${ARGN})
  set(target pullback_${name})
  string(REPLACE "_" "/" path ${name})  # generators_torch lies in generators/torch
  set(root ${PROJECT_BINARY_DIR}/include/${name})
  cmake_path(GET path PARENT_PATH parent)
  file(MAKE_DIRECTORY ${root}/pullback/${parent})
  if(NOT EXISTS ${root}/pullback/${path})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/pullback/${path} SYMBOLIC)
  endif()
  list(TRANSFORM ARG_HEADERS PREPEND ${root}/pullback/${path}/)

  add_library(${target} SHARED ${ARG_SOURCES})
  add_library(pullback::${name} ALIAS ${target})
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${root} FILES ${ARG_HEADERS})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} VERSION ${PROJECT_VERSION}
                        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} VERIFY_INTERFACE_HEADER_SETS ON
                        CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if(NOT name STREQUAL base)
    pullback_precompile(${target})
  endif()
  # Nor does it export what comes from archives, as Ceres does on Debian.
  target_link_options(${target} PRIVATE -Wl,--exclude-libs,ALL)
  set_property(GLOBAL APPEND PROPERTY PULLBACK_TARGETS ${target})

  if(PULLBACK_TESTS)
    add_library(${target}_parts STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:${target}>)
    set_target_properties(${target}_parts PROPERTIES LINKER_LANGUAGE CXX)
    target_include_directories(${target}_parts PUBLIC ${root})
    target_link_libraries(${target}_parts PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
  endif()
endfunction()
