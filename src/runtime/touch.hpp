// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/thread_word.hpp>

namespace lastcall::detail {

/// What everything that belongs to the runtime does first.
///
/// Aim: a daemon never gets back into what has been torn down. When the runtime ends, each thread of ours
/// that has not ended gets the bit `runtime_over` in its word, for good.
///
///     touched at                               once              again, or while unwinding
///     touch(), a function that may throw       throws            parked
///     touch_noexcept()                         parked            parked
///
/// Whoever unwinds it passes destructors of the program, and those touch as they like: they are parked rather
/// than thrown at. Threads that we did not start have no bit, nor has the one that finalizes.
/// Never with a lock held: a parked thread holds it for ever.
void touch_slow();
void touch_slow_noexcept() noexcept;

inline void touch() {
  if ((here().due.load(std::memory_order_relaxed) & runtime_over) != 0) [[unlikely]]
    touch_slow();
}
inline void touch_noexcept() noexcept {
  if ((here().due.load(std::memory_order_relaxed) & runtime_over) != 0) [[unlikely]]
    touch_slow_noexcept();
}

/// Sleeps for ever. Handlers go on to run on this thread.
[[noreturn]] void park() noexcept;

} // namespace lastcall::detail
