// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <atomic>
#include <cstdint>

/// Sleeping and waking for those who cannot use futex.hpp: handlers, and what runs below them. Time is the
/// kernel's, also where a test moves the clock by hand. Async-signal-safe.
namespace lastcall::wait {

/// Sleeps for `ns` nanoseconds at most: a handler may end it early.
void pause(std::int64_t ns) noexcept;

/// Wakes at most so many waiters, and tries once more if that failed: they would sleep on for good.
void wake_surely(const std::atomic<std::uint32_t>& word, int waiters) noexcept;

} // namespace lastcall::wait
