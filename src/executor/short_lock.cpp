// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "executor/short_lock.hpp"

namespace lastcall::detail {

void short_lock::lock_slowly() noexcept {
  constexpr int looks = 100; // some microseconds: many times what the lock is held for
  for (int i = 0; i < looks; ++i) {
    breathe();
    std::uint32_t free = 0;
    if (word_.load(std::memory_order_relaxed) == 0 &&
        word_.compare_exchange_weak(free, 1, std::memory_order_acquire, std::memory_order_relaxed))
      return; // acquire pairs with the release in unlock
  }
  // Whoever has slept cannot know whether others still do, so it leaves the 2.
  while (word_.exchange(2, std::memory_order_acquire) != 0) sys::futex_wait(word_, 2, -1);
}

} // namespace lastcall::detail
