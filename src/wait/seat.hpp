// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <signal.h>

namespace lastcall::wait {

/// What a thread shows while it is inside an interruptible call, so that others know whether and how to wake
/// it; one for each thread. Trivial and constant-initialized, as thread_word is.
///
///     watched    meaning
///     null       outside: nobody sends this thread anything
///     a word     inside: a bit of `mask` that is set in this word must end the call
///
/// The first three are known to call_sequence.S by their places.
struct seat {
  std::atomic<const std::atomic<std::uint32_t>*> watched{nullptr};
  std::atomic<std::uint32_t> mask{0};   ///< written before `watched`
  std::uint32_t barrier_needed = 0;     ///< asymmetric_barrier is not free here: a full one after `watched`
  std::atomic<std::uint32_t> nudges{0}; ///< see nudge.cpp
  std::atomic<pid_t> thread{0};         ///< the kernel's id; 0: not ready to be nudged
};

static_assert(offsetof(seat, watched) == 0 && offsetof(seat, mask) == 8 &&
              offsetof(seat, barrier_needed) == 12);
static_assert(sizeof(std::atomic<void*>) == 8 && sizeof(std::atomic<std::uint32_t>) == 4);

[[gnu::tls_model("initial-exec")]] extern thread_local constinit seat this_seat;

/// The calling thread's seat.
// For the attribute see detail::here() in thread_word.hpp.
__attribute__((no_sanitize("undefined"))) inline seat& seat_here() noexcept { return this_seat; }

} // namespace lastcall::wait
