// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// How a task finds a thread.
///
/// Aim: a task never waits while a thread has nothing to do, whatever the others are busy with; and a task
/// that takes some ten nanoseconds is not lost among locks and system calls.
///
/// What does not work: one queue under one lock, with a wake-up for each task. Two processors then pass the
/// lock back and forth, and most wake-ups reach threads that find nothing left. Queues for each thread to
/// post into are quick, and let a task wait behind one that never returns.
///
/// Solution. Tasks go into one inbox. A worker that has none takes some at once (its share of what is there,
/// `most_at_once` at most) into a queue of its own, from which anybody who finds the inbox empty steals half.
/// Own queues are filled with the pool's lock held, and a worker goes to sleep with it held, after it has
/// found the inbox and all own queues empty: so there is no task that nobody will find.
///
/// Wake-ups. Whoever puts a task in wakes nobody while one worker is *searching*: woken and not yet at the
/// lock, or looking at the inbox for some microseconds before it sleeps. The one that searches and leaves a
/// task waiting, in the inbox or in anybody's own queue, wakes the next (`call_for_help`). So a burst costs
/// few system calls, and each of its tasks has somebody on the way. A searcher that gives up says so under
/// the lock and looks once more.
///
/// Room. Whoever waits for room must be woken when a worker takes a task from its own queue, which happens
/// without the pool's lock. The worker's count is stored, then `room_waiters_` is looked at; the waiter
/// counts itself, then sums up the counts: an asymmetric barrier between the two, whose dear side is the
/// waiter's.
#include "executor/pool_core.hpp"

#include <lastcall/executor/errors.hpp>
#include <lastcall/executor/thread_pool.hpp>
#include <lastcall/interrupt/io/wait_for.hpp>
#include <lastcall/wait/asymmetric_barrier.hpp>

#include "executor/pool_help.hpp"
#include "runtime/runtime_core.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

namespace lastcall::detail {

thread_local constinit pool_place my_place{};

namespace {

pool_options checked(pool_options options) {
  const auto complain = [&](const std::string& what) {
    throw std::invalid_argument("the pool \"" + options.name + "\" cannot have " + what);
  };
  constexpr auto most = thread_pool::most_threads;
  if (options.threads == 0) complain("no threads");
  for (const std::size_t count : {options.threads, options.grow_to})
    if (count > most) complain(std::to_string(count) + " threads: the most are " + std::to_string(most));
  if (options.grow_to != 0 && options.grow_to < options.threads)
    complain("grow_to " + std::to_string(options.grow_to) + ", which is less than its " +
             std::to_string(options.threads) + " threads");
  if (options.capacity == 0) complain("no capacity: no task could wait in it");
  return options;
}

} // namespace

pool_core::pool_core(pool_options options)
    : options_{checked(std::move(options))},
      most_{std::max(options_.threads, options_.grow_to)},
      process_{sys::this_incarnation()},
      workers_{std::make_unique<pool_worker[]>(most_)} {
  for (std::size_t i = 0; i < most_; ++i) workers_[i].number = i + 1;
}

pool_core::~pool_core() = default;

// With the lock held.
std::error_code pool_core::refusal() const noexcept {
  if (broken_.load(std::memory_order_relaxed)) return executor_errc::broken; // under the lock
  if (!closed_) return {};
  return by_runtime_ ? the_core().refusal() : executor_errc::closed;
}

std::size_t pool_core::count_waiting() const noexcept {
  std::size_t sum = inbox_.size();
  // Relaxed: see *Room* above, and the lock.
  for (std::size_t i = 0; handed_out_ != 0 && i < most_; ++i)
    sum += workers_[i].waiting.load(std::memory_order_relaxed);
  return sum;
}

// With the lock held: whether there is a task without a thread, and a thread without a task.
bool pool_core::some_wait_for_help() const noexcept {
  return (idle_ != nullptr || live_ < most_) && count_waiting() != 0;
}

bool pool_core::is_full() const noexcept {
  return inbox_.size() + handed_out_ >= options_.capacity && count_waiting() >= options_.capacity;
}

std::error_code pool_core::enter(task_ptr& one) noexcept {
  if (in_forked_child()) return executor_errc::forked;
  help sent;
  {
    const std::scoped_lock guard{lock_};
    if (const auto why = refusal()) return why;
    if (is_full()) return executor_errc::full;
    inbox_.push(one.release());
    in_inbox_.store(inbox_.size(), std::memory_order_relaxed); // looked at again under the lock
    if (searching_ == 0) sent = call_for_help();
  }
  send(sent);
  return {};
}

std::error_code pool_core::enter_reserve(task_ptr& one) noexcept {
  if (in_forked_child()) return executor_errc::forked;
  {
    const std::scoped_lock guard{lock_};
    if (reserve_over_) return by_runtime_ ? the_core().refusal() : executor_errc::closed;
    reserve_lane_.push(one.release());
    reserve_.woken.store(1, std::memory_order_relaxed); // it looks at the lane under the lock
  }
  wait::futex_wake_one(reserve_.woken);
  return {};
}

std::error_code pool_core::enter_by_policy(task_ptr& one) {
  const std::error_code why = enter(one);
  if (!why) [[likely]]
    return why;
  if (why != executor_errc::full) return why;
  switch (options_.full) {
  case when_full::refuse: return why;
  case when_full::wait:
    if (!runs_here()) return wait_for_room(one, deadline::after(options_.room_within));
    [[fallthrough]]; // it would wait for itself
  case when_full::run_here: run_here(std::move(one)); break;
  }
  return {};
}

std::error_code pool_core::wait_for_room(task_ptr& one, deadline until) {
  struct counted {
    std::atomic<std::size_t>& count;
    ~counted() { count.fetch_sub(1, std::memory_order_relaxed); }
  } const waits{room_waiters_};
  room_waiters_.fetch_add(1, std::memory_order_relaxed);
  wait::asymmetric_barrier::heavy(); // pairs with the light one in next_of_own
  for (;;) {
    const std::uint32_t seen =
        room_.load(std::memory_order_acquire); // pairs with the release in tell_of_room
    const std::error_code why = enter(one);
    if (why != executor_errc::full) return why;
    if (io::futex_wait(room_, seen, until) == wait::futex_result::timed_out) return enter(one);
  }
}

void pool_core::tell_of_room() noexcept {
  room_.fetch_add(1, std::memory_order_release); // pairs with the acquire in wait_for_room
  wait::futex_wake_all(room_);
}

void pool_core::run_here(task_ptr one) {
  const pool_worker* mine = of_this_thread();
  const stop_token stop = mine != nullptr ? mine->record->stop.token() : stop_.token();
  run(*one, stop);
  give_slot(one.release());
}

void pool_core::refuse(std::error_code why, task_ptr one) const {
  std::string what = "the task \"" + std::string{one->label()} + "\" for the pool \"" + options_.name + '"';
  // Acquire pairs with the release in break_pool.
  if (broken_.load(std::memory_order_acquire)) what += " (" + why_broken_ + ')';
  one.reset(); // its callable is gone when the caller learns of it
  throw std::system_error{why, what};
}

bool pool_core::closed() const noexcept {
  if (in_forked_child()) return true;
  const std::scoped_lock guard{lock_};
  return closed_;
}

std::size_t pool_core::size() const noexcept {
  if (in_forked_child()) return 0;
  const std::scoped_lock guard{lock_};
  return live_;
}

std::size_t pool_core::running() const noexcept {
  if (in_forked_child()) return 0;
  std::size_t sum = 0;
  const auto add = [&sum](pool_worker& one) {
    const std::scoped_lock guard{one.lock};
    if (one.running != nullptr) ++sum;
  };
  for (std::size_t i = 0; i < most_; ++i) add(workers_[i]);
  add(const_cast<pool_worker&>(reserve_));
  return sum;
}

std::size_t pool_core::waiting() const noexcept {
  if (in_forked_child()) return 0;
  const std::scoped_lock guard{lock_};
  return count_waiting() + reserve_lane_.size();
}

bool pool_core::runs_here() const noexcept { return my_place.pool == this; }

pool_worker* pool_core::of_this_thread() const noexcept { return runs_here() ? my_place.worker : nullptr; }

} // namespace lastcall::detail
