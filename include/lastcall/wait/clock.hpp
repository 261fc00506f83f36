// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <chrono>

namespace lastcall {

/// The clock behind every deadline, time stamp and timed wait of the library.
///
/// A test that waits for real seconds is slow, and a test about a process that was stopped for an hour
/// is impossible; so the source of "now" can be exchanged. It is the steady clock otherwise: a step of
/// the wall clock never lengthens or shortens a stop.
///
/// Threads: `now` and `exchange_source` may be called from any thread.
/// Signals: the handler does not ask this clock; it reads the kernel's monotonic clock itself.
struct clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;
  using source = time_point (*)() noexcept;

  static constexpr bool is_steady = true;

  /// The current time of the source in use.
  static time_point now() noexcept;

  /// The same, some milliseconds behind it at most, for a quarter of its price: for stamps that are made some
  /// millions of times a second and hardly ever looked at.
  static time_point roughly_now() noexcept;

  /// Makes `next` the source and returns the one before; nullptr means the steady clock. For tests.
  static source exchange_source(source next) noexcept;
};

using duration = clock::duration;
using time_point = clock::time_point;

} // namespace lastcall
