// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/sys/config.hpp>
#include <lastcall/wait/asymmetric_barrier.hpp>

#include "wait/nudge.hpp"
#include "wait/seat.hpp"

#include <atomic>
#include <climits>
#include <cstdint>

namespace lastcall::wait {

/// A system call as it goes into registers.
struct kernel_call {
  long number = 0;
  long arguments[6] = {};
};

/// The result of a call that was not made, or not gone on with, because a bit came first. No kernel call
/// returns it.
inline constexpr long cancelled = LONG_MIN;

/// Makes `call` unless a bit of `mask` is set in `word`; `cancelled` if one is, also when it is set at any
/// later moment up to the kernel's having a result. A result that came always wins, a partial one too.
/// Otherwise what the kernel returns: not negative, or minus an errno; `errno` is not touched.
///
/// -EINTR: some handler ran, and the kernel does not go on with this call after one (signal(7)), or the
/// handler was installed without SA_RESTART. The caller looks at its word and calls again with what is left
/// of its time.
///
/// Threads: any. A bit set by a handler on this thread ends the call by the handler's calling `look_again`,
///   one set by another thread by `nudge`. With mask 0 nobody wakes this thread.
/// Signals: not from a handler.
inline long interruptible_call(const std::atomic<std::uint32_t>& word, std::uint32_t mask,
                               const kernel_call& call) noexcept;

/// For a signal handler, with its third argument: a call sequence that was interrupted looks at its word
/// again before it enters the kernel. Whatever the signal, and harmless anywhere else. Async-signal-safe.
/// Handlers call `look_again`, which also knows what to do `elsewhere`.
enum class interrupted_at : bool { sequence, elsewhere };
interrupted_at step_back(void* context) noexcept;

/// Where the sequence lies in memory: [begin, end) is what step_back leads back, [enter, left) is all during
/// which a word is shown. All null where the fallback is used. For tests that interrupt at every instruction.
struct sequence_range {
  const void* enter = nullptr;
  const void* begin = nullptr;
  const void* end = nullptr;
  const void* left = nullptr;
};
sequence_range call_sequence() noexcept;

// --- inline, because a kernel that guards against Spectre has every return after a call mispredicted ---

#if LASTCALL_CONFIG_CALL_SEQUENCE
extern "C" long lastcall_interruptible_call(long a0, long a1, long a2, long a3, long a4, long a5, long number,
                                            const std::atomic<std::uint32_t>* word, seat* mine) noexcept;

inline long enter_call(const std::atomic<std::uint32_t>& word, const kernel_call& call, seat& mine) noexcept {
  const auto& a = call.arguments;
  return lastcall_interruptible_call(a[0], a[1], a[2], a[3], a[4], a[5], call.number, &word, &mine);
}
#else
long enter_call(const std::atomic<std::uint32_t>& word, const kernel_call& call, seat& mine) noexcept;
#endif

inline long interruptible_call(const std::atomic<std::uint32_t>& word, std::uint32_t mask,
                               const kernel_call& call) noexcept {
  seat& mine = seat_here();
  mine.mask.store(mask, std::memory_order_relaxed); // `watched` publishes it
  const long result = enter_call(word, call, mine);
  asymmetric_barrier::light(); // pairs with the one in nudge: it has seen that we left, or is counted here
  if (mine.nudges.load(std::memory_order_relaxed) != 0) [[unlikely]]
    settle_nudges(mine);
  return result;
}

} // namespace lastcall::wait
