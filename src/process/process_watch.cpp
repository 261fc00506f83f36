// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/process_watch.hpp"

#include "sys/channel.hpp"
#include "sys/process_calls.hpp"
#include "wait/lock_around_waits.hpp"

#include <cerrno>

namespace lastcall::detail {

namespace {

process_end told(const sys::child_end& end) noexcept {
  using how = process_end::how;
  const how what = end.kind == sys::end_kind::exited   ? how::exited
                   : end.kind == sys::end_kind::dumped ? how::dumped
                                                       : how::signalled;
  return {end.pid, what, end.value, false};
}

bool is_readable(int pidfd) noexcept {
  sys::awaited what{pidfd, sys::readable};
  return sys::poll_many({&what, 1}, 0) > 0;
}

} // namespace

std::optional<process_end> reaped(pid_t child, int pidfd) noexcept {
  sys::child_end end{child};
  const int result = sys::reap(pidfd, end);
  if (result > 0) return told(end);
  if (result != -ECHILD) return std::nullopt;
  // A process that is not ours to wait for, but has not ended, is not reaped yet either.
  if (!is_readable(pidfd)) return std::nullopt;
  process_end unknown{child};
  if (sys::end_of_reaped(pidfd, end) > 0) unknown = told(end);
  unknown.reaped_elsewhere = true;
  return unknown;
}

bool ended_within(int pidfd, deadline until) noexcept {
  wait::lock_set_aside aside;
  for (;;) {
    sys::awaited what{pidfd, sys::readable};
    const int ready = sys::poll_many({&what, 1}, until.is_never() ? -1 : until.remaining().count());
    if (ready > 0) return true;
    if (ready == 0 && until.expired() && !until.grant_slice()) return false;
    if (ready < 0 && ready != -EINTR && ready != -EAGAIN) return is_readable(pidfd);
  }
}

} // namespace lastcall::detail
