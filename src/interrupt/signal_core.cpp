// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/signal_core.hpp"

#include <lastcall/interrupt/shield.hpp>
#include <lastcall/sys/config.hpp>
#include <lastcall/wait/futex.hpp>

#include "interrupt/dispositions.hpp"
#include "sys/calls.hpp"
#include "sys/event_descriptor.hpp"
#include "sys/failure.hpp"
#include "wait/nudge.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <span>
#include <utility>

namespace lastcall::detail {

namespace {

// The handler reads the kernel's clock, everybody else the exchangeable one.
duration age(const request& what) noexcept {
  return what.cause == cause::signal
             ? std::chrono::nanoseconds{sys::monotonic_ns()} - what.when.time_since_epoch()
             : clock::now() - what.when;
}

} // namespace

signal_core::signal_core(const signal_options& options, thread_word& owner)
    : process_{sys::this_incarnation()},
      uncaught_at_start_{std::uncaught_exceptions()},
      leftover_{options.leftover},
      log_{options.log},
      book_{options.keep, options.ladder, options.coalesce},
      owner_{&owner},
      seat_{wait::seat_here()},
      batch_{request_book::make_batch()} {}

stop_token signal_core::token() const noexcept {
  const std::scoped_lock guard{lock_};
  if (owner_ != nullptr) admit_audience();
  return source_.token();
}

std::optional<request> signal_core::why() {
  const std::scoped_lock guard{lock_};
  if (owner_ != nullptr) book_.collect(the_custody);
  const request* first = book_.first_pending();
  return first != nullptr ? std::optional{*first} : std::nullopt;
}

std::vector<request> signal_core::requests() {
  const std::scoped_lock guard{lock_};
  if (owner_ != nullptr) book_.collect(the_custody);
  return book_.all();
}

std::vector<request> signal_core::pending() {
  const std::scoped_lock guard{lock_};
  return book_.pending();
}

// What the herald is still to act on counts as well: it may be late, and for a first request it may sleep on.
ladder_step signal_core::step() noexcept {
  const std::scoped_lock guard{lock_};
  if (owner_ != nullptr) book_.collect(the_custody);
  return book_.step_after(std::span<const entry>{batch_}.subspan(next_));
}

std::uint64_t signal_core::lost() {
  const std::scoped_lock guard{lock_};
  if (owner_ != nullptr) book_.collect(the_custody);
  return book_.lost();
}

std::uint64_t signal_core::delivered(int signal) const noexcept {
  const auto index = static_cast<std::size_t>(signal);
  const std::scoped_lock guard{lock_};
  return owner_ != nullptr ? the_custody.delivered[index].load(std::memory_order_relaxed)
                           : final_counts_[index];
}

subscription signal_core::add(std::shared_ptr<listener> to) {
  const std::scoped_lock guard{lock_};
  if (owner_ != nullptr && !the_custody.audience.load(std::memory_order_relaxed)) {
    book_.collect(the_custody);
    book_.begin_telling();
    admit_audience();
  }
  to->begin_after(taken_up_);
  if (!unheard_.empty()) ring_bell(); // the herald may have something for it
  // A place that nobody needs any more is used again. Not erased: the herald goes through by index.
  const auto free =
      std::find_if(listeners_.begin(), listeners_.end(), [](const auto& l) { return l->ended(); });
  if (free != listeners_.end())
    *free = to;
  else
    listeners_.push_back(to);
  return subscription{std::move(to)};
}

bool signal_core::post(std::function<void()> fn) {
  const std::scoped_lock guard{lock_};
  if (owner_ == nullptr || posts_.size() >= most_posts) return false;
  posts_.push_back(std::move(fn));
  mark_owner(call_posted);
  return true;
}

bool signal_core::submit(const request& what) noexcept {
  {
    const std::scoped_lock guard{lock_};
    if (owner_ == nullptr || herald_done_ || abandoned_.load(std::memory_order_relaxed)) return false;
    book_.collect(the_custody); // what came before stands before it
    book_.enter(what, owner_->shielded());
    mark_owner(interrupt_due);
  }
  ring_bell();
  return true;
}

// With the lock held, so that the owner is still there, and the descriptor open. In the handler's order.
void signal_core::mark_owner(std::uint32_t bit) noexcept {
  if (wakeup_ >= 0 && process_ == sys::this_incarnation()) sys::raise_event(wakeup_);
  const auto before =
      owner_->due.fetch_or(bit, std::memory_order_release); // pairs with the acquire in take_due
  wait::futex_wake_all(owner_->due);
  if (&seat_ == &wait::seat_here()) return;
  // Who set the bit first has nudged; should that one have been held up in between, this look finds it out.
  if ((before & bit) != 0 && !wait::seems_to_wait(seat_, owner_->due, bit)) return;
  const auto result = wait::nudge(seat_, owner_->due, bit);
  if (result == wait::nudge_result::refused ||
      (result == wait::nudge_result::sent && !wait::nudges_are_sure)) {
    the_custody.nudge_refused.store(true, std::memory_order_release); // pairs with the acquire in nudge_again
    ring_bell();
  }
}

// The herald asks before it goes to sleep: when is the owner to be nudged again, if at all?
deadline signal_core::nudge_again() noexcept {
  constexpr duration longest = std::chrono::milliseconds{16};
  const std::scoped_lock guard{lock_};
  const bool again = the_custody.nudge_refused.exchange(false, std::memory_order_acquire) ||
                     nudge_pause_ != duration::zero() || !wait::nudges_are_sure;
  if (owner_ == nullptr || !again) return deadline::never();
  const std::uint32_t bits = owner_->due.load(std::memory_order_relaxed);
  auto result = wait::nudge_result::not_waiting;
  if (wait::seems_to_wait(seat_, owner_->due, bits)) result = wait::nudge(seat_, owner_->due, bits);
  const bool heard = result == wait::nudge_result::not_waiting ||
                     (result == wait::nudge_result::sent && wait::nudges_are_sure);
  nudge_pause_ = heard ? duration::zero()
                       : std::clamp<duration>(2 * nudge_pause_, std::chrono::microseconds{100}, longest);
  return heard ? deadline::never() : deadline::after(nudge_pause_);
}

// With the lock held, after a bit was taken back: the descriptor is lowered, and only then the book looked
// at. Everybody records first and raises second, so a raise that is lowered here belongs to a record that is
// seen here, and one that comes later stands. One whose request was acknowledged meanwhile stands for
// nothing; the bit that comes right after it leads the next checkpoint here again.
const request* signal_core::look_again() noexcept {
  if (wakeup_ >= 0) sys::lower_event(wakeup_);
  book_.collect(the_custody);
  const request* first = book_.first_pending();
  if (wakeup_ >= 0 && (first != nullptr || !posts_.empty())) sys::raise_event(wakeup_);
  return first;
}

int signal_core::wakeup_fd() {
  const std::scoped_lock guard{lock_};
  LASTCALL_ASSERT(owner_ != nullptr && process_ == sys::this_incarnation(),
                  "wakeup_fd of a closed signal_scope, or of one inherited by a forked child");
  if (wakeup_ >= 0) return wakeup_;
  const int made = sys::make_event_descriptor();
  if (made < 0) sys::throw_failure(sys::call::eventfd, -made, "the wake-up descriptor");
  wakeup_ = made;
  // Sequentially consistent, both: see take_in.
  the_custody.wakeup.store(made, std::memory_order_seq_cst);
  [[maybe_unused]] const auto seen = the_custody.arrivals.load(std::memory_order_seq_cst);
  look_again(); // what came before wakes, too
  return made;
}

std::vector<request> signal_core::acknowledge() {
  stop_source fresh; // made first: what can fail comes before what changes
  const std::scoped_lock guard{lock_};
  superseded_.reserve(superseded_.size() + 1);
  // The bit goes before the look: a handler that comes after the look sets it again. One that wrote its
  // record before the look and sets the bit after it leaves a bit without a request; confirm_due copes.
  here().due.fetch_and(~std::uint32_t{interrupt_due}, std::memory_order_acq_rel);
  look_again();
  auto taken = book_.pending();
  book_.acknowledge();
  let_run_out(*owner_, std::nullopt, {}); // the bounds stand still again
  if (wakeup_ >= 0 && !taken.empty()) {
    // Raised again for what is acknowledged now. What comes from here on is not in the book yet.
    sys::lower_event(wakeup_);
    look_again();
  }
  forget_presses();
  delivery_noted_ = false;
  // The herald may not have fired the source yet, and what it has in hand is of an old round from here on; it
  // fires the old token by way of `superseded_`. Should it be about to do so anyway, the second time is none.
  // Where nobody has ever asked for a token or listened, nobody waits for either.
  if (!the_custody.audience.load(std::memory_order_relaxed)) {
    book_.tell_nobody();
  } else if (!taken.empty() && !source_.stop_requested()) {
    superseded_.push_back({source_, taken.front()});
    ring_bell();
  }
  if (!taken.empty() || source_.stop_requested()) source_ = std::move(fresh);
  return taken;
}

bool signal_core::holds_back() noexcept {
  thread_word& me = here();
  // Taken back before the look: a bound that passes after it sets the bit again, and who goes to sleep on the
  // word as it was finds it changed. Acquire: only to see the count that was written before it.
  if ((me.due.load(std::memory_order_relaxed) & bound_passed) != 0)
    me.due.fetch_and(~std::uint32_t{bound_passed}, std::memory_order_acquire); // pairs with mark_owner
  // A scope made while unwinding counts from there; should it outlive that, it counts from less.
  const int uncaught = std::uncaught_exceptions();
  uncaught_at_start_ = std::min(uncaught_at_start_, uncaught);
  if (uncaught > uncaught_at_start_) return true;
  if (!me.shielded() || process_ != sys::this_incarnation()) return me.shielded();
  bounds found;
  {
    const std::scoped_lock guard{lock_};
    if (me.listed == nullptr) return true;
    book_.collect(the_custody);
    found = look_at_bounds();
  }
  note_passed(found);
  return me.shielded();
}

void signal_core::put_up(listed_shield& what) noexcept {
  {
    const std::scoped_lock guard{lock_};
    link(here(), what);
    if ((here().due.load(std::memory_order_relaxed) & interrupt_due) == 0) return;
    what.waiting = true; // a request came before; this shield holds it back from now on
    what.since = clock::now();
  }
  ring_bell(); // the herald has one more moment to wait for
}

void signal_core::take_down(listed_shield& what) noexcept {
  const std::scoped_lock guard{lock_};
  unlink(here(), what);
}

// With the lock held.
bounds signal_core::look_at_bounds() noexcept {
  if (owner_ == nullptr || owner_->listed == nullptr) return {};
  const time_point now = clock::now();
  std::optional<time_point> since;
  if (const request* first = book_.first_pending()) {
    since = now - std::max(age(*first), duration::zero());
  }
  const bounds found = let_run_out(*owner_, since, now);
  if (found.passed != 0) mark_owner(bound_passed);
  return found;
}

void signal_core::note_delivery() noexcept {
  delayed_requests delayed;
  {
    const std::scoped_lock guard{lock_};
    delayed = book_.delayed();
  }
  if (delayed.count == 0) {
    note(event_kind::delivery, "owner", "delivered at a checkpoint");
    return;
  }
  char text[96];
  std::snprintf(text, sizeof text, "delivered at a checkpoint; %llu held back, the first for %lld ms",
                static_cast<unsigned long long>(delayed.count),
                static_cast<long long>(std::max<std::int64_t>(age(delayed.first).count(), 0) / 1'000'000));
  note(event_kind::delivery, "owner", text);
}

void signal_core::note_passed(const bounds& found) noexcept {
  for (unsigned i = 0; i < found.passed; ++i)
    note(event_kind::shield, "owner", "a shield ran out, it holds back no longer");
}

std::optional<request> signal_core::take_due() noexcept {
  if (holds_back()) return std::nullopt;
  if (here().at_end.load(std::memory_order_relaxed) != 0) {
    const auto alive = shared_from_this();
    shield_ended(); // the last one did not come down, it ran out
    if (here().core != this) return std::nullopt;
  }
  // Acquire pairs with the releases in post, submit and take_in: what the bit stands for is visible.
  if ((here().due.load(std::memory_order_acquire) & call_posted) != 0) {
    const auto alive = shared_from_this();
    run_posts();
    // A posted call may have closed this scope and made another: what is due now is that one's.
    if (here().core != this) return std::nullopt;
  }
  const auto due = confirm_due();
  if (due && !std::exchange(delivery_noted_, true)) note_delivery();
  return due;
}

std::optional<request> signal_core::confirm_due() noexcept {
  if ((here().due.load(std::memory_order_acquire) & interrupt_due) == 0) return std::nullopt;
  const std::scoped_lock guard{lock_};
  book_.collect(the_custody);
  if (const request* first = book_.first_pending()) return *first;
  // A bit without a request. It is taken back, and the book looked at once more: a handler between
  // the two looks has written its record and may have had its bit taken away.
  here().due.fetch_and(~std::uint32_t{interrupt_due}, std::memory_order_acq_rel);
  const request* first = look_again();
  if (first == nullptr) return std::nullopt;
  here().due.fetch_or(interrupt_due, std::memory_order_relaxed); // for this thread itself
  return *first;
}

// The calls that are there now; one that posts itself again waits for the next checkpoint, so that a
// checkpoint ends. The caller keeps this object alive.
void signal_core::run_posts() noexcept {
  const shield whole;
  here().due.fetch_and(~std::uint32_t{call_posted}, std::memory_order_acq_rel);
  std::unique_lock guard{lock_};
  for (std::size_t left = posts_.size(); left > 0 && !posts_.empty(); --left) {
    auto fn = std::move(posts_.front());
    posts_.pop_front();
    guard.unlock();
    try {
      fn();
    } catch (...) {
      contained("posted call");
    }
    fn = nullptr; // what it holds goes without the lock, too
    guard.lock();
  }
  if (owner_ != nullptr) look_again();
}

void signal_core::run_leftovers(const deadline& until) noexcept {
  if (leftover_ != leftover_calls::run) return;
  const auto some_are_left = [this] {
    const std::scoped_lock guard{lock_};
    return !posts_.empty();
  };
  while (some_are_left() && !until.expired()) run_posts();
}

void signal_core::note_dropped(std::size_t posts) noexcept {
  if (posts == 0) return;
  char text[64];
  std::snprintf(text, sizeof text, "%zu never ran", posts);
  note(event_kind::abandoned, "posted calls", text);
}

// Without the lock: nobody else has this, and a handler that was found may run in the middle.
void signal_core::hand_over() noexcept {
  book_.collect(the_custody);
  const auto raise_again = [](const request& one) {
    if (one.signal != 0) raise_under_old_disposition(one.signal, one.sender_pid, one.sender_uid);
  };
  for (std::size_t i = 0; const request* one = book_.kept(i); ++i) raise_again(*one);
  std::for_each(unheard_.waiting().begin(), unheard_.waiting().end(), raise_again);
  for (const entry& one : book_.waiting())
    if (!one.asks_to_stop) raise_again(one.what);
}

std::vector<request> signal_core::unheard() {
  const std::scoped_lock guard{lock_};
  std::vector<request> left = unheard_.waiting();
  // What a herald that was left behind had in hand, or had not come to.
  const auto add = [&left](const entry& one) {
    if (!one.asks_to_stop) left.push_back(one.what);
  };
  for (std::size_t i = next_; i < batch_.size(); ++i) add(batch_[i]);
  std::for_each(book_.waiting().begin(), book_.waiting().end(), add);
  return left;
}

std::size_t signal_core::retire(bool handlers_out) noexcept {
  std::list<std::function<void()>> unrun; // destroyed without the lock
  const std::scoped_lock guard{lock_};
  book_.collect(the_custody);
  for (std::size_t signal = 0; signal < final_counts_.size(); ++signal)
    final_counts_[signal] = the_custody.delivered[signal].load(std::memory_order_relaxed);
  owner_ = nullptr;
  unrun.swap(posts_);
  // A handler that is stuck on its way out may still write: then the number stays taken for good.
  if (const int gone = std::exchange(wakeup_, -1); gone >= 0 && handlers_out)
    sys::close_event_descriptor(gone);
  return unrun.size();
}

} // namespace lastcall::detail
