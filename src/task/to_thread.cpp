// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/to_thread.hpp>

#include "runtime/failure_text.hpp"
#include "runtime/sentence.hpp"
#include "runtime/standard_output.hpp"
#include "task/loop_core.hpp"

#include <chrono>

namespace lastcall::detail {

namespace {

constexpr duration patience = std::chrono::seconds{1}; // for standard error

void complain(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (...) {
    const auto why = failure_text();
    tell_standard_error(
        sentence{"lastcall: a function of to_thread came back after its loop had ended: ", why, "\n"},
        patience);
  }
}

} // namespace

bool thread_job::await_suspend(std::coroutine_handle<> frame) {
  who_ = &activity::must_be_in_one();
  if (const auto* due = who_->due()) {
    cut_ = *due;
    return false;
  }
  loop_ = who_->its_loop().shared_from_this();
  box_ = loop_->box();
  begun_ = true;
  loop_->add_outside();
  who_->wait(frame, *this);
  try {
    post();
  } catch (...) {
    who_->wait_no_more();
    loop_->remove_outside();
    throw;
  }
  return true;
}

void thread_job::abort() noexcept {
  cut_ = *who_->due();
  if (policy_ == when_cancelled::abandon) {
    abandoned_ = true;
    loop_->remove_outside();
    who_->wake();
  }
  stop_.request_stop(cut_->why); // may run callbacks of the function's
}

// On the worker.
void thread_job::come_back() noexcept {
  if (box_->post(shared_from_this())) return;
  if (const auto error = failure()) complain(error);
}

void thread_job::arrive() noexcept {
  const auto loop = std::move(loop_);
  if (!abandoned_) {
    loop->remove_outside();
    who_->wake();
    return;
  }
  if (const auto error = failure()) {
    try {
      std::rethrow_exception(error);
    } catch (...) {
      loop->unhandled("to_thread, abandoned,");
    }
  }
}

} // namespace lastcall::detail
