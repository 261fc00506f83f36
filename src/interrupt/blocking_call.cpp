// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/blocking_call.hpp"

#include <lastcall/interrupt/checkpoint.hpp>

#include "interrupt/signal_core.hpp"
#include "sys/calls.hpp"
#include "wait/lock_around_waits.hpp"
#include "wait/nudge.hpp"

#include <atomic>
#include <cerrno>
#include <limits>

namespace lastcall::detail {

namespace {

[[noreturn]] void fail(const blocking_call& what, long error) {
  throw std::system_error{static_cast<int>(-error), std::system_category(), what.name};
}

// Before the first attempt of a thread. A failure is not the call's own.
int sit_down(blocking_call& what) noexcept {
  const int error = wait::take_seat();
  if (error < 0) what.name = "sigaction (a real-time signal for nudges)";
  return error;
}

// One attempt, after a checkpoint has had its say. A bit that has come since ends it: any for the owner of a
// scope, those of the runtime on its threads, none on others. While delivery is put off, bits that are put
// off already do not; a passed bound always does.
long attempt(blocking_call& what) noexcept {
  thread_word& me = here();
  std::uint32_t mask = me.ends_calls;
  const bool owner = me.core != nullptr && me.core->process() == sys::this_incarnation();
  if ((owner || mask != 0) && !wait::seat_taken()) {
    const int error = sit_down(what);
    if (error < 0 && owner) return error;
    if (error < 0) mask = 0; // nobody will wake this thread; it waits like a plain one
  }
  if (me.core != nullptr) {
    const std::uint32_t looked_at =
        me.due.load(std::memory_order_acquire); // pairs with the releases that set bits
    const bool to_do = (looked_at & ~std::uint32_t{points_counted}) != 0;
    mask |= !to_do || !me.core->holds_back() ? ~std::uint32_t{points_counted} : ~looked_at | bound_passed;
  }
  return wait::interruptible_call(me.due, mask, what.call);
}

// A word of its own for one call, set when the token fires.
class stop_watch {
public:
  explicit stop_watch(const std::stop_token& stop) noexcept : callback_{stop, on_stop{*this}} {}

  long attempt(const wait::kernel_call& call) const noexcept {
    return wait::interruptible_call(asked_, 1, call);
  }
  bool asked() const noexcept { return asked_.load(std::memory_order_relaxed) != 0; }

private:
  // Runs on the thread that asks for the stop, on this one if that was done before. The destructor of the
  // callback waits for it, so the seat and the word are there.
  struct on_stop {
    stop_watch& watch;
    void operator()() const noexcept {
      watch.asked_.store(1, std::memory_order_relaxed); // ordered by the barrier in nudge
      if (&watch.seat_ != &wait::seat_here()) wait::nudge_until_heard(watch.seat_, watch.asked_, 1);
    }
  };

  std::atomic<std::uint32_t> asked_{0};
  wait::seat& seat_ = wait::seat_here();
  std::stop_callback<on_stop> callback_; // last: it may run at once
};

long run_until_stopped(blocking_call& what, const std::stop_token& stop) noexcept {
  long result = 0;
  if (!stop.stop_possible()) {
    static constexpr std::atomic<std::uint32_t> nobody{0};
    do {
      what.set_timeout();
      result = wait::interruptible_call(nobody, 0, what.call);
    } while (!what.is_over(result));
    return result;
  }
  if (!wait::seat_taken())
    if (const int error = sit_down(what); error < 0) return error;
  const stop_watch watch{stop};
  do {
    if (watch.asked()) return wait::cancelled;
    what.set_timeout();
    result = watch.attempt(what.call);
  } while (!what.is_over(result));
  return result;
}

} // namespace

void blocking_call::set_timeout() noexcept {
  if (timeout == timeout_kind::none) return;
  long& pointer = call.arguments[timeout_at];
  pointer = 0;
  if (until->is_never()) return;
  // The deadline's clock may not be the kernel's: what counts is the span.
  std::int64_t ns = until->remaining().count();
  if (timeout == timeout_kind::monotonic_moment) {
    const std::int64_t now = sys::monotonic_ns();
    ns = ns > std::numeric_limits<std::int64_t>::max() - now ? std::numeric_limits<std::int64_t>::max()
                                                             : now + ns;
  }
  left = {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  pointer = as_register(&left);
}

bool blocking_call::is_over(long result) const noexcept {
  if (result == wait::cancelled || result == -EINTR) return false;
  const bool time_is_up = timeout == timeout_kind::span               ? result == 0
                          : timeout == timeout_kind::monotonic_moment ? result == -ETIMEDOUT
                                                                      : false;
  return !time_is_up || !until->grant_slice();
}

bool blocking_call::is_failure(long result) const noexcept {
  return result < 0 && result != -also_over[0] && result != -also_over[1];
}

long as_owner_slowly(blocking_call what, long result) {
  while (!what.is_over(result)) {
    checkpoint(); // with the big lock, if it is held: what is unwound from here may give it back
    what.set_timeout();
    wait::lock_set_aside aside;
    result = attempt(what);
    aside.take_back();
  }
  if (what.is_failure(result)) fail(what, result);
  return result;
}

long as_owner_slowly(blocking_call what, long result, std::error_code& error) noexcept {
  error.clear();
  while (!what.is_over(result)) {
    checkpoint(error);
    if (error) return 0;
    what.set_timeout();
    const wait::lock_set_aside aside;
    result = attempt(what);
  }
  if (!what.is_failure(result)) return result;
  error.assign(static_cast<int>(-result), std::system_category());
  return 0;
}

std::optional<long> until_stopped(blocking_call what, const std::stop_token& stop) {
  wait::lock_set_aside aside;
  const long result = run_until_stopped(what, stop);
  aside.take_back();
  if (result == wait::cancelled) return std::nullopt;
  if (what.is_failure(result)) fail(what, result);
  return result;
}

long until_stopped(blocking_call what, const std::stop_token& stop, std::error_code& error) noexcept {
  const wait::lock_set_aside aside;
  const long result = run_until_stopped(what, stop);
  error.clear();
  if (result == wait::cancelled)
    error = stop_errc::interrupted;
  else if (what.is_failure(result))
    error.assign(static_cast<int>(-result), std::system_category());
  return error ? 0 : result;
}

} // namespace lastcall::detail
