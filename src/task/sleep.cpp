// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/sleep.hpp>

#include "task/loop_core.hpp"

namespace lastcall {

namespace detail {

bool sleeping::await_suspend(std::coroutine_handle<> frame) {
  who_ = &activity::must_be_in_one();
  if (const auto* due = who_->due()) {
    cut_ = *due;
    return false;
  }
  if (!until_.is_never()) who_->its_loop().timers().add(*this, until_.when());
  who_->wait(frame, *this);
  return true;
}

void sleeping::abort() noexcept {
  who_->its_loop().timers().remove(*this);
  cut_ = *who_->due();
  who_->wake();
}

void sleeping::fire() noexcept { who_->wake(); }

void checkpoint_awaiter::await_suspend(std::coroutine_handle<> frame) noexcept {
  activity::must_be_in_one().stand_aside(frame);
}

void checkpoint_awaiter::await_resume() const {
  if (const auto* due = activity::must_be_in_one().due()) throw cancelled{*due};
}

} // namespace detail

namespace this_task {

bool cancel_pending() noexcept { return detail::activity::must_be_in_one().due() != nullptr; }

std::optional<cancellation> why() noexcept {
  const auto* due = detail::activity::must_be_in_one().due();
  if (due == nullptr) return std::nullopt;
  return *due;
}

} // namespace this_task
} // namespace lastcall
