// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/signal_core.hpp"

#include <lastcall/interrupt/shield.hpp>
#include <lastcall/sys/config.hpp>
#include <lastcall/wait/futex.hpp>

#include "sys/calls.hpp"
#include "sys/event_descriptor.hpp"
#include "sys/failure.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace lastcall::detail {

signal_core::signal_core(const signal_options& options, thread_word& owner)
    : process_{sys::getpid()},
      uncaught_at_start_{std::uncaught_exceptions()},
      log_{options.log},
      book_{options.keep, options.ladder, options.coalesce},
      owner_{&owner},
      batch_{request_book::make_batch()} {}

stop_token signal_core::token() const noexcept {
  const std::scoped_lock guard{lock_};
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

ladder_step signal_core::step() const noexcept {
  const std::scoped_lock guard{lock_};
  return book_.step();
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

void signal_core::submit(const request& what) noexcept {
  {
    const std::scoped_lock guard{lock_};
    if (owner_ == nullptr) return;
    book_.enter(what);
    mark_owner(interrupt_due);
  }
  ring_bell();
}

// With the lock held, so that the owner is still there, and the descriptor open. In the handler's order.
void signal_core::mark_owner(std::uint32_t bit) noexcept {
  if (wakeup_ >= 0 && process_ == sys::getpid()) sys::raise_event(wakeup_);
  owner_->due.fetch_or(bit, std::memory_order_release); // pairs with the acquire in take_due
  wait::futex_wake_all(owner_->due);
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
  LASTCALL_ASSERT(owner_ != nullptr && process_ == sys::getpid(),
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
  if (wakeup_ >= 0 && !taken.empty()) {
    // Raised again for what is acknowledged now. What comes from here on is not in the book yet.
    sys::lower_event(wakeup_);
    look_again();
  }
  forget_presses();
  delivery_noted_ = false;
  // The herald may not have fired the source yet, and what it has in hand is of an old round from here on; it
  // fires the old token by way of `superseded_`. Should it be about to do so anyway, the second time is none.
  if (!taken.empty() && !source_.stop_requested()) {
    superseded_.push_back({source_, taken.front()});
    ring_bell();
  }
  if (!taken.empty() || source_.stop_requested()) source_ = std::move(fresh);
  return taken;
}

bool signal_core::holds_back() const noexcept {
  return here().shields != 0 || std::uncaught_exceptions() > uncaught_at_start_;
}

std::optional<request> signal_core::take_due() noexcept {
  if (holds_back()) return std::nullopt;
  // Acquire pairs with the releases in post, submit and take_in: what the bit stands for is visible.
  if ((here().due.load(std::memory_order_acquire) & call_posted) != 0) {
    const auto alive = shared_from_this();
    run_posts();
    // A posted call may have closed this scope and made another: what is due now is that one's.
    if (here().core != this) return std::nullopt;
  }
  const auto due = confirm_due();
  if (due && !std::exchange(delivery_noted_, true))
    note(event_kind::delivery, "owner", "delivered at a checkpoint");
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
