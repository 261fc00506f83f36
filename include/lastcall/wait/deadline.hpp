// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/clock.hpp>

namespace lastcall {

/// The latest moment at which a wait gives up.
///
/// A timeout ("5 seconds") starts anew in every call it is handed to; a deadline does not, so a stop
/// made of ten waits still ends on time. Every wait on the stop path takes one.
///
///     auto until = lastcall::deadline::after(5s);
///     requests.close();
///     if (!requests.wait_until(until)) report(requests.holders());
///     workers.join(until);                       // what is left of the same five seconds
///
/// A wait that wakes up far past its deadline was not waiting for anybody: the process itself was
/// stopped (SIGSTOP, a debugger, a suspended machine), and those it waits for were stopped with it.
/// Such a wait calls `grant_slice()` once, which moves the deadline a bounded bit past now.
///
/// Threads: a deadline is a value; copies are independent.
class deadline {
public:
  /// How far past the deadline a wake-up must come before the process counts as having been stopped.
  static constexpr duration far_past = std::chrono::milliseconds{500};
  /// The longest extra slice.
  static constexpr duration longest_slice = std::chrono::seconds{1};

  /// A deadline that never passes.
  static deadline never() noexcept;
  /// The moment `span` from now; a negative span has passed already, a huge one never passes.
  static deadline after(duration span) noexcept;
  /// The moment `when`.
  static deadline at(time_point when) noexcept;

  bool expired() const noexcept;
  /// What is left, never negative; `duration::max()` for `never()`.
  duration remaining() const noexcept;
  bool is_never() const noexcept { return at_ == time_point::max(); }
  time_point when() const noexcept { return at_; }

  /// The earlier of two deadlines.
  friend deadline earlier(const deadline& a, const deadline& b) noexcept { return a.at_ <= b.at_ ? a : b; }

  /// Called by a timed wait that has just woken up: when now is more than `far_past` beyond the deadline,
  /// moves it to now plus the slice (the original span, at most `longest_slice`) and returns true.
  /// The second call never does: one slice, not one per suspension.
  bool grant_slice() noexcept;

private:
  deadline(time_point at, duration slice) noexcept : at_{at}, slice_{slice} {}

  time_point at_;
  duration slice_;
};

} // namespace lastcall
