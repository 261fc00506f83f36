// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

#include <chrono>
#include <type_traits>

namespace lastcall::detail {

/// A deadline that may come nearer while somebody waits for it: `runtime::hurry` moves the end of a
/// finalization that is under way.
///
/// Whoever can be woken waits on a bell that `hurry` rings, and compares `now()`. Waits that nobody can wake
/// (for a thread's last steps, in the big lock's queue) are cut at `next_look()`.
///
///     while (!over(until.next_look()))
///       if (until.now().expired()) return false;
///
/// Lifetime: refers to what it was made of; for parameters only.
class moving_deadline {
public:
  static constexpr duration slice = std::chrono::milliseconds{20};

  /// One that stays where it is.
  moving_deadline(const deadline& fixed) noexcept
      : of_{&fixed}, look_{[](const void* of) noexcept { return *static_cast<const deadline*>(of); }} {}
  /// What `look()` returns at the moment; it must not throw.
  template <class Look>
  requires std::is_invocable_r_v<deadline, const Look&> moving_deadline(const Look& look)
  noexcept
      : of_{&look},
        look_{[](const void* of) noexcept { return (*static_cast<const Look*>(of))(); }},
        moves_{true} {}

  deadline now() const noexcept { return look_(of_); }
  deadline next_look() const noexcept { return moves_ ? earlier(now(), deadline::after(slice)) : now(); }

private:
  const void* of_;
  deadline (*look_)(const void*) noexcept;
  bool moves_ = false;
};

} // namespace lastcall::detail
