// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A lock that is handed over.
//
// Aim. One thread runs at a time, and everybody's turn comes: with n takers nobody waits longer than n
// intervals, and the time from one checkpoint to the next. Taking and giving up cost what a mutex costs while
// nobody waits.
//
// Obstacles. A lock that is always handed to the next in the queue makes every use of it a switch of threads,
// also where the holder would have it back in a microsecond (a convoy). One that is free for whoever comes
// first starves those who sleep: to wake up takes longer than to take the lock again.
//
// How. Both, one after the other. Who gives the lock up leaves it free, wakes the first in the queue, and
// anybody may be faster. But when nobody out of the queue has had it for an interval, the holder is asked
// (`wanted`), and then it is not free any more until it is handed to the first: by the holder at its next
// checkpoint, where that goes to the end of the queue, or when it gives the lock up.
//   1. Time is kept by one of those who wait, whoever it is; the others sleep without a limit. Who hands the
//      lock over at a checkpoint goes into the queue just then, awake, and takes over from one that leaves
//      it. Else the last in the queue is woken to keep time, as it stays longest.
//   2. With anybody in the queue `busy` is set, so that the holder gives the lock up with the guard only.
//      Whoever has the guard and has set `busy` may look at the holder's thread: it stands still there.
//   3. A thread takes a free lock in one step and then writes down who it is. Who asks in between finds
//      nobody, passes the asymmetric barrier's heavy side, and either finds the holder then, or the holder
//      finds `wanted`.
//   4. Only those who are exempt come to a closed lock, with the guard; it goes to the next whenever it is
//      given up, for they are few and seldom come to a checkpoint.
//   5. The generation is part of the word: who read it before the lock was closed cannot take it in the next
//      one. Who waits belongs to the generation it came in, and is let go when that is closed.
//
// Who was given the lock in its sleep looks once more whether it has been closed, and gives it up if so.
#include "runtime/lock_queue.hpp"

#include <lastcall/sys/config.hpp>
#include <lastcall/wait/futex.hpp>

#include "sys/calls.hpp"

namespace lastcall::detail {

thread_local constinit lock_seat this_lock_seat{};

// On the stack of who waits. All but `state` with the guard held.
//
//     waiting   asleep, or about to sleep
//     nudged    to look again: the lock is free, or the time is to be kept
//     granted   has the lock; out of the queue
//     let_go    never gets it; out of the queue
struct lock_waiter {
  enum : std::uint32_t { waiting, nudged, granted, let_go };
  std::atomic<std::uint32_t> state{waiting};
  pid_t thread;
  lock_generation of; // in which it waits
  bool exempt;
  bool asleep = false;
  thread_word* word = &here();
  lock_waiter* before = nullptr;
  lock_waiter* next = nullptr;

  lock_waiter(const lock_seat& me, lock_generation generation) noexcept
      : thread{me.thread}, of{generation}, exempt{me.exempt_of == generation} {}
};

void lock_queue::wake_ups::add(lock_waiter& whom) noexcept {
  if (whom.asleep) words[words[0] != nullptr ? 1 : 0] = &whom.state;
}

void lock_queue::wake_ups::send() const noexcept {
  for (const auto* word : words)
    if (word != nullptr) wait::futex_wake_one(*word);
}

// --- taking ---

// Since the lock was taken from a word `taken_from`, somebody has asked for it, closed it, or taken it away.
void lock_queue::learn_of_request(std::uint32_t taken_from) noexcept {
  const std::scoped_lock guard{guard_};
  const std::uint32_t word = word_.load(std::memory_order_relaxed);
  if (generation_of(word) != generation_of(taken_from)) {
    if (holder_.load(std::memory_order_relaxed) == &here()) show_holder(nullptr, 0);
  } else if ((word & wanted) != 0) {
    here().due.fetch_or(lock_wanted, std::memory_order_relaxed); // for this thread itself
  }
}

lock_outcome lock_queue::admit(const lock_seat& me, std::uint32_t entry) const noexcept {
  const std::uint32_t word = word_.load(std::memory_order_relaxed);
  if (generation_of(entry) == 0) return lock_outcome::never;
  if (generation_of(entry) != generation_of(word)) return lock_outcome::over;
  if ((word & closed) == 0) return lock_outcome::taken;
  if (me.exempt_of != generation_of(word)) return lock_outcome::over;
  return of_before_ ? lock_outcome::stuck : lock_outcome::taken;
}

// Takes it if it is free; if not, it will be given up with the guard only.
bool lock_queue::take_free(lock_seat& me) noexcept {
  // Acquire, both: pair with the release of who gave it up. The first also with what the holder has
  // overwritten before: whoever is shown as the holder from here on is one.
  std::uint32_t seen = word_.fetch_or(busy, std::memory_order_acquire) | busy;
  while ((seen & held) == 0) {
    const std::uint32_t taken = (seen | held) & ~(first_ == nullptr ? busy : 0U);
    if (!word_.compare_exchange_weak(seen, taken, std::memory_order_acquire, std::memory_order_relaxed))
      continue;
    begin_hold(me, generation_of(seen));
    show_holder(&here(), me.thread);
    return true;
  }
  return false;
}

lock_outcome lock_queue::take(lock_seat& me, std::uint32_t entry, deadline until) noexcept {
  lock_waiter self{me, generation_of(entry)};
  deadline limit = until;
  {
    const std::scoped_lock guard{guard_};
    if (const auto refused = admit(me, entry); refused != lock_outcome::taken) return refused;
    if (take_free(me)) return lock_outcome::taken;
    if (until.expired()) return lock_outcome::late;
    if (is_closed()) limit = earlier(until, deadline::at(patience_));
    enqueue(self);
    if (interval_ == duration::zero()) ask();
  }
  const auto outcome = wait(me, self, limit);
  return outcome == lock_outcome::late && !until.expired() ? lock_outcome::stuck : outcome;
}

lock_outcome lock_queue::wait(lock_seat& me, lock_waiter& self, deadline until) noexcept {
  for (;;) {
    deadline nap = until;
    wake_ups to_wake;
    // Acquire pairs with the release in grant: what the lock guards.
    std::uint32_t state = self.state.load(std::memory_order_acquire);
    if (state != lock_waiter::granted) {
      const std::scoped_lock guard{guard_};
      self.asleep = false;
      state = self.state.load(std::memory_order_acquire); // as above
      if (state == lock_waiter::let_go) return lock_outcome::over;
      bool leaves = state == lock_waiter::granted;
      if (state == lock_waiter::nudged) {
        self.state.store(lock_waiter::waiting, std::memory_order_relaxed);
        if (first_ == &self && take_free(me)) {
          dequeue(self, to_wake);
          note_turn();
          to_wake.send(); // one, and hardly ever
          return lock_outcome::taken;
        }
      }
      if (!leaves && until.expired() && !until.grant_slice()) {
        dequeue(self, to_wake);
        // Whoever was woken for a free lock is followed by the next.
        if (first_ != nullptr && (word_.load(std::memory_order_relaxed) & held) == 0) nudge(*first_, to_wake);
        to_wake.send();
        return lock_outcome::late;
      }
      if (!leaves && timekeeper_ == &self) nap = earlier(until, keep_time(to_wake));
      state = self.state.load(std::memory_order_acquire);
      self.asleep = state == lock_waiter::waiting;
    }
    to_wake.send();
    if (state == lock_waiter::granted) {
      const std::uint32_t word = word_.load(std::memory_order_relaxed);
      begin_hold(me, self.of);
      if (generation_of(word) == self.of && ((word & closed) == 0 || me.exempt_of == self.of))
        return lock_outcome::taken;
      give_up(me);
      return lock_outcome::over;
    }
    if (state == lock_waiter::waiting) wait::futex_wait(self.state, lock_waiter::waiting, nap);
  }
}

// --- giving up ---

void lock_queue::give_up(lock_seat& me) noexcept {
  const lock_generation of = me.holds;
  end_hold(me);
  if (generation_of(word_.load(std::memory_order_relaxed)) != of) return; // taken away by `open`
  show_holder(nullptr, 0);
  std::uint32_t alone = entry_of(of) | held;
  // Release pairs with the acquire of who takes it next.
  if (word_.compare_exchange_strong(alone, entry_of(of), std::memory_order_release,
                                    std::memory_order_relaxed))
    return;
  wake_ups to_wake;
  {
    const std::scoped_lock guard{guard_};
    if (generation_of(word_.load(std::memory_order_relaxed)) != of) return;
    // Whoever asks does so with the guard: this thread is asked no more. Relaxed: for itself.
    here().due.fetch_and(~std::uint32_t{lock_wanted}, std::memory_order_relaxed);
    pass_on(to_wake);
  }
  to_wake.send();
}

lock_outcome lock_queue::hand_over(lock_seat& me) noexcept {
  // Relaxed: set again, with the guard, for what is asked from here on.
  here().due.fetch_and(~std::uint32_t{lock_wanted}, std::memory_order_relaxed);
  if (me.holds == 0) return lock_outcome::taken;
  lock_waiter self{me, me.holds};
  wake_ups to_wake;
  deadline limit = deadline::never();
  bool over = false;
  {
    const std::scoped_lock guard{guard_};
    const std::uint32_t word = word_.load(std::memory_order_relaxed);
    const bool mine = generation_of(word) == me.holds;
    over = !mine || ((word & closed) != 0 && me.exempt_of != me.holds);
    if (!over && (first_ == nullptr || (word & wanted) == 0)) return lock_outcome::taken;
    if ((word & closed) != 0) limit = deadline::at(patience_);
    end_hold(me);
    if (mine) show_holder(nullptr, 0);
    if (mine && over) pass_on(to_wake);
    if (!over) {
      enqueue(self);
      grant(*first_, to_wake);
    }
  }
  to_wake.send();
  if (over) return lock_outcome::over;
  const auto outcome = wait(me, self, limit);
  return outcome == lock_outcome::late ? lock_outcome::stuck : outcome;
}

// The lock is held, by nobody any more.
void lock_queue::pass_on(wake_ups& to_wake) noexcept {
  const std::uint32_t word = word_.load(std::memory_order_relaxed);
  of_before_ = false;
  // Release, all: pair with the acquire of who takes it next.
  if (first_ == nullptr) {
    word_.fetch_and(~(held | busy | wanted), std::memory_order_release);
  } else if ((word & (wanted | closed)) != 0) {
    grant(*first_, to_wake);
  } else {
    word_.fetch_and(~held, std::memory_order_release);
    nudge(*first_, to_wake);
  }
}

// The lock is held, on behalf of `to` from here on.
void lock_queue::grant(lock_waiter& to, wake_ups& to_wake) noexcept {
  dequeue(to, to_wake);
  show_holder(to.word, to.thread);
  word_.fetch_and(~wanted, std::memory_order_relaxed);
  of_before_ = false;
  note_turn();
  if (first_ != nullptr && interval_ == duration::zero()) ask();
  to_wake.add(to);
  // Release pairs with the acquire in wait. From here on `to` may be gone.
  to.state.store(lock_waiter::granted, std::memory_order_release);
}

void lock_queue::nudge(lock_waiter& whom, wake_ups& to_wake) noexcept {
  if (whom.state.load(std::memory_order_relaxed) != lock_waiter::waiting) return; // has been already
  whom.state.store(lock_waiter::nudged, std::memory_order_relaxed);               // looks with the guard
  to_wake.add(whom);
}

// --- keeping time ---

// The lock is held. `busy` is set, see 2.
void lock_queue::ask() noexcept {
  // Acquire: as in take_free.
  if ((word_.fetch_or(wanted | busy, std::memory_order_acquire) & wanted) != 0) return;
  thread_word* whom = holder_.load(std::memory_order_relaxed);
  if (whom == nullptr) {
    wait::asymmetric_barrier::heavy(); // pairs with light() in take_at_once
    whom = holder_.load(std::memory_order_relaxed);
  }
  // None: it is giving the lock up, or sees `wanted`. Release pairs with the acquire of who answers.
  if (whom != nullptr) whom->due.fetch_or(lock_wanted, std::memory_order_release);
}

// When the time is to be looked at again. The queue is not empty.
deadline lock_queue::keep_time(wake_ups& to_wake) noexcept {
  if (interval_ == duration::zero()) return deadline::never(); // always asked at once
  const time_point due = served_ + interval_;
  const time_point now = clock::now();
  if (now < due) return deadline::at(due);
  std::uint32_t word = word_.load(std::memory_order_relaxed);
  while ((word & held) == 0) {
    // Free at this moment, with the first still waking up: nobody is to be faster this time. Acquire as in
    // take_free.
    if (!word_.compare_exchange_weak(word, word | held, std::memory_order_acquire, std::memory_order_relaxed))
      continue;
    grant(*first_, to_wake);
    return deadline::at(now + interval_);
  }
  ask();
  return deadline::at(now + interval_);
}

void lock_queue::note_turn() noexcept {
  ++turns_;
  if (first_ != nullptr) served_ = clock::now();
}

void lock_queue::enqueue(lock_waiter& who) noexcept {
  if (first_ == nullptr) {
    first_ = timekeeper_ = &who;
    served_ = clock::now();
  } else {
    last_->next = &who;
    who.before = last_;
  }
  last_ = &who;
  ++length_;
}

void lock_queue::dequeue(lock_waiter& who, wake_ups& to_wake) noexcept {
  (who.before != nullptr ? who.before->next : first_) = who.next;
  (who.next != nullptr ? who.next->before : last_) = who.before;
  --length_;
  if (first_ == nullptr) word_.fetch_and(~(busy | wanted), std::memory_order_relaxed);
  if (timekeeper_ != &who) return;
  timekeeper_ = last_;
  if (last_ != nullptr) nudge(*last_, to_wake);
}

// --- generations ---

void lock_queue::let_go(bool exempt_too) noexcept {
  wake_ups nobody; // the timekeeper's part goes with it: it is woken below, or awake
  for (lock_waiter* who = first_; who != nullptr;) {
    lock_waiter* const next = who->next;
    if (exempt_too || !who->exempt) {
      dequeue(*who, nobody);
      const std::atomic<std::uint32_t>& word = who->state;
      const bool asleep = who->asleep;
      who->state.store(lock_waiter::let_go, std::memory_order_release); // from here on it may be gone
      if (asleep) wait::futex_wake_one(word);
    }
    who = next;
  }
  if (timekeeper_ != nullptr) wait::futex_wake_one(timekeeper_->state); // nudged by `dequeue`
}

void lock_queue::open(lock_seat& me, lock_generation next, duration interval) noexcept {
  const std::scoped_lock guard{guard_};
  const std::uint32_t word = word_.load(std::memory_order_relaxed);
  LASTCALL_ASSERT((word & closed) != 0 || generation_of(word) == 0,
                  "the big lock was opened for a runtime while it was open for another one");
  LASTCALL_ASSERT(next != 0 && next != generation_of(word), "a runtime has the number of the one before");
  let_go(true); // exempt threads that were left behind
  const bool mine = me.holds != 0 && me.holds == generation_of(word) && (word & held) != 0;
  if (mine)
    me.holds = next;
  else
    show_holder(nullptr, 0);
  of_before_ = false;
  interval_ = interval;
  // Release pairs with the acquire of who takes it.
  word_.store(entry_of(next) | (mine ? held : 0U), std::memory_order_release);
}

bool lock_queue::close(lock_seat& me, const moving_deadline& until) noexcept {
  deadline all = until.now();
  {
    const std::scoped_lock guard{guard_};
    // Acquire as in take_free. Nobody takes it in one step from here on.
    const std::uint32_t word = word_.fetch_or(closed | busy, std::memory_order_acquire);
    me.exempt_of = generation_of(word);
    patience_ = all.when();
    let_go(false);
    if ((word & held) == 0 || me.holds == generation_of(word)) return true;
    of_before_ = true;
    word_.fetch_and(~wanted, std::memory_order_relaxed);
  }
  // Nobody can wake who waits in the queue because the end has come nearer: a signal handler may say so, and
  // the guard is not for handlers. So it leaves the queue from time to time, and looks.
  for (bool extended = false;;) {
    lock_waiter self{me, generation()};
    {
      const std::scoped_lock guard{guard_};
      if (!of_before_) return true; // given up in between
      patience_ = all.when();
      enqueue(self);
      ask();
    }
    if (wait(me, self, earlier(all, until.next_look())) == lock_outcome::taken) {
      give_up(me);
      return true;
    }
    if (const deadline now = until.now(); !extended || !now.expired()) all = earlier(all, now);
    if (!all.expired()) continue;
    if (extended || !all.grant_slice()) return false; // the process may have been stopped
    extended = true;
  }
}

std::size_t lock_queue::waiters() noexcept {
  const std::scoped_lock guard{guard_};
  return length_;
}

std::uint64_t lock_queue::turns() noexcept {
  const std::scoped_lock guard{guard_};
  return turns_;
}

void lock_queue::in_child(lock_seat& me) noexcept {
  first_ = last_ = timekeeper_ = nullptr;
  length_ = 0;
  const std::uint32_t word = word_.load(std::memory_order_relaxed);
  const bool mine = me.holds != 0 && me.holds == generation_of(word) && (word & held) != 0;
  if (!mine) of_before_ = false;
  if (me.thread != 0) me.thread = sys::gettid();
  show_holder(mine ? &here() : nullptr, mine ? me.thread : 0);
  word_.store(mine ? word & ~(busy | wanted) : word & ~(busy | wanted | held), std::memory_order_relaxed);
  guard_.unlock();
}

} // namespace lastcall::detail
