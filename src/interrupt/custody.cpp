// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/custody.hpp"

#include "interrupt/dispositions.hpp"
#include "interrupt/put_off_calls.hpp"
#include "interrupt/shield_end.hpp"
#include "sys/calls.hpp"

namespace lastcall::detail {

constinit custody the_custody{};

namespace {

// The process whose scope is live; 0 when none is. In a forked child it names the parent.
constinit std::atomic<sys::incarnation> claimed_by{0};

std::uint32_t force_at(ladder_policy policy) noexcept {
  switch (policy) {
  case ladder_policy::normal: return 3;
  case ladder_policy::eager: return 2;
  case ladder_policy::patient: break;
  }
  return 0;
}

// Runs in a child, which has one thread and no handler at work: what the parent's threads were doing to
// these words at the moment of the fork does not go on here.
void give_up_inherited() noexcept {
  custody& all = the_custody;
  const signal_bits handled = all.handled.load(std::memory_order_relaxed);
  for (int signal = 1; signal < signal_limit; ++signal)
    if ((handled & bit_of(signal)) != 0) give_back(signal);
  all.open.store(false, std::memory_order_relaxed);
  all.inside.store(0, std::memory_order_relaxed);
  all.ring.clear();
  all.wakeup.store(-1, std::memory_order_relaxed);       // the parent's
  all.numbers.store(nullptr, std::memory_order_relaxed); // likewise
  all.feeding.store(0, std::memory_order_relaxed);
  forget_put_off_calls();
}

// Waits until no handler is inside. A handler is a few hundred instructions and waits for nobody, so there
// is nothing to sleep on; its thread may have been preempted in the middle, so it is given the processor.
bool all_out(const deadline& until) noexcept {
  while (the_custody.inside.load(std::memory_order_seq_cst) != 0) {
    if (until.expired()) return false;
    sys::yield();
  }
  return true;
}

} // namespace

bool is_of_this_process() noexcept {
  return the_custody.pid.load(std::memory_order_relaxed) == sys::getpid() &&
         the_custody.process.load(std::memory_order_relaxed) == sys::this_incarnation();
}

bool claim_process() noexcept {
  const sys::incarnation self = sys::this_incarnation();
  sys::incarnation holder = 0;
  // Acquire pairs with the release in release_process: the scope before is entirely gone.
  if (claimed_by.compare_exchange_strong(holder, self, std::memory_order_acquire)) return true;
  if (holder == self) return false;
  give_up_inherited();
  return claimed_by.compare_exchange_strong(holder, self, std::memory_order_acquire);
}

void release_process() noexcept { claimed_by.store(0, std::memory_order_release); }

void open_custody(const custody_terms& terms) noexcept {
  custody& all = the_custody;
  arrival stale;
  while (all.ring.pop(stale)) {
  }
  // Relaxed up to the last line: no handler is installed, none looks before it has seen `open`.
  for (auto& count : all.delivered) count.store(0, std::memory_order_relaxed);
  for (auto& count : all.unrecorded) count.store(0, std::memory_order_relaxed);
  all.pid.store(sys::getpid(), std::memory_order_relaxed);
  all.process.store(sys::this_incarnation(), std::memory_order_relaxed);
  all.handled.store(terms.stopping | terms.listening, std::memory_order_relaxed);
  all.stopping.store(terms.stopping, std::memory_order_relaxed);
  all.together.store(terms.stopping | terms.listening, std::memory_order_relaxed);
  all.found.store(terms.found, std::memory_order_relaxed);
  all.owner_due.store(&terms.owner->due, std::memory_order_relaxed);
  all.owner.store(terms.owner, std::memory_order_relaxed);
  all.owner_seat.store(terms.owner_seat, std::memory_order_relaxed);
  all.nudge_refused.store(false, std::memory_order_relaxed);
  all.audience.store(terms.audience, std::memory_order_relaxed);
  all.heard.store(all.arrivals.load(std::memory_order_relaxed), std::memory_order_relaxed);
  all.force_at.store(force_at(terms.ladder), std::memory_order_relaxed);
  all.window_ns.store(terms.window.count(), std::memory_order_relaxed);
  forget_presses();
  set_shield_end_action(&make_put_off_calls);
  all.open.store(true, std::memory_order_seq_cst); // pairs with the load in on_signal
  // A belated handler of the scope before may have seen `open` false and be giving its signal back. It
  // must be through before ours is installed again, or it would give back the new one.
  all_out(deadline::never());
}

bool close_custody(const deadline& until) noexcept {
  custody& all = the_custody;
  all.open.store(false, std::memory_order_seq_cst); // pairs with the load in on_signal, see there
  // Relaxed: a handler that still has the number is inside, and is waited for before anybody closes it.
  all.wakeup.store(-1, std::memory_order_relaxed);
  // A handler that comes to it from here on leaves the owner alone: what it writes down is read by close.
  all.owner_due.store(nullptr, std::memory_order_relaxed);
  all.owner.store(nullptr, std::memory_order_relaxed);
  all.owner_seat.store(nullptr, std::memory_order_relaxed);
  // Who closes with no time left still waits for handlers that are on their way out: one of them may be about
  // to write into the owner's word, which goes with the owner's thread.
  const deadline at_least = deadline::after(std::chrono::seconds{1});
  return all_out(until.when() < at_least.when() ? at_least : until);
}

void forget_presses() noexcept {
  custody& all = the_custody;
  // Relaxed: see count_press. The round first: a handler that has counted itself in just now is of the old
  // one.
  all.presses.store(static_cast<std::uint64_t>(press_round() + 1) << 32, std::memory_order_relaxed);
  all.last_press.store(0, std::memory_order_relaxed);
  all.last_press_ns.store(sys::monotonic_ns() - all.window_ns.load(std::memory_order_relaxed),
                          std::memory_order_relaxed);
}

} // namespace lastcall::detail
