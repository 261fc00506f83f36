# SPDX-License-Identifier: BSL-1.0
#
# GoogleTest: as installed, or, where LASTCALL_GOOGLETEST_SOURCE names its sources, built of them: Debian has
# it as a library for this machine's processor only.
set(LASTCALL_GOOGLETEST_SOURCE "" CACHE PATH "Sources of GoogleTest, where it is not installed as a library")
if(LASTCALL_GOOGLETEST_SOURCE)
  set(INSTALL_GTEST OFF)
  set(BUILD_GMOCK OFF)
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW) # its options are these variables
  add_subdirectory(${LASTCALL_GOOGLETEST_SOURCE} ${PROJECT_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
  foreach(library IN ITEMS gtest gtest_main)
    target_compile_options(${library} PRIVATE -w) # its warnings are not ours to mend
  endforeach()
else()
  find_package(GTest REQUIRED)
endif()
