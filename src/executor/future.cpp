// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/executor/future.hpp>

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io/wait_for.hpp>

#include "sys/incarnation.hpp"

#include <optional>
#include <string>

namespace lastcall::detail {

future_state::future_state() noexcept : process_{sys::this_incarnation()} {}

void future_state::publish() noexcept {
  // Release pairs with the acquire in ready; the exchange tells whether somebody sleeps.
  if (word_.exchange(is_ready, std::memory_order_acq_rel) == awaited) wait::futex_wake_all(word_);
}

void future_state::fail(std::error_code why, std::string_view label) noexcept {
  refused_ = why;
  label_ = label;
}

void future_state::rethrow() {
  if (failure_) std::rethrow_exception(failure_);
  if (refused_) throw std::system_error{refused_, "the task \"" + std::string{label_.view()} + '"'};
}

// `wait` sleeps while the word is `awaited`: true to look again.
template <class Wait>
bool future_state::wait_with(deadline until, Wait wait) {
  for (;;) {
    std::uint32_t now = word_.load(std::memory_order_acquire); // pairs with the release in publish
    if (now == is_ready) return true;
    // Relaxed: nothing is published with it; the kernel compares it again.
    if (now == pending && !word_.compare_exchange_strong(now, awaited, std::memory_order_relaxed)) continue;
    if (sys::this_incarnation() != process_) return false;
    if (!wait(until)) return ready();
  }
}

void future_state::refuse_in_child() const {
  if (!ready() && sys::this_incarnation() != process_)
    throw std::system_error{executor_errc::forked, "the result of a task"};
}

bool future_state::wait(deadline until) {
  checkpoint();
  const bool is = wait_with(
      until, [this](deadline by) { return io::futex_wait(word_, awaited, by) == wait::futex_result::woken; });
  if (!is) refuse_in_child();
  return is;
}

bool future_state::wait(deadline until, std::error_code& error) noexcept {
  checkpoint(error);
  if (error) return ready();
  const bool is = wait_with(until, [this, &error](deadline by) {
    return io::futex_wait(word_, awaited, by, error) == wait::futex_result::woken && !error;
  });
  if (is)
    error.clear();
  else if (!error && sys::this_incarnation() != process_)
    error = executor_errc::forked;
  return is;
}

bool future_state::wait(deadline until, const std::stop_token& stop) {
  const bool is = wait_with(until, [this, &stop](deadline by) {
    const auto how = io::futex_wait(word_, awaited, by, stop);
    return how && *how == wait::futex_result::woken;
  });
  if (!is) refuse_in_child();
  return is;
}

} // namespace lastcall::detail
