// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <atomic>
#include <cstdint>

namespace lastcall::detail {

class signal_core;
struct listed_shield;

/// What a checkpoint looks at: one of these per thread.
///
/// The word is written by the signal handler (on any thread), by the herald and by `post`; it is read
/// by its own thread. `shields` and `at_end` are written by their own thread (its handlers included) and
/// looked at by others; the rest belongs to its own thread alone. Trivial and constant-initialized, so that
/// access is one instruction relative to the thread pointer: no guard, no wrapper, no destructor.
struct thread_word {
  std::atomic<std::uint32_t> due{0};     ///< bits of `due_bit`; 0 when there is nothing to do
  std::atomic<std::uint32_t> shields{0}; ///< how many shields are up
  std::atomic<std::uint32_t> run_out{0}; ///< how many of these hold nothing back any more
  std::atomic<std::uint32_t> at_end{0};  ///< bits of `end_bit`; 0 when the end of a shield is nothing special
  std::uint32_t ends_calls = 0;          ///< the bits that end a blocking call here though no scope is owned
  std::uint32_t holds_lock = 0;          ///< 1 while this thread holds the big lock, which no wait may keep
  signal_core* core = nullptr;           ///< the scope this thread owns, if any
  listed_shield* listed = nullptr;       ///< the innermost shield of those that are more than a count

  /// Whether a shield is up that holds back. Relaxed: its own thread and the handlers on it see what they
  /// wrote, and for others the answer is old as soon as they have it.
  bool shielded() const noexcept {
    return shields.load(std::memory_order_relaxed) > run_out.load(std::memory_order_relaxed);
  }
};

/// The bits of `thread_word::due`.
enum due_bit : std::uint32_t {
  interrupt_due = 1, ///< a request is waiting to be delivered; stays until acknowledged
  call_posted = 2,   ///< a posted call is waiting to be run
  bound_passed = 4,  ///< a bounded shield has run out: look again whether delivery is held back
  points_counted =
      8, ///< a test wants to know of each checkpoint; nothing to do, and slept on as if it were not there
  runtime_over = 16, ///< the runtime this thread belongs to has ended: never taken back
  lock_wanted = 32,  ///< somebody has waited long enough for the big lock that this thread holds
  words_taken = 64   ///< a stream's last words want this thread's write to return
};

/// The bits that concern the owner of a signal_scope, and go with it.
inline constexpr std::uint32_t bits_of_scope = interrupt_due | call_posted | bound_passed;

/// The bits of `thread_word::at_end`.
enum end_bit : std::uint32_t {
  action_put_off = 1, ///< a handler on this thread left something to do to the end of the last shield
  of_parent = 2       ///< shields are up that were up in the parent and count no more
};

// initial-exec: a load from a shared library costs one more instruction instead of a call.
[[gnu::tls_model("initial-exec")]] extern thread_local constinit thread_word this_thread;

/// The calling thread's word.
// The linker may turn the `add` that makes this address into a `lea`, which sets no flags. GCC's null check
// relies on these flags and reports a null pointer that is none, so it is left out here. The attribute says
// nothing in a build without UndefinedBehaviorSanitizer, for which GCC has no macro to ask.
__attribute__((no_sanitize("undefined"))) inline thread_word& here() noexcept { return this_thread; }

} // namespace lastcall::detail
