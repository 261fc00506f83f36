// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/await_descriptor.hpp"

#include "interrupt/blocking_call.hpp"
#include "sys/call_number.hpp"
#include "sys/stream_calls.hpp"

namespace lastcall::detail {

bool await_readable(int fd, deadline until) {
  sys::awaited what{fd, sys::readable};
  auto call = make_call("poll", sys::number::ppoll, &what, 1, nullptr, nullptr, 0);
  call.until = &until;
  call.timeout = timeout_kind::span;
  call.timeout_at = 2;
  return as_owner(call) > 0;
}

} // namespace lastcall::detail
