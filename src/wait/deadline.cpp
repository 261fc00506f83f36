// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/wait/deadline.hpp>

#include <algorithm>

namespace lastcall {

deadline deadline::never() noexcept { return {time_point::max(), duration::zero()}; }

deadline deadline::after(duration span) noexcept {
  const time_point now = clock::now();
  if (span >= time_point::max() - now) return never();
  // A span below zero has passed, however long ago; the smallest there is must not wrap around.
  span = std::max(span, duration{std::chrono::hours{-1}});
  return {now + span, std::clamp(span, duration::zero(), longest_slice)};
}

deadline deadline::at(time_point when) noexcept {
  if (when == time_point::max()) return never();
  return {when, std::clamp(when - clock::now(), duration::zero(), longest_slice)};
}

bool deadline::expired() const noexcept { return !is_never() && clock::now() >= at_; }

duration deadline::remaining() const noexcept {
  if (is_never()) return duration::max();
  return std::max(at_ - clock::now(), duration::zero());
}

bool deadline::grant_slice() noexcept {
  if (is_never() || slice_ == duration::zero()) return false;
  const time_point now = clock::now();
  if (now - at_ <= far_past) return false;
  at_ = now + slice_;
  slice_ = duration::zero();
  return true;
}

} // namespace lastcall
