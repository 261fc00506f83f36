# SPDX-License-Identifier: BSL-1.0
#
# lastcall_test(<name> SOURCES <cpp>... [LIBS <target>...] [TIMEOUT <seconds>] [LABELS <label>...] [PREFIX <text>])
#
# One GoogleTest executable; ctest runs each of its tests in a process of its own, so that signal
# dispositions, threads and children of one test never meet those of another. PREFIX goes before the tests'
# names, where the same sources are built twice.
include(GoogleTest)

# GoogleTest's header is half of what the compiler reads of a test. GCC 12 takes what is inlined from a precompiled header
# for ours, and warns of what it fancies to see in std::string. Not with a compiler cache, which keeps nothing that was made
# with one.
option(LASTCALL_PRECOMPILE_TESTS "Precompile GoogleTest's header" OFF)
if(CMAKE_CXX_COMPILER_LAUNCHER)
  set(LASTCALL_PRECOMPILE_TESTS OFF)
endif()
if(LASTCALL_PRECOMPILE_TESTS)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/nothing.cpp CONTENT "")
  add_library(lastcall_test_header OBJECT ${CMAKE_CURRENT_BINARY_DIR}/nothing.cpp)
  target_link_libraries(lastcall_test_header PRIVATE GTest::gtest_main)
  target_compile_features(lastcall_test_header PRIVATE cxx_std_20)
  target_precompile_headers(lastcall_test_header PRIVATE <gtest/gtest.h>)
endif()

# What the runtime of a sanitizer asks a program of the tests for.
set(lastcall_test_sanitizer_objects "")
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=(address|thread)")
  add_library(lastcall_test_sanitizers OBJECT ${PROJECT_SOURCE_DIR}/tests/sys/sanitizers.cpp)
  target_compile_features(lastcall_test_sanitizers PRIVATE cxx_std_20)
  set(lastcall_test_sanitizer_objects $<TARGET_OBJECTS:lastcall_test_sanitizers>)
endif()

function(lastcall_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT;PREFIX" "SOURCES;LIBS;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_executable(${name} ${arg_SOURCES} ${lastcall_test_sanitizer_objects})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gtest_main)
  if(LASTCALL_PRECOMPILE_TESTS)
    target_precompile_headers(${name} REUSE_FROM lastcall_test_header)
    target_compile_options(${name} PRIVATE -Wno-array-bounds -Wno-stringop-overflow -Wno-restrict)
  endif()
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  # The library is built as it is used; of the tests' own code little is gained by more, and half the time lost.
  target_compile_options(${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O1>)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${arg_PREFIX}"
                       PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()
