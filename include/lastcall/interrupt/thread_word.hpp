// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <atomic>
#include <cstdint>

namespace lastcall::detail {

class signal_core;

/// What a checkpoint looks at: one of these per thread.
///
/// The word is written by the signal handler (on any thread), by the herald and by `post`; it is read
/// by its own thread. The rest belongs to its own thread alone. Trivial and constant-initialized, so
/// that access is one instruction relative to the thread pointer: no guard, no wrapper, no destructor.
struct thread_word {
  std::atomic<std::uint32_t> due{0}; ///< bits of `due_bit`; 0 when there is nothing to do
  std::uint32_t shields = 0;         ///< how many shields are up
  signal_core* core = nullptr;       ///< the scope this thread owns, if any
};

/// The bits of `thread_word::due`.
enum due_bit : std::uint32_t {
  interrupt_due = 1, ///< a request is waiting to be delivered; stays until acknowledged
  call_posted = 2    ///< a posted call is waiting to be run
};

// initial-exec: a load from a shared library costs one more instruction instead of a call.
[[gnu::tls_model("initial-exec")]] extern thread_local constinit thread_word this_thread;

/// The calling thread's word.
// The linker may turn the `add` that makes this address into a `lea`, which sets no flags. GCC's null check
// relies on these flags and reports a null pointer that is none, so it is left out here. The attribute says
// nothing in a build without UndefinedBehaviorSanitizer, for which GCC has no macro to ask.
__attribute__((no_sanitize("undefined"))) inline thread_word& here() noexcept { return this_thread; }

} // namespace lastcall::detail
