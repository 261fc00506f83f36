# SPDX-License-Identifier: BSL-1.0
#
# Is the module stacks built? LASTCALL_HAS_STACKS says it: as LASTCALL_STACKS asks, by elfutils' libdw.
find_path(LASTCALL_LIBDW_HEADERS elfutils/libdwfl.h)
find_library(LASTCALL_LIBDW dw)
mark_as_advanced(LASTCALL_LIBDW_HEADERS LASTCALL_LIBDW)
set(LASTCALL_HAS_STACKS OFF)
if(LASTCALL_STACKS AND LASTCALL_LIBDW_HEADERS AND LASTCALL_LIBDW)
  set(LASTCALL_HAS_STACKS ON)
elseif(LASTCALL_STACKS AND NOT LASTCALL_STACKS STREQUAL "AUTO")
  message(FATAL_ERROR "LASTCALL_STACKS needs elfutils' libdw with its headers (Debian: libdw-dev)")
endif()
