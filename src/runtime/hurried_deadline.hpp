// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace lastcall::detail {

/// A deadline that a hurry may bring forward while somebody waits for it.
///
/// Some waits cannot be rung awake: poll, a stream's lock, which has a word of its own. They ask `now()`
/// anew, and sleep until `next_look()` at most: a twentieth of a second where there may be a hurry, else to
/// the end.
///
/// Threads: a value. Who hurries stores into the word it was made with.
class hurried_deadline {
public:
  /// One that nobody brings forward.
  hurried_deadline(deadline whole) noexcept : whole_{whole} {} // NOLINT(google-explicit-constructor)
  /// `hurried`, when it is not 0, is a moment in ns on the clock, of which the last `reserve` belongs to
  /// others; but there is time until `at_least` in any case.
  hurried_deadline(deadline whole, const std::atomic<std::int64_t>& hurried, duration reserve,
                   time_point at_least) noexcept
      : whole_{whole}, hurried_{&hurried}, reserve_{reserve}, at_least_{at_least} {}

  deadline now() const noexcept {
    const std::int64_t at = hurried_ == nullptr ? 0 : hurried_->load(std::memory_order_relaxed);
    if (at == 0) return whole_;
    return earlier(whole_, deadline::at(std::max(time_point{duration{at}} - reserve_, at_least_)));
  }
  bool expired() const noexcept { return now().expired(); }
  deadline next_look() const noexcept {
    return hurried_ == nullptr ? whole_ : earlier(now(), deadline::after(longest_sleep));
  }
  /// As deadline::grant_slice; a hurry grants nothing.
  bool grant_slice() noexcept { return whole_.grant_slice(); }
  /// The same, and at most so much from now.
  hurried_deadline within(duration span) const noexcept {
    hurried_deadline less{*this};
    less.whole_ = earlier(whole_, deadline::after(span));
    return less;
  }

private:
  static constexpr duration longest_sleep = std::chrono::milliseconds{50};

  deadline whole_;
  const std::atomic<std::int64_t>* hurried_ = nullptr;
  duration reserve_{};
  time_point at_least_{};
};

} // namespace lastcall::detail
