// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Waits that a request ends.
///
/// Aim: a request that comes at any moment ends the wait, without polling and without a gap between the
/// last look at the thread's word and the moment the thread is asleep. A flag and a sleep have
/// that gap; a signal in it is noticed when the sleep is over.
///
/// How: the thread sleeps on its word. The kernel compares the word with the value that was looked at
/// and sleeps only if it is still that, in one step. A handler that runs before has changed the word; one
/// that runs on this thread during the sleep changes it, and the restarted or interrupted call comes back
/// to the comparison; for one on another thread the herald wakes the sleeper.
///
/// Under a shield or while unwinding the word keeps its bits; the thread then sleeps on the value
/// with the bits set, undisturbed. Otherwise it never sleeps on a value with bits: what set them has to be
/// seen to first. That the bits are the same as before the last look says nothing, for a posted call may
/// have come while another one ran.

#include <lastcall/interrupt/io/sleep.hpp>

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/sys/config.hpp>
#include <lastcall/wait/futex.hpp>

#include "interrupt/runtime_hooks.hpp"
#include "interrupt/signal_core.hpp"
#include "sys/calls.hpp"
#include "wait/lock_around_waits.hpp"

#include <atomic>
#include <cstdint>

namespace lastcall::io {

namespace {

bool in_forked_child(const detail::signal_core& core) noexcept {
  return core.process() != sys::this_incarnation();
}

bool held_back() noexcept {
  detail::signal_core* core = detail::here().core;
  return core == nullptr || core->holds_back();
}

// One round after a checkpoint has had its say: false when the deadline has passed. `never_held_back`: bits
// that are not slept on even while delivery is put off. `may_throw`: taking the big lock back may.
bool sleep_unless_due(deadline& until, detail::at_point how, std::uint32_t never_held_back = 0) {
  // Acquire pairs with the releases that set the bits.
  const std::uint32_t looked_at = detail::here().due.load(std::memory_order_acquire);
  const bool to_do = (looked_at & ~std::uint32_t{detail::points_counted}) != 0;
  never_held_back |= detail::runtime_over;
  if ((looked_at & never_held_back) != 0 || (to_do && !held_back())) return !until.expired();
  wait::lock_set_aside aside;
  const bool woken = wait::futex_wait(detail::here().due, looked_at, until) == wait::futex_result::woken;
  if (how == detail::at_point::may_throw) aside.take_back();
  return woken;
}

} // namespace

void sleep_until(deadline until) {
  do checkpoint();
  while (sleep_unless_due(until, detail::at_point::may_throw));
}

void sleep_until(deadline until, std::error_code& error) noexcept {
  do checkpoint(error);
  while (!error && sleep_unless_due(until, detail::at_point::must_not_throw));
}

void sleep_for(duration span) { sleep_until(deadline::after(span)); }

void sleep_for(duration span, std::error_code& error) noexcept { sleep_until(deadline::after(span), error); }

bool sleep_until(deadline until, std::stop_token stop) noexcept {
  std::atomic<std::uint32_t> asked{0};
  const std::stop_callback wake{stop, [&asked]() noexcept {
                                  asked.store(1, std::memory_order_relaxed); // the kernel looks at it
                                  wait::futex_wake_all(asked);
                                }};
  while (asked.load(std::memory_order_relaxed) == 0)
    if (wait::futex_wait(asked, 0, until) == wait::futex_result::timed_out) return true;
  return false;
}

bool sleep_for(duration span, std::stop_token stop) noexcept {
  return sleep_until(deadline::after(span), std::move(stop));
}

bool wait_for_request(deadline until) noexcept {
  detail::signal_core* core = detail::here().core;
  LASTCALL_ASSERT(core != nullptr,
                  "wait_for_request on a thread that owns no signal_scope: only the owner is "
                  "told of requests, other threads wait with their stop token");
  if (in_forked_child(*core)) // the parent's
    detail::here().due.fetch_and(~detail::bits_of_scope, std::memory_order_relaxed);
  do {
    if (core->confirm_due()) return true;
    if ((detail::here().due.load(std::memory_order_acquire) & detail::call_posted) != 0)
      core->take_due(); // runs them, or holds them back under a shield
    core = detail::here().core;
    if (core == nullptr) return false; // a posted call has closed the scope
  } while (sleep_unless_due(until, detail::at_point::must_not_throw, detail::interrupt_due));
  return core->confirm_due().has_value();
}

} // namespace lastcall::io
