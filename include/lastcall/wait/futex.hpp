// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

#include <atomic>
#include <cstdint>

namespace lastcall::wait {

/// Waiting on a 32-bit word: the kernel compares the word and goes to sleep in one step, so there is no
/// gap between "look" and "wait" in which a wake-up could be lost.
///
/// Prefer `gate`, `io::sleep_for` and the like; this is what they are made of.
///
/// Signals: neither call is interrupted for good by a handler: the wait either goes on or returns
/// `woken`, and the caller looks at its word again.
enum class futex_result : std::uint8_t {
  woken,    ///< woken, interrupted, or the word had changed: look again
  timed_out ///< the deadline has passed
};

/// Sleeps while `word == expected`, until somebody wakes it or the deadline passes. May return `woken`
/// for no reason at all. Grants `until` its extra slice when the wake-up comes far too late.
/// Ordering: none of its own; load the word with the ordering you need.
futex_result futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                        deadline& until) noexcept;

/// Wakes at most one waiter, or all of them. Async-signal-safe.
void futex_wake_one(const std::atomic<std::uint32_t>& word) noexcept;
void futex_wake_all(const std::atomic<std::uint32_t>& word) noexcept;

} // namespace lastcall::wait
