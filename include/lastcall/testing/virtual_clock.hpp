// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/clock.hpp>

#include <cstddef>

namespace lastcall::testing {

/// Time that passes when the test says so.
///
/// A test of a timeout either takes as long as the timeout or shortens it until it fails on a busy machine.
/// While one of these lives, `lastcall::clock` stands still, and whoever sleeps in the library until a
/// deadline sleeps until the test has moved the time there.
///
///     lastcall::testing::virtual_clock time;
///     std::jthread sleeper{[] { lastcall::io::sleep_for(1h); finished = true; }};
///     time.wait_for_sleepers(1);
///     time.advance(1h);                  // returns when the sleeper knows that its time has come
///
/// It concerns what takes a `deadline` or a span and waits on the library's own words: `io::sleep_for`,
/// `gate::wait_until`, the stops of an application. It does not concern calls that wait for a descriptor,
/// what a signal handler does, and std::this_thread.
///
/// Threads: make and destroy it while none of the library's waits with a deadline is under way; those that
///   are go by the kernel's time. `advance` and `jump` from one thread at a time.
/// Limits: one at a time in a process (a second aborts), and none in a forked child.
class virtual_clock {
public:
  /// Stands still from now on.
  virtual_clock();
  /// Time is the kernel's again; those who sleep sleep on by that.
  ~virtual_clock();
  virtual_clock(const virtual_clock&) = delete;
  virtual_clock& operator=(const virtual_clock&) = delete;

  time_point now() const noexcept;

  /// Moves the time by `span`, and on the way stops at each deadline: whoever sleeps until then wakes when it
  /// is exactly that late, and knows it before the time moves on. Who goes to sleep anew meanwhile may be
  /// late for a deadline within the span; move by single steps, with `wait_for_sleepers` between, where that
  /// matters.
  void advance(duration span) noexcept;

  /// Moves the time by `span` at once, as for a process that was stopped or a machine that was suspended:
  /// deadlines within the span are found long past.
  void jump(duration span) noexcept;

  /// How many threads sleep until a deadline; waits until there are at least `count`.
  std::size_t sleepers() const noexcept;
  void wait_for_sleepers(std::size_t count) const noexcept;

private:
  clock::source before_;
};

} // namespace lastcall::testing
