// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Calls that end at once when a word changes.
///
/// Aim. A thread looks at its word, finds nothing, and enters a call that may block for ever. A request that
/// comes at any moment must end it: before the look, during the call, and in between.
///
/// Obstacle. "In between" is a few instructions, and a signal there sets the word after it was looked at and
/// is over before there is a call it could end with EINTR. What does not work: a flag and EINTR (the gap);
/// blocking the signal and ppoll-like calls that unblock it (two more system calls, and read, accept, flock
/// have no such form); a self-pipe beside every descriptor (not for flock, waitid, open); a jump out of the
/// handler (loses the result of a call that had just ended); signals without SA_RESTART sent again and again
/// (that is the fallback).
///
/// How. The look and the entry are one stretch of a few instructions, written by hand (call_sequence.S), in
/// which everything is done in registers and may be done again: a restartable sequence. A handler that finds
/// the interrupted program counter in it sets it back to the begin of the stretch, so that the word is looked
/// at once more. That covers the signal that came before the entry, and the one that came while the call was
/// blocked: for it, the kernel has prepared to restart the call, and the program counter is at the very
/// instruction that enters it. If it is past that instruction, the call has a result, which wins. (musl's
/// cancellation points do a similar thing, but leave by the handler; restartable sequences are the kernel's
/// own name for the way here.)
///
/// A handler of somebody else's may run in the stretch, and ours on top of it: then the program counter is
/// that handler's. The thread is registered in its seat from `enter` to `left`, and outside of that stretch
/// nothing of ours runs while it is; so ours knows that it is nested, and has itself called again when the
/// other handler returns: see nudge.cpp.
///
/// The fallback has the gap, and closes it by nudges, which here have no SA_RESTART, sent until the thread
/// has left. ThreadSanitizer lets no handler run while its thread is in a call it does not know: the request
/// itself would not be heard. There, and only there, a timer ends the call every few milliseconds, and it is
/// made again.

#include "wait/interruptible_call.hpp"

#include <lastcall/sys/config.hpp>
#include <lastcall/wait/asymmetric_barrier.hpp>

#include "sys/raw_call.hpp"
#include "sys/slices.hpp"
#include "wait/nudge.hpp"
#include "wait/nudge_signal.hpp"

#include <cstdint>

#include <signal.h>

namespace lastcall::wait {

thread_local constinit seat this_seat{};

#if LASTCALL_CONFIG_CALL_SEQUENCE

extern "C" {
[[gnu::visibility("hidden")]] extern const char lastcall_call_enter[];
[[gnu::visibility("hidden")]] extern const char lastcall_call_begin[];
[[gnu::visibility("hidden")]] extern const char lastcall_call_end[];
[[gnu::visibility("hidden")]] extern const char lastcall_call_left[];
}

namespace {

#if defined(__x86_64__)
std::uintptr_t program_counter(const ucontext_t& at) noexcept {
  return static_cast<std::uintptr_t>(at.uc_mcontext.gregs[REG_RIP]);
}
void set_program_counter(ucontext_t& at, const char* to) noexcept {
  at.uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(reinterpret_cast<std::uintptr_t>(to));
}
#else
std::uintptr_t program_counter(const ucontext_t& at) noexcept { return at.uc_mcontext.pc; }
void set_program_counter(ucontext_t& at, const char* to) noexcept {
  at.uc_mcontext.pc = reinterpret_cast<std::uintptr_t>(to);
}
#endif

bool lies_in(std::uintptr_t counter, const char* first, const char* last) noexcept {
  return counter >= reinterpret_cast<std::uintptr_t>(first) &&
         counter < reinterpret_cast<std::uintptr_t>(last);
}

} // namespace

interrupted_at step_back(void* context) noexcept {
  auto& at = *static_cast<ucontext_t*>(context);
  const std::uintptr_t counter = program_counter(at);
  if (!lies_in(counter, lastcall_call_enter, lastcall_call_left)) return interrupted_at::elsewhere;
  if (lies_in(counter, lastcall_call_begin, lastcall_call_end)) set_program_counter(at, lastcall_call_begin);
  return interrupted_at::sequence;
}

sequence_range call_sequence() noexcept {
  return {lastcall_call_enter, lastcall_call_begin, lastcall_call_end, lastcall_call_left};
}

#else

namespace {

long make(const kernel_call& call, [[maybe_unused]] seat& mine) noexcept {
#if LASTCALL_CONFIG_THREAD_SANITIZER
  if (seat_taken()) {
    const sys::slices between{nudge_signal()};
    mine.nudges.fetch_or(nudge_sent, std::memory_order_relaxed); // a slice's end may be pending afterwards
    return sys::raw_call(call.number, call.arguments);
  }
#endif
  return sys::raw_call(call.number, call.arguments);
}

} // namespace

long enter_call(const std::atomic<std::uint32_t>& word, const kernel_call& call, seat& mine) noexcept {
  // Release: the mask comes first. The barrier pairs with the one in nudge.
  mine.watched.store(&word, std::memory_order_release);
  asymmetric_barrier::light();
  const bool due = (word.load(std::memory_order_acquire) & mine.mask.load(std::memory_order_relaxed)) != 0;
  const long result = due ? cancelled : make(call, mine);
  mine.watched.store(nullptr, std::memory_order_release);
  return result;
}

// Nothing can be done from here: whoever set the bit nudges until the thread has left.
interrupted_at step_back(void*) noexcept { return interrupted_at::sequence; }

sequence_range call_sequence() noexcept { return {}; }

#endif

} // namespace lastcall::wait
