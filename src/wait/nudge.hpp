// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/sys/config.hpp>

#include "wait/seat.hpp"

#include <atomic>
#include <cstdint>

namespace lastcall::wait {

/// Waking one thread that is inside an interruptible call: it is sent the nudge signal, whose handler leads
/// the call sequence back to its look at the word.
enum class nudge_result : std::uint8_t {
  not_waiting, ///< the thread is not inside a call that these bits concern; whatever it does next, it sees
               ///< them
  sent,        ///< it is, and has been sent the signal
  refused      ///< it is, and the kernel has no room for the signal: try again
};

/// Makes the calling thread one that can be nudged, taking the nudge signal if no thread has it yet; it keeps
/// its share of it until `leave_seat` or its end. If the thread blocks that signal, it is unblocked for as
/// long. 0, or minus an errno: -EBUSY when no signal is free. Not from a handler.
int take_seat() noexcept;
/// Gives that share back. The thread must not be inside a call, and nobody may be about to nudge it.
void leave_seat() noexcept;
/// In a child made by fork, for the seat of the one thread there is: its id is another one, nudgers of the
/// parent's do not exist, and none of its own calls is under way.
void forget_seat_in_child() noexcept;
/// Whether `take_seat` is done with.
inline bool seat_taken() noexcept { return seat_here().thread.load(std::memory_order_relaxed) != 0; }

/// After a bit of `bits` has been set in `word`: nudges the thread of `to` if it waits for that.
///
/// The thread cannot leave its call before this is over, and takes a signal that was sent before it returns:
/// no nudge ever hits what it does after the call. The seat must exist until this returns. Threads: any but
/// the one of `to`. Async-signal-safe; one membarrier, one tgkill.
nudge_result nudge(seat& to, const std::atomic<std::uint32_t>& word, std::uint32_t bits) noexcept;

/// What `nudge` would find, from a look without barriers: for those who repeat.
bool seems_to_wait(const seat& of, const std::atomic<std::uint32_t>& word, std::uint32_t bits) noexcept;

/// Nudges until the signal is sent, with growing pauses of at most 16 ms; where the fallback is used, until
/// the thread has left. Not from a handler.
void nudge_until_heard(seat& to, const std::atomic<std::uint32_t>& word, std::uint32_t bits) noexcept;

/// Whether one nudge is enough. Not where the fallback is used: a nudge in its gap is over before the call
/// begins.
inline constexpr bool nudges_are_sure = LASTCALL_CONFIG_CALL_SEQUENCE != 0;

/// For a signal handler, after it has set a bit, with its third argument: leads an interrupted call sequence
/// on this thread back to its look at the word. If another handler is in between, it has the nudge signal do
/// that as soon as that one returns; false when the kernel has no room for the signal. Harmless anywhere
/// else. Async-signal-safe.
bool look_again(void* context) noexcept;

/// The bit of seat::nudges that says that something was sent.
inline constexpr std::uint32_t nudge_sent = 1U << 31U;
/// For interruptible_call, after the seat shows nothing any more: waits for nudges in flight and takes what
/// they sent.
void settle_nudges(seat& mine) noexcept;

} // namespace lastcall::wait
