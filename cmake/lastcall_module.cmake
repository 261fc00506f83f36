# SPDX-License-Identifier: BSL-1.0
#
# lastcall_module(<name> [APART] HEADERS <h>... SOURCES <cpp>... [DEPENDS <module>...])
#
# One library per module: target lastcall_<name>, alias lastcall::<name>. Public headers are
# given relative to include/, sources relative to the module's own folder in src/. DEPENDS names
# the modules whose headers it may include: the edges of the house, checked by tests/layout. One that is APART is
# no part of lastcall::lastcall and is linked by its own name only.
function(lastcall_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "APART" "" "HEADERS;SOURCES;DEPENDS")
  set(target lastcall_${name})
  add_library(${target} ${arg_SOURCES})
  add_library(lastcall::${name} ALIAS ${target})
  list(TRANSFORM arg_HEADERS PREPEND ${PROJECT_SOURCE_DIR}/include/)
  target_sources(${target} PUBLIC FILE_SET HEADERS
                 BASE_DIRS ${PROJECT_SOURCE_DIR}/include
                 FILES ${arg_HEADERS})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_features(${target} PUBLIC cxx_std_20)
  list(TRANSFORM arg_DEPENDS PREPEND lastcall::)
  target_link_libraries(${target} PUBLIC ${arg_DEPENDS} Threads::Threads)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON
                        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  if(NOT arg_APART)
    set_property(GLOBAL APPEND PROPERTY LASTCALL_MODULES ${name})
  endif()
  if(LASTCALL_INSTALL)
    # Shared libraries of the package find each other where they lie.
    set_target_properties(${target} PROPERTIES INSTALL_RPATH $ORIGIN)
    install(TARGETS ${target} EXPORT lastcall FILE_SET HEADERS)
  endif()
endfunction()

# lastcall_modules_as_one(<target> STATIC|SHARED [AS_BUILT <module>...] [ANEW <module>...])
#
# The same modules once more, as one library and not installed: for tests and benchmarks that need them in another
# way. Those ANEW are compiled again, by what is defined for the target; those AS_BUILT are not. Every module that one of
# them depends on has to be named.
function(lastcall_modules_as_one target kind)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "AS_BUILT;ANEW")
  add_library(${target} ${kind})
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
  target_link_libraries(${target} PUBLIC Threads::Threads)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${PROJECT_SOURCE_DIR}/src)
  foreach(module IN LISTS arg_AS_BUILT)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:lastcall_${module}>)
  endforeach()
  foreach(module IN LISTS arg_ANEW)
    get_target_property(sources lastcall_${module} SOURCES)
    get_target_property(folder lastcall_${module} SOURCE_DIR)
    list(TRANSFORM sources PREPEND ${folder}/)
    target_sources(${target} PRIVATE ${sources})
  endforeach()
endfunction()
