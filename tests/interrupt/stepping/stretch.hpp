// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <atomic>
#include <cerrno>
#include <cstdio>

namespace stepping {

/// What a subject and its tracer share: a page of memory that both have mapped.
///
/// The subject is a function that prepares, calls `begin`, does what is to be interrupted, calls `end`, and
/// says by `require` whether all is as promised. Between the two marks it says by `at` how far it has come.
struct stretch {
  // --- the subject's part ---
  std::atomic<int> place{0};
  std::atomic<int> delivered_at{-1}; ///< the place at which the request was delivered; -1: nowhere
  std::atomic<bool> past{false};     ///< the end mark has been passed
  bool errno_kept = false;
  bool judged = false; ///< the subject has come to its end
  char failure[160] = {};

  // --- the tracer's part ---
  bool signalled = false;  ///< this run has had its signal
  int place_at_signal = 0; ///< how far the subject was then

  void begin() noexcept;
  void end() noexcept;

  void at(int here) noexcept {
    // The two are on one thread, stopped at any instruction: only the compiler could move them.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    place.store(here, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  void delivered() noexcept { delivered_at = place.load(std::memory_order_relaxed); }

  /// The first thing that is wrong is kept.
  void require(bool holds, const char* what) noexcept {
    if (!holds && failure[0] == '\0') std::snprintf(failure, sizeof failure, "%s", what);
  }
};

/// Waits until the herald, the only other thread here, sleeps: the stretch begins when it has nothing left to
/// do.
void settle() noexcept;

/// Where a stretch ends: the tracer knows the address.
[[gnu::noinline]] void the_end() noexcept;

/// The subject's errno between the marks.
inline constexpr int errno_before = ENOTTY;

} // namespace stepping
