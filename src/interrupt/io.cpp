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
/// with the bits set, undisturbed.

#include <lastcall/interrupt/io.hpp>

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/sys/config.hpp>
#include <lastcall/wait/futex.hpp>

#include "interrupt/signal_core.hpp"

#include <atomic>
#include <cstdint>

namespace lastcall::io {

namespace {

// One round: false when the deadline has passed. `looked_at` was read before the last delivery.
bool sleep_on_word(std::uint32_t looked_at, deadline& until) noexcept {
  return wait::futex_wait(detail::here().due, looked_at, until) == wait::futex_result::woken;
}

// The value to sleep on, read after a checkpoint has had its say: bits that are still set are held back,
// and those that are new have not been looked at. `checkpoint` is given the first look.
template <class Checkpoint>
std::uint32_t settle(Checkpoint&& deliver) {
  // Acquire pairs with the releases that set the bits.
  std::uint32_t before = detail::here().due.load(std::memory_order_acquire);
  while (before != 0) {
    deliver();
    const std::uint32_t after = detail::here().due.load(std::memory_order_acquire);
    if (after == before) break; // held back: a delivery would have thrown, a posted call cleared its bit
    before = after;
  }
  return before;
}

} // namespace

void sleep_until(deadline until) {
  do {
    const std::uint32_t looked_at = settle([] { checkpoint(); });
    if (!sleep_on_word(looked_at, until)) return;
  } while (true);
}

void sleep_until(deadline until, std::error_code& error) noexcept {
  error.clear();
  do {
    const std::uint32_t looked_at = settle([&] {
      if (!error) checkpoint(error);
    });
    if (error || !sleep_on_word(looked_at, until)) return;
  } while (true);
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
  for (;;) {
    if (core->confirm_due()) return true;
    std::uint32_t looked_at = detail::here().due.load(std::memory_order_acquire);
    if ((looked_at & detail::interrupt_due) != 0) continue;
    if ((looked_at & detail::call_posted) != 0) {
      core->take_due(); // runs them, or holds them back under a shield
      looked_at = detail::here().due.load(std::memory_order_acquire);
      if ((looked_at & detail::interrupt_due) != 0) continue;
    }
    if (!sleep_on_word(looked_at, until)) return core->confirm_due().has_value();
  }
}

} // namespace lastcall::io
