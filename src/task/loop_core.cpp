// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "task/loop_core.hpp"

#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/thread_word.hpp>
#include <lastcall/task/errors.hpp>
#include <lastcall/task/loop_call.hpp>
#include <lastcall/wait/futex.hpp>

#include "runtime/failure_text.hpp"
#include "runtime/runtime_core.hpp"
#include "runtime/sentence.hpp"
#include "runtime/standard_output.hpp"
#include "sys/calls.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace lastcall::detail {

namespace {

constexpr duration patience = std::chrono::seconds{1}; // for standard error

void complain(std::string_view loop, std::string_view what) noexcept {
  tell_standard_error("lastcall: loop '", patience);
  tell_standard_error(loop, patience);
  tell_standard_error("': ", patience);
  tell_standard_error(what, patience);
  tell_standard_error("\n", patience);
}

} // namespace

loop_core::loop_core(const loop_options& options)
    : name_{options.name},
      root_{*this, name_},
      main_{*this, "main"},
      box_{std::make_shared<mailbox>(io_)},
      handler_{options.on_exception} {
  main_.attach(root_);
}

loop_core::~loop_core() { box_->close(); }

void loop_core::ready(activity& one) noexcept {
  if (state_ == state::over) [[unlikely]] {
    if (!std::exchange(told_late_, true))
      complain(name_, "a coroutine is resumed after its loop has ended; it stays where it is");
    return;
  }
  one.queued_next = nullptr;
  (last_ready_ != nullptr ? last_ready_->queued_next : first_ready_) = &one;
  last_ready_ = &one;
}

void loop_core::begin() {
  if (state_ != state::fresh) throw std::system_error{task_errc::loop_used, "loop '" + name_ + "'"};
  state_ = state::running;
  thread_ = sys::gettid();
  progress_.store(under_way, std::memory_order_release); // pairs with wait_for_end
}

/// Relaxed: what is seen a round later has only come a little later. See `checkpoint`.
void loop_core::hear() noexcept {
  if (listener_ != nullptr && here().due.load(std::memory_order_relaxed) != 0) [[unlikely]]
    listener_->hear();
}

/// One round: those that are ready now, not those that become so meanwhile. Under a shield of the thread: a
/// request is delivered to the main task, as a cancellation, and to nobody else.
bool loop_core::run_ready() noexcept {
  const lastcall::shield whole;
  activity* one = std::exchange(first_ready_, nullptr);
  if (one == nullptr) return false;
  last_ready_ = nullptr;
  while (one != nullptr) {
    activity* const next = one->queued_next; // before it runs: it may be gone afterwards
    one->run();
    one = next;
  }
  return true;
}

bool loop_core::poll_io(bool wait) noexcept {
  const lastcall::shield whole; // as in run_ready: handlers run here
  bool any = false;
  for (;;) {
    try {
      if (io_.stopped()) io_.restart(); // somebody called stop(): it ends a run of theirs, not this loop
      any |= (std::exchange(wait, false) ? io_.run_one() : io_.poll()) != 0;
      return any;
    } catch (...) {
      any = true;
      unhandled("a handler of its io_context");
    }
  }
}

bool loop_core::step() noexcept {
  constexpr unsigned rounds_before_a_look = 16;
  bool any = false;
  hear();
  for (unsigned rounds = 0; rounds < rounds_before_a_look && run_ready(); ++rounds) {
    any = true;
    hear();
  }
  if (!timers_.empty()) any |= timers_.fire_due(clock::now());
  any |= poll_io(false);
  return any || ready_now();
}

/// A timer of Asio's that is early or late does no harm: `step` goes by the library's clock.
/// Throws std::bad_alloc.
void loop_core::set_alarm() {
  const auto next = timers_.next();
  if (next == alarm_at_) return;
  alarm_at_ = next;
  if (!next) {
    alarm_.cancel();
    return;
  }
  constexpr duration longest = std::chrono::hours{24 * 365};
  const duration left = std::clamp(*next - clock::now(), duration::zero(), longest);
  alarm_.expires_after(left);
  alarm_.async_wait([this](std::error_code error) {
    if (!error) alarm_at_.reset();
  });
}

void loop_core::wait() noexcept {
  try {
    set_alarm();
  } catch (...) { // no memory for it: look again and again rather than sleep too long
    alarm_at_.reset();
    poll_io(false);
    return;
  }
  poll_io(true);
}

bool loop_core::end(deadline until) noexcept {
  box_->close();
  while (step()) { // what had come in is begun, so that it can be cancelled, too
  }
  root_.cancel({.cause = cause::call, .text = "the loop ends"});
  struct at_the_deadline final : timer {
    void fire() noexcept override {}
  } alarm;
  try {
    if (!until.is_never()) timers_.add(alarm, until.when());
  } catch (...) { // the loop then looks at the deadline whenever it wakes up
  }
  while (activities_ != 0 && !until.expired())
    if (!step()) wait();
  timers_.remove(alarm);
  poll_io(false);
  const bool all = activities_ == 0;
  if (!all) note_left();
  for (loop_call* one = std::exchange(calls_, nullptr); one != nullptr; one = one->next) one->left_behind();
  state_ = state::over;
  progress_.store(all ? all_ended : some_left, std::memory_order_release); // pairs with wait_for_end
  wait::futex_wake_all(progress_);
  return all;
}

void loop_core::add(loop_call& one) noexcept {
  one.before = nullptr;
  one.next = calls_;
  if (calls_ != nullptr) calls_->before = &one;
  calls_ = &one;
}

void loop_core::remove(loop_call& one) noexcept {
  (one.before != nullptr ? one.before->next : calls_) = one.next;
  if (one.next != nullptr) one.next->before = one.before;
}

void loop_core::note_left() noexcept {
  complain(name_, sentence{activities_, activities_ == 1 ? " coroutine does" : " coroutines do",
                           " not end; its memory is kept, since somebody may still use it"});
}

/// One that has not begun has nothing in flight: an application that was stopped before its first start ends
/// at once.
bool loop_core::wait_for_end(deadline until) noexcept {
  for (;;) {
    // Acquire pairs with the releases: in end, so that whoever frees the memory comes after all that used it;
    // in begin, for the thread.
    const auto now = progress_.load(std::memory_order_acquire);
    if (now != under_way) return now != some_left;
    if (the_core().finalizing_thread() == thread_) return false;
    if (wait::futex_wait(progress_, under_way, until) == wait::futex_result::timed_out) return false;
  }
}

void loop_core::hurry(deadline until) noexcept { root_.hurry(until); }

void loop_core::unhandled(std::string_view where) noexcept {
  const auto what = failure_text();
  if (handler_) {
    try {
      handler_({.loop = name_, .where = where, .error = std::current_exception()});
      return;
    } catch (...) {
      complain(name_, sentence{"its exception handler failed: ", failure_text()});
    }
  }
  ++unhandled_;
  complain(name_, sentence{where, " failed: ", what});
}

} // namespace lastcall::detail
