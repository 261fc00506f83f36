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
/// are called, those told of what a shield holds back, then those of the ladder; at `force` the process ends
/// by the signal.
///
/// A first request that a handler has taken in on the owner's own thread, or nudged the owner for, does not
/// ring while nobody has a token, listens or reads the log (`audience`): there is nobody to tell, and waking
/// a thread on another processor takes longer than all the rest between the signal and the end of the owner's
/// call. Whoever asks for a token or subscribes rings for what came before.
///
/// It is also the one who notices that a shield's bound has passed: it sleeps no longer than to the next one
/// (see listed_shields.hpp).
///
/// It blocks every asynchronous signal while it sleeps, so a signal to the process goes to a thread of the
/// user. While it acts it has the mask of the thread that made the scope: what a listener spawns inherits
/// the mask, and a child that has everything blocked cannot be asked to end (measured: SIGTERM to a `sleep`
/// started by posix_spawn from a thread that blocks it waits for ever). Handlers may interrupt it then, as
/// any thread.
///
/// What holds it up is a listener that does not return. The handler notices that the herald has not acted
/// on the press before, and forces in its place; `close` waits for it up to a deadline and leaves
/// it behind. Left behind, it touches nothing but its own signal_core and that listener.

#include "interrupt/signal_core.hpp"

#include <lastcall/interrupt/end_by_signal.hpp>
#include <lastcall/wait/futex.hpp>

#include "sys/calls.hpp"
#include "sys/failure.hpp"
#include "sys/thread.hpp"
#include "wait/lock_around_waits.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace lastcall::detail {

namespace {

class makers_mask {
public:
  explicit makers_mask(std::uint64_t mask) noexcept : own_{sys::signal_mask()} { sys::set_signal_mask(mask); }
  ~makers_mask() { sys::set_signal_mask(own_); }
  makers_mask(const makers_mask&) = delete;
  makers_mask& operator=(const makers_mask&) = delete;

private:
  std::uint64_t own_;
};

} // namespace

void signal_core::start_herald() {
  makers_mask_ = sys::signal_mask();
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
  for (;;) {
    // Acquire: pairs with release in end_herald; with release in ring_bell; with release in take_in.
    const bool last_round = ending_.load(std::memory_order_acquire);
    const std::uint32_t rung = the_custody.bell.load(std::memory_order_acquire);
    const std::uint64_t number = the_custody.arrivals.load(std::memory_order_acquire);
    bounds found;
    {
      const std::scoped_lock guard{lock_};
      if (abandoned_.load(std::memory_order_relaxed)) return; // set with the lock held
      book_.collect(the_custody);
      book_.take_batch(batch_);
      next_ = 0;
      to_fire_.swap(superseded_);
      found = look_at_bounds();
    }
    const bool idle = batch_.empty() && to_fire_.empty();
    act_on_batch(found);
    if (abandoned_.load(std::memory_order_relaxed)) return;
    the_custody.heard.store(number, std::memory_order_release); // pairs with acquire in count_press
    if (!idle) continue;
    if (last_round) {
      // What is submitted from here on is refused; what came before is acted on.
      const std::scoped_lock guard{lock_};
      herald_done_ = book_.waiting().empty() && superseded_.empty();
      if (herald_done_) break;
      continue;
    }
    deadline until = earlier(deadline::at(found.next), nudge_again());
    wait::futex_wait(the_custody.bell, rung, until);
  }
  ended_.store(1, std::memory_order_release); // pairs with acquire in end_herald
  wait::futex_wake_all(ended_);
}

// All that calls functions of the user, with the mask of the thread that made the scope.
void signal_core::act_on_batch(const bounds& found) noexcept {
  const makers_mask as_the_maker{makers_mask_};
  note_passed(found);
  for (superseded& old : to_fire_) old.source.request_stop(old.why);
  to_fire_.clear();
  hand_on();
  for (const entry& next : batch_) {
    act_on(next);
    hand_on();
    if (abandoned_.load(std::memory_order_relaxed)) return;
  }
  report_feed();
}

bool signal_core::end_herald(deadline& until) noexcept {
  ending_.store(true, std::memory_order_release); // pairs with acquire in run_herald
  ring_bell();
  while (ended_.load(std::memory_order_acquire) == 0) // pairs with release in run_herald
    if (wait::futex_wait(ended_, 0, until) == wait::futex_result::timed_out) break;
  // Its function has ended, but what its listeners keep in thread-local objects is still being destroyed, and
  // that may take as long as a listener.
  const wait::lock_set_aside aside;
  if (ended_.load(std::memory_order_acquire) != 0 && sys::join(herald_, until.remaining().count()))
    return true;
  const std::scoped_lock guard{lock_};
  abandoned_.store(true, std::memory_order_relaxed); // read with the lock held, or late
  sys::detach(herald_);
  return false;
}

void signal_core::act_on(const entry& what) noexcept {
  std::optional<ladder_step> climbed;
  std::optional<stop_source> source;
  std::uint64_t number = 0;
  {
    const std::scoped_lock guard{lock_};
    number = ++taken_up_;
    ++next_;
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
  if (what.asks_to_stop && what.delayed) note(event_kind::shield, "owner", "holds the request back");
  if (climbed) note(event_kind::ladder, name_of(*climbed), {});
  if (source) source->request_stop(what.what);
  const bool heard = what.came_first || tell_arrival(what.what, number);
  if (!heard && !what.asks_to_stop) {
    const std::scoped_lock guard{lock_};
    unheard_.add(what.what);
  }
  if (what.asks_to_stop && what.delayed && !what.came_first)
    tell_all([&](listener& one) {
      if (one.begins_before(number)) one.delayed(what.what);
    });
  if (climbed && !what.came_first)
    tell_all([&](listener& one) {
      if (one.begins_before(number)) one.climbed(*climbed, what.what);
    });
  // Left behind while it told them, it has no scope to end the program for.
  if (climbed == ladder_step::force && !abandoned_.load(std::memory_order_relaxed))
    end_by_signal(what.what.signal);
}

// By index: others append meanwhile, or take the place of one that has ended.
template <class Tell>
void signal_core::tell_all(Tell&& tell) noexcept {
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
}

// Who subscribes while it is told is told of the next one.
bool signal_core::tell_arrival(const request& what, std::uint64_t number) noexcept {
  bool heard = false;
  tell_all([&](listener& one) {
    if (one.begins_before(number)) one.arrived(what, heard);
  });
  return heard;
}

// Each is taken out before it is told, so that a herald that stays in the call has told it; and put
// back, before the others, if whoever wanted it has ended meanwhile.
void signal_core::hand_on() noexcept {
  const auto wanted = [this](const request& what) {
    return std::any_of(listeners_.begin(), listeners_.end(),
                       [&](const auto& one) { return one->listens_to(what.signal) && !one->ended(); });
  };
  while (!abandoned_.load(std::memory_order_relaxed)) {
    std::optional<request> next;
    std::uint64_t number = 0;
    {
      const std::scoped_lock guard{lock_};
      next = unheard_.take(wanted);
      number = ++taken_up_; // for all that are there now
    }
    if (!next) return;
    if (!tell_arrival(*next, number)) {
      const std::scoped_lock guard{lock_};
      unheard_.put_back(*next);
    }
  }
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
