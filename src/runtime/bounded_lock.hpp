// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "runtime/hurried_deadline.hpp"
#include "sys/calls.hpp"
#include "wait/raw_futex.hpp"

#include <atomic>
#include <cstdint>

namespace lastcall::detail {

/// A lock that is waited for until a deadline: for what a round of last words keeps locked while it waits for
/// others. Lockable; constant-initialized and trivially destructible, so it may be used at any time.
///
///     word_    0 free · 1 held · 2 held, and somebody may sleep
///
/// The big lock is not given up meanwhile: to take it back may park the thread, with this lock or with a
/// wake-up that was meant for somebody else. Whoever may have it sets it aside around lock and unlock.
///
/// Not recursive, not fair. Across a fork it is taken before and given back on both sides, like any lock.
class bounded_lock {
public:
  bool try_lock() noexcept {
    std::uint32_t free = 0;
    // Acquire pairs with the release in unlock; so below.
    return word_.compare_exchange_strong(free, 1, std::memory_order_acquire, std::memory_order_relaxed);
  }
  /// False when it could not be had in time. One that is free is had in any case.
  bool lock_until(const hurried_deadline& until) noexcept {
    if (try_lock()) return true;
    while (word_.exchange(2, std::memory_order_acquire) != 0) {
      if (until.expired()) return false;
      const deadline look = until.next_look();
      sys::futex_wait(word_, 2, look.is_never() ? -1 : look.remaining().count());
    }
    return true;
  }
  void lock() noexcept { lock_until(deadline::never()); }
  void unlock() noexcept {
    if (word_.exchange(0, std::memory_order_release) == 2) wait::wake_surely(word_, 1);
  }

  bool is_awaited() const noexcept { return word_.load(std::memory_order_relaxed) == 2; }
  bool is_locked() const noexcept { return word_.load(std::memory_order_relaxed) != 0; }

private:
  std::atomic<std::uint32_t> word_{0};
};

} // namespace lastcall::detail
