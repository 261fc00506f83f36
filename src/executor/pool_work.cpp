// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "executor/pool_core.hpp"
#include "executor/pool_help.hpp"

#include <lastcall/executor/errors.hpp>
#include <lastcall/interrupt/interrupted.hpp>
#include <lastcall/interrupt/io/wait_for.hpp>
#include <lastcall/runtime/errors.hpp>
#include <lastcall/wait/asymmetric_barrier.hpp>

#include "runtime/failure_text.hpp"
#include "runtime/standard_output.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <cxxabi.h>

namespace lastcall::detail {

namespace {

/// How many tasks a worker takes at once. With more, the others would find out later that there is work.
constexpr std::size_t most_at_once = 64;

} // namespace

void pool_core::work(pool_worker& me, const stop_token& stop) {
  struct at_end { // also when the thread is unwound
    pool_core& core;
    pool_worker& me;
    bool left = false;
    ~at_end() {
      my_place = {};
      if (!core.in_forked_child()) core.leave(me);
    }
  } const end{*this, me};
  my_place = {this, &me};
  initialize();
  work_through(me, stop);
}

// For the attribute see future.hpp.
__attribute__((no_sanitize("undefined"))) void pool_core::initialize() {
  if (!options_.initializer) return;
  try {
    options_.initializer();
  } catch (const runtime_ended&) {
    throw;
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    break_pool("its initializer failed: " + failure_text());
  }
}

void pool_core::work_through(pool_worker& me, const stop_token& stop) {
  task* done = nullptr;
  for (;;) {
    task* one = next_of_own(me);
    if (done != nullptr) give_slot(done); // nobody reads its label any more
    if (one == nullptr) one = find(me);
    if (one == nullptr) return;
    run(*one, stop);
    if (in_forked_child()) return; // a task has forked, and this is the child
    done = one;
  }
}

task* pool_core::next_of_own(pool_worker& me) noexcept {
  // Only this thread adds to its own queue, so what is none now stays none.
  const bool some = me.waiting.load(std::memory_order_relaxed) != 0;
  const time_point now = some ? clock::roughly_now() : time_point{};
  task* one = nullptr;
  {
    const std::scoped_lock guard{me.lock};
    one = me.own.pop();
    me.running = one;
    me.since = now;
    if (one != nullptr) me.waiting.store(me.own.size(), std::memory_order_relaxed);
  }
  if (one == nullptr) return nullptr;
  wait::asymmetric_barrier::light(); // pairs with the heavy one in wait_for_room
  if (room_waiters_.load(std::memory_order_relaxed) != 0) [[unlikely]]
    tell_of_room();
  return one;
}

// A worker without tasks; nullptr: it is to end.
task* pool_core::find(pool_worker& me) noexcept {
  for (bool looked = false;;) {
    help sent;
    task* one = nullptr;
    bool looks = false;
    {
      const std::scoped_lock guard{lock_};
      if (std::exchange(me.searches, false)) --searching_;
      handed_out_ -= std::exchange(me.handed, 0);
      task_queue got = take_some();
      if (got.empty()) got = steal_some(me);
      if (!got.empty()) {
        one = keep(me, got);
        if (searching_ == 0 && some_wait_for_help()) sent = call_for_help();
      } else if (closed_) {
        return nullptr;
      } else if (!looked && searching_ == 0) {
        looks = me.searches = true;
        ++searching_;
      } else {
        me.state = worker_state::idle;
        me.woken.store(0, std::memory_order_relaxed);
        me.next_idle = std::exchange(idle_, &me);
      }
    }
    if (one != nullptr) {
      send(sent);
      if (room_waiters_.load(std::memory_order_relaxed) != 0) tell_of_room(); // they count under the lock
      return one;
    }
    if (looks) {
      constexpr int times = 200;
      for (int i = 0; i < times && in_inbox_.load(std::memory_order_relaxed) == 0; ++i) breathe();
      looked = true;
    } else if (!sleep(me)) {
      return nullptr;
    } else {
      looked = false;
    }
  }
}

// With the pool's lock held, as the next two.
task_queue pool_core::take_some() noexcept {
  if (inbox_.empty()) return {};
  task_queue got = inbox_.take(std::clamp<std::size_t>(inbox_.size() / live_, 1, most_at_once));
  in_inbox_.store(inbox_.size(), std::memory_order_relaxed);
  return got;
}

task_queue pool_core::steal_some(const pool_worker& me) noexcept {
  for (std::size_t i = 0; handed_out_ != 0 && i < most_; ++i) {
    pool_worker& from = workers_[(me.number + i) % most_];
    if (from.waiting.load(std::memory_order_relaxed) == 0) continue;
    const std::scoped_lock guard{from.lock};
    task_queue got = from.own.take((from.own.size() + 1) / 2);
    from.waiting.store(from.own.size(), std::memory_order_relaxed);
    if (!got.empty()) return got;
  }
  return {};
}

task* pool_core::keep(pool_worker& me, task_queue got) noexcept {
  const time_point now = clock::roughly_now();
  task* const first = got.pop();
  me.handed = got.size();
  handed_out_ += me.handed;
  const std::scoped_lock guard{me.lock};
  me.own = got;
  me.running = first;
  me.since = now;
  me.waiting.store(me.own.size(), std::memory_order_relaxed);
  return first;
}

// False: it has been idle for too long, and has left its place.
bool pool_core::sleep(pool_worker& me) noexcept {
  const bool stays = me.number <= options_.threads;
  deadline until = stays ? deadline::never() : deadline::after(options_.idle_for);
  while (me.woken.load(std::memory_order_acquire) == 0) { // pairs with the release in send
    if (wait::futex_wait(me.woken, 0, until) != wait::futex_result::timed_out) continue;
    const std::scoped_lock guard{lock_};
    if (me.state != worker_state::idle) return true; // somebody has called it just now
    pool_worker** at = &idle_;
    while (*at != &me) at = &(*at)->next_idle;
    *at = me.next_idle;
    me.state = worker_state::begun;
    return false;
  }
  return true;
}

// For the attribute see future.hpp.
__attribute__((no_sanitize("undefined"))) void pool_core::run(task& one, const stop_token& stop) {
  struct lost { // the thread ends in the middle of it
    task* one;
    ~lost() {
      if (one == nullptr) return;
      one->what->refuse(*one, executor_errc::unfinished);
      one->what->destroy(*one);
    }
  } in_case{&one};
  try {
    one.what->run(one, stop);
  } catch (const interrupted&) {   // a stop is no failure
  } catch (const runtime_ended&) { // the thread itself ends here, as it does in the next
    throw;
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    tell_failure(one.label());
  }
  in_case.one = nullptr;
  one.what->destroy(one);
}

// Inside a handler.
void pool_core::tell_failure(std::string_view label) noexcept {
  failed_.fetch_add(1, std::memory_order_relaxed);
  const std::string why = failure_text();
  std::string failing_hook;
  try {
    if (options_.on_failure) return options_.on_failure(label, std::current_exception());
  } catch (...) {
    failing_hook = failure_text();
  }
  static constexpr duration patience = std::chrono::seconds{1};
  const auto say = [](std::initializer_list<std::string_view> parts) {
    for (const auto part : parts) tell_standard_error(part, patience);
  };
  say({"lastcall: the task \"", label, "\" of the pool \"", options_.name, "\" failed: ", why, "\n"});
  if (!failing_hook.empty()) say({"lastcall: and so did on_failure: ", failing_hook, "\n"});
}

void pool_core::break_pool(std::string_view why) noexcept {
  {
    const std::scoped_lock guard{lock_};
    if (!broken_.load(std::memory_order_relaxed)) {
      try {
        why_broken_ = why;
      } catch (...) { // the sentence is shorter
      }
      broken_.store(true, std::memory_order_release); // pairs with the acquire in refuse
    }
  }
  close_for_runtime(false);
  refuse_all(take_all(), executor_errc::broken, nullptr);
}

// The end of a worker's loop, and of its thread, however it came.
void pool_core::leave(pool_worker& me) noexcept {
  const task* last = nullptr;
  task_queue own;
  {
    const std::scoped_lock guard{me.lock};
    last = std::exchange(me.running, nullptr);
    own = std::exchange(me.own, {});
    me.waiting.store(0, std::memory_order_relaxed);
  }
  if (last != nullptr) give_slot(const_cast<task*>(last));
  help sent;
  bool rung = false;
  {
    const std::scoped_lock guard{lock_};
    inbox_.append(own);
    in_inbox_.store(inbox_.size(), std::memory_order_relaxed);
    if (std::exchange(me.searches, false)) --searching_;
    handed_out_ -= std::exchange(me.handed, 0);
    if (me.left_behind) --left_;
    me.state = worker_state::unused;
    --live_;
    // A fixed number of threads stays what it is, and what came while this one was leaving found it awake.
    if (searching_ == 0 && (live_ < options_.threads || some_wait_for_help())) sent = call_for_help();
    rung = live_ == at_rest_ + left_ || live_ == at_rest_;
  }
  send(sent);
  if (rung) changed_.ring();
}

void pool_core::work_reserve() {
  struct at_end { // also when the thread is unwound, at the end of the runtime
    pool_core& core;
    ~at_end() {
      my_place = {};
      if (!core.in_forked_child()) core.leave_reserve();
    }
  } const end{*this};
  my_place = {this, &reserve_};
  const stop_token stop = final_stop_.token();
  for (task* done = nullptr;;) {
    task* one = nullptr;
    {
      const std::scoped_lock guard{lock_};
      one = reserve_lane_.pop();
      reserve_.woken.store(0, std::memory_order_relaxed);
      const std::scoped_lock own{reserve_.lock};
      reserve_.running = one;
      reserve_.since = one != nullptr ? clock::roughly_now() : time_point{};
      if (one == nullptr && reserve_over_) return;
    }
    if (done != nullptr) give_slot(std::exchange(done, nullptr));
    if (one == nullptr) {
      changed_.ring();
      // Ends with the runtime, too: this thread is unwound from here then.
      io::futex_wait(reserve_.woken, 0, deadline::never());
      continue;
    }
    run(*one, stop);
    if (in_forked_child()) return;
    done = one;
  }
}

void pool_core::leave_reserve() noexcept {
  const task* last = nullptr;
  task_queue left;
  {
    const std::scoped_lock guard{lock_};
    {
      const std::scoped_lock own{reserve_.lock};
      last = std::exchange(reserve_.running, nullptr);
    }
    left = std::exchange(reserve_lane_, {});
    reserve_over_ = true;
    reserve_.state = worker_state::unused;
  }
  if (last != nullptr) give_slot(const_cast<task*>(last));
  refuse_all(left, executor_errc::unfinished, nullptr);
  changed_.ring();
}

} // namespace lastcall::detail
