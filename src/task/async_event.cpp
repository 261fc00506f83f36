// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/async_event.hpp>

#include <lastcall/sys/config.hpp>

#include <utility>

namespace lastcall {

bool async_event::awaiter::await_suspend(std::coroutine_handle<> frame) noexcept {
  who_ = &detail::activity::must_be_in_one();
  if (const auto* due = who_->due()) {
    cut_ = *due;
    return false;
  }
  if (of_.set_) return false;
  before_ = of_.last_;
  (before_ != nullptr ? before_->after_ : of_.first_) = this;
  of_.last_ = this;
  who_->wait(frame, *this);
  return true;
}

void async_event::awaiter::abort() noexcept {
  of_.remove(*this);
  cut_ = *who_->due();
  who_->wake();
}

async_event::~async_event() {
  LASTCALL_ASSERT(first_ == nullptr, "an async_event is destroyed while a coroutine waits for it");
}

void async_event::remove(awaiter& one) noexcept {
  (one.before_ != nullptr ? one.before_->after_ : first_) = one.after_;
  (one.after_ != nullptr ? one.after_->before_ : last_) = one.before_;
}

void async_event::set() noexcept {
  set_ = true;
  for (awaiter* one = std::exchange(first_, nullptr); one != nullptr; one = one->after_) one->who_->wake();
  last_ = nullptr;
}

} // namespace lastcall
