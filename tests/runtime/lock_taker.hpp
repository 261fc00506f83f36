// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "runtime/lock_queue.hpp"

#include "sys/calls.hpp"

#include <thread>

/// A thread's dealings with a lock_queue, as big_lock has them.
namespace lock_taker {

using lastcall::deadline;
using lastcall::detail::lock_outcome;
using lastcall::detail::lock_queue;
using lastcall::detail::lock_seat;

inline lock_seat& me() {
  lock_seat& mine = lastcall::detail::lock_seat_here();
  mine.thread = lastcall::sys::gettid();
  return mine;
}

inline lock_outcome take(lock_queue& queue, deadline until = deadline::never()) {
  const auto entry = queue.entry();
  return queue.take_at_once(me(), entry) ? lock_outcome::taken : queue.take(me(), entry, until);
}

inline bool asked() { return (lastcall::detail::here().due.load() & lastcall::detail::lock_wanted) != 0; }

/// What a checkpoint does.
inline lock_outcome checkpoint(lock_queue& queue) {
  return asked() ? queue.hand_over(me()) : lock_outcome::taken;
}

inline void wait_for_waiters(lock_queue& queue, std::size_t count) {
  while (queue.waiters() != count) std::this_thread::yield();
}

} // namespace lock_taker
