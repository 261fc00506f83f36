// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/task/activity.hpp>
#include <lastcall/task/timer.hpp>
#include <lastcall/wait/deadline.hpp>

#include <coroutine>
#include <optional>

namespace lastcall {

namespace detail {

class sleeping : private waiting, private timer {
public:
  explicit sleeping(deadline until) noexcept : until_{until} {}
  ~sleeping() = default; // never destroyed while it waits: see activity
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> frame); // throws std::bad_alloc

protected:
  deadline until_;
  activity* who_ = nullptr;
  std::optional<cancellation> cut_{}; ///< why it did not sleep to the end

private:
  void abort() noexcept override;
  void fire() noexcept override;
};

class sleep_awaiter : public sleeping {
public:
  using sleeping::sleeping;
  void await_resume() const {
    if (cut_) throw cancelled{*cut_};
  }
};

class try_sleep_awaiter : public sleeping {
public:
  using sleeping::sleeping;
  bool await_resume() const noexcept { return !cut_; }
};

class checkpoint_awaiter {
public:
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> frame) noexcept;
  void await_resume() const;
};

} // namespace detail

/// Lets `span` pass, by the library's clock. Ended by a cancellation, which it throws: `cancelled`.
[[nodiscard]] inline detail::sleep_awaiter sleep_for(duration span) noexcept {
  return detail::sleep_awaiter{deadline::after(span)};
}
/// Waits for the moment; `deadline::never()` waits until it is cancelled.
[[nodiscard]] inline detail::sleep_awaiter sleep_until(deadline until) noexcept {
  return detail::sleep_awaiter{until};
}

/// The twins that throw nothing: true when the time has passed, false when a cancellation came before.
[[nodiscard]] inline detail::try_sleep_awaiter try_sleep_for(duration span) noexcept {
  return detail::try_sleep_awaiter{deadline::after(span)};
}
[[nodiscard]] inline detail::try_sleep_awaiter try_sleep_until(deadline until) noexcept {
  return detail::try_sleep_awaiter{until};
}

/// What a coroutine can ask and do about itself.
namespace this_task {

/// Lets the others of the loop run, then goes on; throws `cancelled` where a cancellation is due.
[[nodiscard]] inline detail::checkpoint_awaiter checkpoint() noexcept { return {}; }

/// Whether the next suspension would deliver a cancellation. Only asks.
[[nodiscard]] bool cancel_pending() noexcept;
/// Which one.
[[nodiscard]] std::optional<cancellation> why() noexcept;

} // namespace this_task

} // namespace lastcall
