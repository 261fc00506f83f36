// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/wait/futex.hpp>

#include "sys/calls.hpp"
#include "wait/lock_around_waits.hpp"
#include "wait/raw_futex.hpp"
#include "wait/sleepers.hpp"

#include <cerrno>
#include <climits>

namespace lastcall::wait {

futex_result futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                        deadline& until) noexcept {
  const duration left = until.remaining();
  // No slice here: who was not asleep has not overslept, and a spent budget stays spent.
  if (left == duration::zero()) return futex_result::timed_out;
  const lock_set_aside aside; // whoever would wake this thread may need it
  if (const auto by_hand = wait_by_hand(word, expected, until)) return *by_hand;
  const int result = sys::futex_wait(word, expected, until.is_never() ? -1 : left.count());
  // Whatever ended the sleep: who wakes far past the deadline has overslept.
  if (!until.expired() || until.grant_slice()) return futex_result::woken;
  return result == -ETIMEDOUT ? futex_result::timed_out : futex_result::woken;
}

void futex_wake_one(const std::atomic<std::uint32_t>& word) noexcept { wake_surely(word, 1); }

void futex_wake_all(const std::atomic<std::uint32_t>& word) noexcept { wake_surely(word, INT_MAX); }

} // namespace lastcall::wait
