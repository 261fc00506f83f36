// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/thread_word.hpp>
#include <lastcall/wait/asymmetric_barrier.hpp>
#include <lastcall/wait/deadline.hpp>

#include "runtime/moving_deadline.hpp"
#include "wait/lock_around_waits.hpp"

#include <atomic>
#include <csignal> // pid_t
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace lastcall::detail {

/// A runtime's number, as the lock knows it: from 1; 0 is before the first.
using lock_generation = std::uint32_t;

/// What the lock keeps of a thread, in the thread itself.
struct lock_seat {
  pid_t thread = 0;              ///< the kernel's id; 0: has not come to the lock yet
  lock_generation holds = 0;     ///< the generation in which it took the lock; 0: does not hold it
  lock_generation exempt_of = 0; ///< the generation whose end it carries out
  bool lost = false;             ///< held it, and could not take it back: the unlock to come is for nothing
};
[[gnu::tls_model("initial-exec")]] extern thread_local constinit lock_seat this_lock_seat;
// For the attribute see detail::here() in thread_word.hpp.
__attribute__((no_sanitize("undefined"))) inline lock_seat& lock_seat_here() noexcept {
  return this_lock_seat;
}

/// How an attempt ended.
enum class lock_outcome : std::uint8_t {
  taken,
  late,  ///< the deadline has passed
  over,  ///< its generation is closed or gone: this thread never gets the lock in it
  stuck, ///< closed, the caller is exempt, and somebody has the lock who does not give it up any more
  never  ///< there has not been a generation yet
};

struct lock_waiter;

/// The big lock without its manners: who has it and who is next. What becomes of a thread that does not get
/// it is up to big_lock.
///
/// `word`: the low bits below, the generation above them.
///
///     held     somebody has it
///     busy     giving it up takes the guard: there is a queue, or somebody wants the holder to stand still
///     wanted   the holder was asked; it hands the lock to the first in the queue, and it is never free until
///     then closed   only exempt threads may take it, and only with the guard
///
/// Taking and giving up are one step on the word where there is no queue. All else happens with the guard.
///
/// Threads: any. `take` sleeps by wait::futex_wait, so a virtual clock moves its time.
/// Fork: the child's lock is the forking thread's, if it held it, else free; nobody waits.
class lock_queue {
  static constexpr unsigned generation_shift = 4;

public:
  static constexpr lock_generation last_generation = (lock_generation{1} << (32 - generation_shift)) - 1;

  /// The word as a taker finds it when it comes: which generation it belongs to, whatever happens meanwhile.
  std::uint32_t entry() const noexcept { return word_.load(std::memory_order_relaxed); }
  static constexpr lock_generation generation_of(std::uint32_t word) noexcept {
    return word >> generation_shift;
  }
  static constexpr std::uint32_t entry_of(lock_generation of) noexcept { return of << generation_shift; }

  /// Takes it if it is free and open and as it was at `entry`. False says nothing.
  bool take_at_once(lock_seat& me, std::uint32_t entry) noexcept;
  /// Waits in the queue. With a deadline that has passed it only tries.
  lock_outcome take(lock_seat& me, std::uint32_t entry, deadline until) noexcept;

  /// Gives it up. One that was held in a generation that is gone is no longer there to be given up.
  void give_up(lock_seat& me) noexcept;
  /// At a checkpoint of the holder that was asked: hands the lock to the first in the queue and waits for its
  /// next turn. `taken` also when there was nothing to do.
  lock_outcome hand_over(lock_seat& me) noexcept;

  /// Opens for `next`, which differs from the generation before. Who holds the lock of the old one does so no
  /// longer, but for the caller, which goes on in the new one.
  void open(lock_seat& me, lock_generation next, duration interval) noexcept;
  /// Closes: those who wait are let go, and the holder is asked. The calling thread is exempt from now on.
  /// False when another thread holds the lock at the deadline, also one that comes nearer meanwhile.
  bool close(lock_seat& me, const moving_deadline& until) noexcept;
  lock_generation generation() const noexcept { return generation_of(entry()); }
  bool is_closed() const noexcept { return (entry() & closed) != 0; }

  /// 0: nobody, or somebody who has taken it this moment.
  pid_t holder() const noexcept { return holder_thread_.load(std::memory_order_relaxed); }
  std::size_t waiters() noexcept;
  std::uint64_t turns() noexcept; ///< how often one in the queue has got it

  // Around fork; in_child on the one thread there is.
  void before_fork() noexcept { guard_.lock(); }
  void in_parent() noexcept { guard_.unlock(); }
  void in_child(lock_seat& me) noexcept;

private:
  static constexpr std::uint32_t held = 1, busy = 2, wanted = 4, closed = 8;

  // At most two threads are woken when the lock changes hands, after the guard is let go. By then they may
  // have gone on and their words may be gone: a wake-up at an address that is nobody's concerns nobody.
  struct wake_ups {
    const std::atomic<std::uint32_t>* words[2] = {};
    void add(lock_waiter& whom) noexcept;
    void send() const noexcept;
  };

  void begin_hold(lock_seat& me, lock_generation of) noexcept;
  void end_hold(lock_seat& me) noexcept;
  void show_holder(thread_word* word, pid_t thread) noexcept;
  void learn_of_request(std::uint32_t taken_from) noexcept;

  // With the guard held, all of these.
  lock_outcome admit(const lock_seat& me, std::uint32_t entry) const noexcept;
  bool take_free(lock_seat& me) noexcept;
  void pass_on(wake_ups& to_wake) noexcept;
  void grant(lock_waiter& to, wake_ups& to_wake) noexcept;
  void nudge(lock_waiter& whom, wake_ups& to_wake) noexcept;
  void ask() noexcept;
  deadline keep_time(wake_ups& to_wake) noexcept;
  void note_turn() noexcept;
  void enqueue(lock_waiter& who) noexcept;
  void dequeue(lock_waiter& who, wake_ups& to_wake) noexcept;
  void let_go(bool exempt_too) noexcept;

  lock_outcome wait(lock_seat& me, lock_waiter& self, deadline until) noexcept;

  std::atomic<std::uint32_t> word_{0};
  std::atomic<pid_t> holder_thread_{0};       // for reports
  std::atomic<thread_word*> holder_{nullptr}; // null for a moment after the lock is taken
  std::mutex guard_;                          // all below; never waited under
  lock_waiter* first_ = nullptr;
  lock_waiter* last_ = nullptr;
  lock_waiter* timekeeper_ = nullptr;
  std::size_t length_ = 0;
  std::uint64_t turns_ = 0;
  duration interval_{};
  time_point served_{};    // when one in the queue got the lock, or the queue began
  bool of_before_ = false; // closed, and still held by one who is not exempt
  time_point patience_{};  // closed: until when exempt threads wait for each other
};

// ---------------------------------------------------------------------------------------------------

inline void lock_queue::begin_hold(lock_seat& me, lock_generation of) noexcept {
  me.holds = of;
  here().holds_lock = 1;
  wait::big_lock_held = 1;
}

inline void lock_queue::end_hold(lock_seat& me) noexcept {
  me.holds = 0;
  here().holds_lock = 0;
  wait::big_lock_held = 0;
}

inline void lock_queue::show_holder(thread_word* word, pid_t thread) noexcept {
  holder_thread_.store(thread, std::memory_order_relaxed);
  holder_.store(word, std::memory_order_relaxed);
}

inline bool lock_queue::take_at_once(lock_seat& me, std::uint32_t entry) noexcept {
  if ((entry & (held | closed)) != 0 || generation_of(entry) == 0 || me.thread == 0) return false;
  std::uint32_t seen = entry;
  // Acquire pairs with the release of who gave it up.
  if (!word_.compare_exchange_strong(seen, entry | held, std::memory_order_acquire,
                                     std::memory_order_relaxed))
    return false;
  begin_hold(me, generation_of(entry));
  show_holder(&here(), me.thread);
  // Who asks has seen whom to ask, or this thread sees that it is asked: pairs with heavy() in ask.
  wait::asymmetric_barrier::light();
  if (((word_.load(std::memory_order_relaxed) ^ entry) & ~busy) != held) [[unlikely]]
    learn_of_request(entry);
  return true;
}

} // namespace lastcall::detail
