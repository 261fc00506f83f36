// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "wait/raw_futex.hpp"

#include "sys/calls.hpp"

namespace lastcall::wait {

void pause(std::int64_t ns) noexcept {
  const std::atomic<std::uint32_t> nobody_changes{0};
  sys::futex_wait(nobody_changes, 0, ns);
}

void wake_surely(const std::atomic<std::uint32_t>& word, int waiters) noexcept {
  if (sys::futex_wake(word, waiters) < 0) sys::futex_wake(word, waiters);
}

} // namespace lastcall::wait
