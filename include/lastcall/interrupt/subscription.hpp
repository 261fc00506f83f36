// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace lastcall {

namespace detail {
class listener;
}

/// Ends its subscription when destroyed: once it is gone the function is not called any more, and a
/// call in progress on the herald has ended (not waited for when destroyed from inside that very call, nor in
/// a forked child, which has no herald). What the function holds goes with it. May outlive the signal_scope
/// it came from.
///
/// Limits: a call that does not return is waited for up to two seconds and then left behind, as `close` of
///   the scope leaves the herald: what it refers to must live on. Use `reset` to know.
class [[nodiscard]] subscription {
public:
  subscription() noexcept = default;
  explicit subscription(std::shared_ptr<detail::listener> to) noexcept : listener_{std::move(to)} {}
  subscription(subscription&& other) noexcept = default;
  subscription& operator=(subscription&& other) noexcept;
  ~subscription();

  /// Ends it now. Waits for a call in progress until the deadline; false when that call goes on.
  bool reset(deadline until = deadline::after(std::chrono::seconds{2})) noexcept;

private:
  std::shared_ptr<detail::listener> listener_;
};

} // namespace lastcall
