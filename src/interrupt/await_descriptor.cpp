// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/await_descriptor.hpp"

#include "interrupt/blocking_call.hpp"
#include "sys/call_number.hpp"
#include "sys/stream_calls.hpp"

namespace lastcall::detail {

namespace {

bool await(sys::awaited what, deadline until) {
  auto call = make_call("poll", sys::number::ppoll, &what, 1, nullptr, nullptr, 0);
  call.until = &until;
  call.timeout = timeout_kind::span;
  call.timeout_at = 2;
  return as_owner(call) > 0;
}

} // namespace

bool await_readable(int fd, deadline until) { return await({fd, sys::readable}, until); }

bool await_change(int fd, deadline until) { return await({fd, sys::changed}, until); }

} // namespace lastcall::detail
