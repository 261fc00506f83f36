// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The big lock's manners: what becomes of a thread that does not get it. Who has it and who is next is
// lock_queue's.
//
// A thread of ours whose generation is over here is over altogether, also when the runtime has not told it
// yet (the lock is closed before the daemons are told): it gets the bit now, and goes the way of every touch.
// On one that finalizes, or has, nothing of this may happen; it gets an error, or goes on without the lock
// where nothing may be thrown.
//
// Whoever has been thrown out of a wait still has its std::unique_lock on the stack. `lost` is for the
// `unlock` to come, which finds nothing to give up.
#include <lastcall/runtime/big_lock.hpp>

#include <lastcall/runtime/errors.hpp>
#include <lastcall/sys/config.hpp>
#include <lastcall/wait/futex.hpp>

#include "runtime/big_lock_gate.hpp"
#include "runtime/exempt.hpp"
#include "runtime/thread_record.hpp"
#include "runtime/touch.hpp"
#include "sys/calls.hpp"
#include "sys/process_hooks.hpp"

#include <atomic>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

namespace lastcall {

namespace detail {

namespace {

// Never destroyed, because there is nothing to destroy.
constinit lock_queue the_queue;
static_assert(std::is_trivially_destructible_v<lock_queue>);

// At the end of a thread that has come to the lock.
void thread_leaves(void*) noexcept {
  lock_seat& me = lock_seat_here();
  LASTCALL_ASSERT(me.holds == 0 || me.holds != the_queue.generation() || the_queue.is_closed(),
                  "a thread has ended with the big lock held, and nobody can take it any more: "
                  "hold it by a std::unique_lock");
  me.thread = 0; // should something come to the lock later still, it is called for again
}

// The key and 1; 0 until there is one. Release and acquire: what libc knows of it comes along.
constinit std::atomic<std::uint32_t> end_key_and_1{0};

pthread_key_t end_key() noexcept {
  LASTCALL_ASSERT(prepare_big_lock() == 0,
                  "no thread-specific key is left for the big lock: the program has used up all of them");
  return end_key_and_1.load(std::memory_order_acquire) - 1;
}

[[noreturn]] void refuse_exempt(lock_outcome why) {
  if (why != lock_outcome::stuck)
    throw std::system_error{runtime_errc::over, "the big lock of a runtime that has ended"};
  const pid_t thread = the_queue.holder();
  throw std::system_error{runtime_errc::never_ends, "the big lock is held by \"" + name_of_thread(thread) +
                                                        "\" (thread " + std::to_string(thread) + ")"};
}

[[noreturn]] void no_runtime() { throw std::system_error{runtime_errc::no_runtime, "the big lock"}; }

// Not taken, on a thread that expected to be given it.
[[noreturn]] void lead_out(lock_outcome why) {
  if (my_part.exempt) refuse_exempt(why);
  if (this_record != nullptr) {
    here().due.fetch_or(runtime_over, std::memory_order_relaxed); // for this thread itself
    touch_slow();
  }
  park();
}

lock_outcome take(lock_seat& me, std::uint32_t entry, deadline until) noexcept {
  if (my_part.exempt) me.exempt_of = lock_queue::generation_of(entry);
  return the_queue.take(me, entry, until);
}

} // namespace

int prepare_big_lock() noexcept {
  if (end_key_and_1.load(std::memory_order_acquire) != 0) return 0;
  pthread_key_t made{};
  if (const int error = sys::make_thread_end_key(made, &thread_leaves); error < 0) return error;
  std::uint32_t none = 0; // of two at once one has made a key too many
  end_key_and_1.compare_exchange_strong(none, made + 1, std::memory_order_release, std::memory_order_relaxed);
  return 0;
}

lock_queue& the_lock_queue() noexcept { return the_queue; }

lock_seat& take_lock_seat() noexcept {
  lock_seat& me = lock_seat_here();
  if (me.thread == 0) {
    sys::set_at_thread_end(end_key(), &me); // without memory its end goes unnoticed
    me.thread = sys::gettid();
  }
  return me;
}

lock_generation give_big_lock_up() noexcept {
  lock_seat& me = lock_seat_here();
  const lock_generation of = me.holds;
  the_queue.give_up(me);
  return of;
}

void take_big_lock_back(lock_generation of) {
  lock_seat& me = lock_seat_here();
  LASTCALL_ASSERT(me.holds == 0, "the big lock was taken inside of a wait that gives it back at its end");
  const std::uint32_t now = the_queue.entry();
  if (lock_queue::generation_of(now) == of && the_queue.take_at_once(me, now)) return;
  const auto outcome = take(me, lock_queue::entry_of(of), deadline::never());
  if (outcome == lock_outcome::taken) return;
  me.lost = true;
  lead_out(outcome);
}

void take_big_lock_back_or_park(lock_generation of, bool unwinding) noexcept {
  lock_seat& me = lock_seat_here();
  LASTCALL_ASSERT(me.holds == 0, "the big lock was taken inside of a wait that gives it back at its end");
  const std::uint32_t now = the_queue.entry();
  if (lock_queue::generation_of(now) == of && the_queue.take_at_once(me, now)) return;
  if (take(me, lock_queue::entry_of(of), deadline::never()) == lock_outcome::taken) return;
  me.lost = true;
  // Whom an exception takes to its end is not kept from it.
  if (my_part.exempt || (unwinding && this_record != nullptr)) return;
  park();
}

} // namespace detail

using detail::lock_outcome;
using detail::lock_seat;
using detail::the_queue;

big_lock& the_big_lock() noexcept {
  static constinit big_lock the_lock;
  return the_lock;
}

namespace {

constexpr const char* taken_twice =
    "the big lock is taken by the thread that holds it already: it is not recursive";

} // namespace

void big_lock::lock() {
  detail::touch();
  const std::uint32_t entry = the_queue.entry();
  if (the_queue.take_at_once(detail::lock_seat_here(), entry)) [[likely]]
    return;
  lock_seat& me = detail::take_lock_seat();
  LASTCALL_ASSERT(me.holds == 0 && !me.lost, taken_twice);
  const auto outcome = detail::take(me, entry, deadline::never());
  if (outcome == lock_outcome::taken) return;
  if (outcome == lock_outcome::never) detail::no_runtime();
  detail::lead_out(outcome);
}

bool big_lock::try_lock_until(deadline until) {
  detail::touch();
  const std::uint32_t entry = the_queue.entry();
  if (the_queue.take_at_once(detail::lock_seat_here(), entry)) return true;
  lock_seat& me = detail::take_lock_seat();
  LASTCALL_ASSERT(me.holds == 0 && !me.lost, taken_twice);
  const auto outcome = detail::take(me, entry, until);
  if (outcome == lock_outcome::taken) return true;
  if (outcome == lock_outcome::late) return false;
  if (outcome == lock_outcome::never) detail::no_runtime();
  if (until.is_never() || detail::my_part.exempt || detail::this_record != nullptr) detail::lead_out(outcome);
  // A thread of others comes back, as it was told it would, but not before its time: it may come again at
  // once.
  const std::atomic<std::uint32_t> nobody_wakes{0};
  while (wait::futex_wait(nobody_wakes, 0, until) == wait::futex_result::woken) {
  }
  return false;
}

bool big_lock::try_lock() noexcept {
  if ((detail::here().due.load(std::memory_order_relaxed) & detail::runtime_over) != 0) return false;
  const std::uint32_t entry = the_queue.entry();
  lock_seat& me = detail::take_lock_seat();
  if (the_queue.take_at_once(me, entry)) return true;
  LASTCALL_ASSERT(me.holds == 0 && !me.lost, taken_twice);
  return detail::take(me, entry, deadline::after({})) == lock_outcome::taken;
}

void big_lock::unlock() noexcept {
  lock_seat& me = detail::lock_seat_here();
  if (me.holds == 0) [[unlikely]] {
    LASTCALL_ASSERT(me.lost, "the big lock is given up by a thread that does not hold it");
    me.lost = false;
    return;
  }
  the_queue.give_up(me);
}

bool big_lock::is_mine() const noexcept { return detail::lock_seat_here().holds != 0; }

std::optional<big_lock::who> big_lock::holder() const {
  const pid_t thread = the_queue.holder();
  if (thread == 0) return std::nullopt;
  return who{detail::name_of_thread(thread), thread};
}

big_lock::released::released() noexcept {
  if (detail::lock_seat_here().holds == 0) return;
  uncaught_ = std::uncaught_exceptions();
  generation_ = detail::give_big_lock_up();
}

big_lock::released::~released() {
  if (generation_ != 0)
    detail::take_big_lock_back_or_park(generation_, std::uncaught_exceptions() > uncaught_);
}

void big_lock::released::take_back() {
  if (generation_ != 0) detail::take_big_lock_back(std::exchange(generation_, 0));
}

} // namespace lastcall
