# SPDX-License-Identifier: BSL-1.0
#
# Is the module task built? LASTCALL_HAS_TASK says it: as LASTCALL_TASK asks, over standalone Asio.
find_path(LASTCALL_ASIO asio/cancellation_signal.hpp) # since 1.19: operations that can be cancelled one by one
mark_as_advanced(LASTCALL_ASIO)
set(LASTCALL_HAS_TASK OFF)
if(LASTCALL_TASK AND LASTCALL_ASIO)
  set(LASTCALL_HAS_TASK ON)
elseif(LASTCALL_TASK AND NOT LASTCALL_TASK STREQUAL "AUTO")
  message(FATAL_ERROR "LASTCALL_TASK needs standalone Asio, 1.19 or newer (Debian: libasio-dev)")
endif()
