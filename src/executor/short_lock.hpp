// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/calls.hpp"
#include "wait/raw_futex.hpp"

#include <atomic>
#include <cstdint>

namespace lastcall::detail {

/// A mutex for a few instructions, under which nobody waits and no code of the program runs.
///
/// A pool's lock is taken with every post, by threads on all processors at once, and held for some 20 ns. A
/// std::mutex that finds it taken goes to sleep at once, which costs a hundred times as long as looking
/// again. This one looks some times before it sleeps, and its holder makes no system call for nobody.
///
///     0 free → 1 held → 2 held, and somebody may sleep
class short_lock {
public:
  void lock() noexcept {
    std::uint32_t free = 0;
    // Acquire pairs with the release in unlock.
    if (!word_.compare_exchange_strong(free, 1, std::memory_order_acquire, std::memory_order_relaxed))
        [[unlikely]]
      lock_slowly();
  }
  void unlock() noexcept {
    if (word_.exchange(0, std::memory_order_release) == 2) [[unlikely]]
      wait::wake_surely(word_, 1);
  }

private:
  void lock_slowly() noexcept;

  std::atomic<std::uint32_t> word_{0};
};

/// What a thread does between two looks at a word that is about to change.
inline void breathe() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

} // namespace lastcall::detail
