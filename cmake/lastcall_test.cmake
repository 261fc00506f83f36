# SPDX-License-Identifier: BSL-1.0
#
# lastcall_test(<name> SOURCES <cpp>... [LIBS <target>...] [TIMEOUT <seconds>] [LABELS <label>...] [PREFIX <text>])
#
# One GoogleTest executable; ctest runs each of its tests in a process of its own, so that signal
# dispositions, threads and children of one test never meet those of another. PREFIX goes before the tests'
# names, where the same sources are built twice.
include(GoogleTest)

function(lastcall_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT;PREFIX" "SOURCES;LIBS;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${arg_PREFIX}"
                       PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()
