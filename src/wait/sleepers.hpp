// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/futex.hpp>

#include <cstddef>
#include <optional>

/// Time that is moved by hand, for tests. The kernel wakes nobody whose deadline comes by such a clock, so
/// those who sleep until a deadline are listed, and whoever moves the time wakes them.
///
/// A wake-up can come between a sleeper's listing and its being asleep. So it is repeated until the sleeper
/// has taken itself off the list, which it does only after it has looked at the time: when
/// `wake_those_due` returns, everybody whose time had come knows it.
namespace lastcall::wait {

void begin_time_by_hand() noexcept;
/// Wakes all; whoever goes on waiting does so by the kernel's time.
void end_time_by_hand() noexcept;

/// Waits as futex_wait does, by time that is moved by hand. Nothing when it is not.
std::optional<futex_result> wait_by_hand(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                                         deadline& until) noexcept;

/// How many sleep until a deadline, and the earliest of these deadlines.
std::size_t sleepers() noexcept;
std::optional<time_point> next_awakening() noexcept;
/// Returns when at least so many sleep.
void wait_for_sleepers(std::size_t count) noexcept;
/// Wakes those whose deadline is not after `now`, and returns when they know.
void wake_those_due(time_point now) noexcept;

} // namespace lastcall::wait
