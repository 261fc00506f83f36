// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/futex.hpp>

#include <atomic>
#include <cstdint>

namespace lastcall::detail {

/// Tells one waiting thread to look at its conditions again.
///
/// An application's owner waits for many things at once: a request, a stop that ended, a shortened deadline.
/// Each is an atomic of its own; the bell is what is rung after any of them has changed. No lock is taken, so
/// it may be rung by the herald, by a stopper that is past its deadline, and by a signal handler.
///
/// Ordering: what was stored before `ring` is seen by a condition checked after the waiter heard it.
/// Signals: `ring` is async-signal-safe.
class bell {
public:
  void ring() noexcept {
    rung_.fetch_add(1, std::memory_order_release); // pairs with the acquire in wait_until
    wait::futex_wake_all(rung_);
  }

  /// Waits until `condition()` holds or the deadline passes; returns what the condition says at the end.
  template <class Condition>
  bool wait_until(deadline until, Condition condition) noexcept {
    for (;;) {
      const auto heard = rung_.load(std::memory_order_acquire); // pairs with the release in ring
      if (condition()) return true;
      if (wait::futex_wait(rung_, heard, until) == wait::futex_result::timed_out) return condition();
    }
  }

  /// The same by another way to sleep, which may throw: `sleep(word, expected)`, as wait::futex_wait.
  template <class Sleep, class Condition>
  bool wait_by(Sleep sleep, Condition condition) {
    for (;;) {
      const auto heard = rung_.load(std::memory_order_acquire); // pairs with the release in ring
      if (condition()) return true;
      if (sleep(rung_, heard) == wait::futex_result::timed_out) return condition();
    }
  }

private:
  std::atomic<std::uint32_t> rung_{0};
};

} // namespace lastcall::detail
