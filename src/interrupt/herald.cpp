// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// The herald: the thread that acts on requests.
///
/// A handler may not call a stop source (callbacks, locks), a listener (anything), or wait. So the
/// handler rings a bell, a 32-bit word, and the herald sleeps on that word. It takes the rings it has
/// seen as a number *before* it looks at the records, so a record that comes after the look changes the
/// word, and the kernel refuses to put the herald to sleep on the old number.
///
/// For each arrival, in order: the ladder moves or does not; the owner's word is marked (again: the
/// handler did) and the owner woken if it sleeps on it; the stop token fires at the first step; listeners
/// are called, then those of the ladder; at `force` the process ends by the signal.
///
/// It blocks every asynchronous signal, so no handler ever interrupts it, and so a signal to the process
/// always goes to a thread of the user.
///
/// What holds it up is a listener that does not return. The handler notices that the herald has not acted
/// on the press before, and forces in its place; `close` waits for it up to a deadline and leaves
/// it behind. Left behind, it touches nothing but its own signal_core and that listener.

#include "interrupt/signal_core.hpp"

#include <lastcall/interrupt/end_by_signal.hpp>
#include <lastcall/wait/futex.hpp>

#include "sys/failure.hpp"
#include "sys/thread.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace lastcall::detail {

void signal_core::start_herald() {
  auto holder = std::make_unique<std::shared_ptr<signal_core>>(shared_from_this());
  if (const int error =
          sys::start_deaf_thread(herald_, &signal_core::herald_thread, holder.get(), "lastcall-herald");
      error < 0)
    sys::throw_failure(sys::call::thread_create, -error, "to start the herald");
  [[maybe_unused]] auto* handed_over = holder.release();
}

void* signal_core::herald_thread(void* holder) noexcept {
  const std::unique_ptr<std::shared_ptr<signal_core>> core{
      static_cast<std::shared_ptr<signal_core>*>(holder)};
  (*core)->run_herald();
  return nullptr;
}

void signal_core::run_herald() noexcept {
  deadline never = deadline::never();
  for (;;) {
    // Acquire: pairs with release in end_herald; with release in ring_bell; with release in take_in.
    const bool last_round = ending_.load(std::memory_order_acquire);
    const std::uint32_t rung = the_custody.bell.load(std::memory_order_acquire);
    const std::uint64_t number = the_custody.arrivals.load(std::memory_order_acquire);
    {
      const std::scoped_lock guard{lock_};
      if (abandoned_.load(std::memory_order_relaxed)) return; // set with the lock held
      book_.collect(the_custody);
      book_.take_batch(batch_);
      to_fire_.swap(superseded_);
    }
    const bool idle = batch_.empty() && to_fire_.empty();
    for (superseded& old : to_fire_) old.source.request_stop(old.why);
    to_fire_.clear();
    for (const entry& next : batch_) {
      act_on(next);
      if (abandoned_.load(std::memory_order_relaxed)) return;
    }
    the_custody.heard.store(number, std::memory_order_release); // pairs with acquire in count_press
    if (!idle) continue;
    if (last_round) break;
    wait::futex_wait(the_custody.bell, rung, never);
  }
  ended_.store(1, std::memory_order_release); // pairs with acquire in end_herald
  wait::futex_wake_all(ended_);
}

bool signal_core::end_herald(deadline& until) noexcept {
  ending_.store(true, std::memory_order_release); // pairs with acquire in run_herald
  ring_bell();
  while (ended_.load(std::memory_order_acquire) == 0) // pairs with release in run_herald
    if (wait::futex_wait(ended_, 0, until) == wait::futex_result::timed_out) break;
  if (ended_.load(std::memory_order_acquire) != 0) {
    sys::join(herald_);
    return true;
  }
  const std::scoped_lock guard{lock_};
  abandoned_.store(true, std::memory_order_relaxed); // read with the lock held, or late
  sys::detach(herald_);
  return false;
}

void signal_core::act_on(const entry& what) noexcept {
  std::optional<ladder_step> climbed;
  std::optional<stop_source> source;
  {
    const std::scoped_lock guard{lock_};
    climbed = book_.climb(what);
    if (climbed == ladder_step::request) source = source_;
    if (what.asks_to_stop && owner_ != nullptr && book_.is_current(what)) {
      mark_owner(interrupt_due);
    }
  }
  try {
    note(event_kind::request,
         what.what.signal != 0 ? signal_name(what.what.signal).view() : name_of(what.what.cause),
         describe(what.what));
  } catch (...) {
    contained("timeline"); // no memory for the sentence
  }
  if (climbed) note(event_kind::ladder, name_of(*climbed), {});
  if (source) source->request_stop(what.what);
  tell_listeners(what.what, climbed);
  // Left behind while it told them, it has no scope to end the program for.
  if (climbed == ladder_step::force && !abandoned_.load(std::memory_order_relaxed))
    end_by_signal(what.what.signal);
}

// By index: others append meanwhile, or take the place of one that has ended.
void signal_core::tell_listeners(const request& what, std::optional<ladder_step> climbed) noexcept {
  const auto tell_all = [this](auto&& tell) {
    for (std::size_t i = 0;; ++i) {
      std::shared_ptr<listener> next;
      {
        const std::scoped_lock guard{lock_};
        if (i >= listeners_.size()) return;
        next = listeners_[i];
      }
      try {
        tell(*next);
      } catch (...) {
        contained("listener");
      }
      if (abandoned_.load(std::memory_order_relaxed)) return;
    }
  };
  tell_all([&](listener& one) { one.arrived(what); });
  if (climbed) tell_all([&](listener& one) { one.climbed(*climbed, what); });
}

void signal_core::contained(const char* who) noexcept {
  try {
    throw;
  } catch (const std::exception& failure) {
    note(event_kind::listener, who, failure.what());
  } catch (...) {
    note(event_kind::listener, who, "an exception that is no std::exception");
  }
}

void signal_core::note(event_kind kind, std::string_view name, std::string_view detail) noexcept {
  if (log_ != nullptr && !abandoned_.load(std::memory_order_relaxed)) log_->record(kind, name, detail);
}

} // namespace lastcall::detail
