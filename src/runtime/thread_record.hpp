// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/thread_word.hpp>
#include <lastcall/runtime/thread.hpp>
#include <lastcall/scope/stop.hpp>
#include <lastcall/trace/inline_text.hpp>

#include "wait/seat.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

#include <signal.h> // pthread_t

namespace lastcall::detail {

/// Whether somebody waits for it.
enum class thread_kind : std::uint8_t { joined, daemon };

/// starting → running → ended
///               └───→ parked        for ever
///
/// `ended` is said when the function, what it held and the thread's thread_local objects are gone. `parked`
/// threads sleep for ever inside the library, in the middle of whatever they were.
enum class thread_state : std::uint8_t { starting, running, parked, ended };

/// A thread of ours, as the runtime knows it. Shared by its handle, the registry and the thread; the
/// registry keeps it until the thread is proven to have ended, if need be for ever.
struct thread_record {
  inline_text<56> name{};
  inline_text<104> reason{}; ///< a daemon's: why nobody waits for it
  thread_kind kind = thread_kind::joined;
  std::uint64_t generation = 0;
  stop_source stop{};
  std::unique_ptr<thread_body> body{};

  pthread_t handle{};
  std::atomic<pid_t> id{0};                                ///< the kernel's; set by the thread itself
  std::atomic<thread_state> state{thread_state::starting}; ///< release; the registry's bell is rung after it

  std::atomic<bool> left_behind{
      false}; ///< whoever was to wait for it has given up: see thread_registry::leave
  std::atomic<bool> awaits_end{false}; ///< it waits, in `finalize`, for a finalization by another thread

  // The registry's lock guards these. Null until the thread runs and after its end.
  thread_word* word = nullptr;
  wait::seat* seat = nullptr;
  bool reaped = false;       ///< joined with pthread_join, by whoever set this
  std::uint64_t seen_in = 0; ///< the last round through the registry that has met it

  // The thread's own.
  bool unwound = false; ///< it has been thrown `runtime_ended`
  int uncaught_at_start = 0;

  bool rests() const noexcept {
    // Acquire pairs with the release that sets it: what the thread did before is there.
    const thread_state now = state.load(std::memory_order_acquire);
    return now == thread_state::parked || now == thread_state::ended;
  }
  /// Waiting for it at the end of the runtime would be in vain.
  bool to_be_left() const noexcept {
    return rests() || awaits_end.load(std::memory_order_relaxed); // rung after it was set
  }
};

/// The calling thread's; null where we did not start it.
[[gnu::tls_model("initial-exec")]] extern thread_local constinit thread_record* this_record;

} // namespace lastcall::detail
