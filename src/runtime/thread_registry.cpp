// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/thread_registry.hpp"

#include <lastcall/interrupt/interrupted.hpp>
#include <lastcall/interrupt/io/wait_for.hpp>
#include <lastcall/runtime/errors.hpp>
#include <lastcall/runtime/immortal.hpp>
#include <lastcall/wait/asymmetric_barrier.hpp>

#include "runtime/exit_place.hpp"
#include "sys/calls.hpp"
#include "sys/failure.hpp"
#include "sys/process_hooks.hpp"
#include "sys/thread.hpp"
#include "wait/nudge.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <iterator>
#include <utility>

#include <cxxabi.h>

namespace lastcall::detail {

namespace {

using namespace std::chrono_literals;

/// What a thread that has said that it ended may still need: destructors of other thread-specific data.
constexpr std::int64_t last_steps_ns = 1'000'000'000;

constinit std::atomic<bool> key_there{false};
pthread_key_t end_key{};

// At the end of a thread, after its thread_local objects are gone.
void thread_ended(void* holder) noexcept {
  const std::unique_ptr<std::shared_ptr<thread_record>> mine{
      static_cast<std::shared_ptr<thread_record>*>(holder)};
  this_record = nullptr;
  the_registry().rest(**mine, thread_state::ended);
}

// Unwinding for pthread_exit refers to no object, to which UndefinedBehaviorSanitizer takes exception.
__attribute__((no_sanitize("undefined"))) void call_body(thread_record& mine) {
  try {
    mine.body->run(mine.stop.token());
  } catch (const runtime_ended&) { // it came back after the end, and was led out
  } catch (const interrupted&) {   // a stop is no failure
  } catch (const abi::__forced_unwind&) {
    throw; // pthread_exit or a cancellation: not to be stopped
  } catch (...) {
    thread_failed(mine);
  }
}

} // namespace

thread_registry& the_registry() noexcept {
  static immortal<thread_registry> registry;
  return *registry;
}

bool request_stop(thread_record& of, reason why) noexcept { return !of.rests() && of.stop.request_stop(why); }

int thread_registry::prepare() noexcept {
  const std::scoped_lock guard{lock_};
  if (key_there.load(std::memory_order_relaxed)) return 0;
  const int error = sys::make_thread_end_key(end_key, &thread_ended);
  if (error == 0)
    key_there.store(true, std::memory_order_relaxed); // read after the same lock, or by a thread
  return error;
}

void thread_registry::start(const std::shared_ptr<thread_record>& record) {
  reap_ended(deadline::after(duration::zero())); // the core's lock is held
  auto holder = std::make_unique<std::shared_ptr<thread_record>>(record);
  std::list<std::shared_ptr<thread_record>> node{record};
  {
    const std::scoped_lock guard{lock_};
    threads_.splice(threads_.end(), node);
  }
  const int error = sys::start_thread(record->handle, &run, holder.get());
  if (error < 0) {
    const std::scoped_lock guard{lock_};
    threads_.remove(record);
    sys::throw_failure(sys::call::thread_create, -error, "a thread of the runtime");
  }
  static_cast<void>(holder.release()); // the thread's
}

void* thread_registry::run(void* holder) {
  auto& mine = *static_cast<std::shared_ptr<thread_record>*>(holder);
  const bool ends_by_key = sys::set_at_thread_end(end_key, holder) == 0;
  struct last_step { // also when pthread_exit or a cancellation takes the frames down
    void* holder;
    bool here;
    ~last_step() {
      // From here on there is nobody to catch what a touch throws: destructors are parked.
      thread_record& record = **static_cast<std::shared_ptr<thread_record>*>(holder);
      record.unwound = true;
      leave_exit_to_others();
      record.body.reset();
      if (here) thread_ended(holder); // no memory for the key: a little early, then
    }
  } const at_end{holder, !ends_by_key};
  if (the_registry().began(*mine)) call_body(*mine);
  return nullptr;
}

bool thread_registry::began(thread_record& mine) noexcept {
  std::array<char, 16> name{}; // the kernel's limit
  mine.name.view().copy(name.data(), name.size() - 1);
  sys::name_this_thread(name.data());
  this_record = &mine;
  mine.id.store(sys::gettid(), std::memory_order_relaxed); // for reports
  mine.uncaught_at_start = std::uncaught_exceptions();
  stand_first_at_exit();
  here().ends_calls = runtime_over;
  const std::scoped_lock guard{lock_};
  mine.word = &here();
  mine.seat = &wait::seat_here();
  const bool over = mine.generation <= over_up_to_;
  if (over) here().due.fetch_or(runtime_over, std::memory_order_relaxed);
  mine.state.store(thread_state::running, std::memory_order_release); // as all of its stores
  return !over;
}

void thread_registry::rest(thread_record& mine, thread_state as) noexcept {
  if (as == thread_state::ended) {
    const std::scoped_lock guard{lock_};
    mine.word = nullptr;
    mine.seat = nullptr;
  }
  mine.state.store(as, std::memory_order_release); // pairs with the acquire in rests
  changed_.ring();
}

bool thread_registry::wait_is_over(const thread_record& whom) noexcept {
  // Relaxed: rung after it was set.
  return whom.rests() || (here().due.load(std::memory_order_relaxed) & runtime_over) != 0;
}

bool thread_registry::wait_for(thread_record& whom, deadline until) noexcept {
  changed_.wait_until(until, [&whom] { return wait_is_over(whom); });
  return whom.state.load(std::memory_order_acquire) == thread_state::ended;
}

bool thread_registry::wait_for_as_owner(thread_record& whom, deadline until) {
  changed_.wait_by([&](const auto& word, auto heard) { return io::futex_wait(word, heard, until); },
                   [&whom] { return wait_is_over(whom); });
  return whom.state.load(std::memory_order_acquire) == thread_state::ended;
}

bool thread_registry::wait_for_as_owner(thread_record& whom, deadline until,
                                        std::error_code& error) noexcept {
  error.clear();
  changed_.wait_by([&](const auto& word, auto heard) { return io::futex_wait(word, heard, until, error); },
                   [&] { return static_cast<bool>(error) || wait_is_over(whom); });
  return !error && whom.state.load(std::memory_order_acquire) == thread_state::ended;
}

void thread_registry::reap(thread_record& whom, const moving_deadline& until) noexcept {
  std::list<std::shared_ptr<thread_record>> gone;
  {
    const std::scoped_lock guard{lock_};
    if (whom.reaped || whom.state.load(std::memory_order_acquire) != thread_state::ended) return;
    whom.reaped = true;
    for (auto at = threads_.begin(); at != threads_.end(); ++at)
      if (at->get() == &whom) {
        gone.splice(gone.end(), threads_, at);
        break;
      }
  }
  for (std::int64_t left = last_steps_ns;;) {
    const std::int64_t span = std::min<std::int64_t>(until.next_look().remaining().count(), left);
    if (sys::join(whom.handle, span)) return;
    left -= span;
    if (left == 0 || span == 0) return sys::detach(whom.handle);
  }
}

std::shared_ptr<thread_record> thread_registry::take_ended() noexcept {
  const std::scoped_lock guard{lock_};
  for (const auto& one : threads_)
    if (!one->reaped && one->state.load(std::memory_order_acquire) == thread_state::ended) return one;
  return nullptr;
}

void thread_registry::reap_ended(const moving_deadline& until) noexcept {
  while (const auto one = take_ended()) reap(*one, until);
}

std::shared_ptr<thread_record> thread_registry::next_of(std::uint64_t generation, thread_kind kind,
                                                        std::uint64_t round) noexcept {
  const std::scoped_lock guard{lock_};
  for (const auto& one : threads_) {
    if (one->generation != generation || one->kind != kind || one->seen_in == round) continue;
    if (one->state.load(std::memory_order_acquire) == thread_state::ended) continue;
    one->seen_in = round;
    return one;
  }
  return nullptr;
}

void thread_registry::leave(thread_record& whom) noexcept {
  whom.left_behind.store(true, std::memory_order_relaxed); // rung after it was set
  changed_.ring();
}

std::uint64_t thread_registry::new_round() noexcept {
  const std::scoped_lock guard{lock_};
  return ++rounds_;
}

void thread_registry::end_generation(std::uint64_t generation, const thread_record* but) noexcept {
  {
    const std::scoped_lock guard{lock_};
    over_up_to_ = generation;
    for (const auto& one : threads_)
      if (one->generation == generation && one->word != nullptr && one.get() != but)
        one->word->due.fetch_or(runtime_over,
                                std::memory_order_release); // pairs with acquires at checkpoints
  }
  changed_.ring(); // some wait for each other
  wake(generation, but);
}

// True when somebody waits inside a call who has not heard yet.
bool thread_registry::wake(std::uint64_t generation, const thread_record* but) noexcept {
  wait::asymmetric_barrier::heavy(); // pairs with the light ones of calls: see nudge, which this spares most
  bool unheard = false;
  const std::scoped_lock guard{lock_};
  for (const auto& one : threads_) {
    if (one->generation != generation || one->word == nullptr || one.get() == but || one->rests()) continue;
    auto& due = one->word->due;
    wait::futex_wake_all(due); // io::sleep_until sleeps on it
    if (!wait::seems_to_wait(*one->seat, due, runtime_over)) continue;
    const auto result = wait::nudge(*one->seat, due, runtime_over);
    unheard |= result == wait::nudge_result::refused ||
               (!wait::nudges_are_sure && result != wait::nudge_result::not_waiting);
  }
  return unheard;
}

bool thread_registry::wait_until_all_rest(std::uint64_t generation, const thread_record* but,
                                          const moving_deadline& until) noexcept {
  const auto all_rest = [&] { return count(generation, but).running == 0; };
  for (duration pause = 1ms;; pause = std::min(2 * pause, duration{16ms})) {
    const bool unheard = wake(generation, but);
    const deadline all = until.now();
    const auto next = unheard ? earlier(all, deadline::after(pause)) : all;
    // Who moves the deadline rings this bell as well.
    changed_.wait_until(next, [&] { return all_rest() || until.now().when() != all.when(); });
    if (all_rest()) return true;
    if (until.now().expired()) return false;
  }
}

bool thread_registry::some_wait_inside(std::uint64_t generation, const thread_record* but) noexcept {
  const std::scoped_lock guard{lock_};
  return std::any_of(threads_.begin(), threads_.end(), [&](const auto& one) {
    return one->generation == generation && one->word != nullptr && one.get() != but && !one->rests() &&
           wait::seems_to_wait(*one->seat, one->word->due, runtime_over);
  });
}

thread_registry::census thread_registry::count(std::uint64_t generation, const thread_record* but) noexcept {
  census result;
  const std::scoped_lock guard{lock_};
  for (const auto& one : threads_) {
    if (one->generation != generation || one.get() == but) continue;
    const auto state = one->state.load(std::memory_order_acquire);
    if (state == thread_state::parked)
      ++result.parked;
    else if (state != thread_state::ended)
      ++result.running;
  }
  return result;
}

// The kernel gives the id of a thread that has ended to another one.
bool thread_registry::is_parked(pid_t thread) noexcept {
  const std::scoped_lock guard{lock_};
  return std::any_of(threads_.begin(), threads_.end(), [thread](const auto& one) {
    return one->id.load(std::memory_order_relaxed) == thread &&
           one->state.load(std::memory_order_acquire) == thread_state::parked;
  });
}

bool thread_registry::knows(pid_t thread) noexcept {
  const std::scoped_lock guard{lock_};
  return std::any_of(threads_.begin(), threads_.end(),
                     [thread](const auto& one) { return one->id.load(std::memory_order_relaxed) == thread; });
}

std::string thread_registry::name_of(pid_t thread) {
  const std::scoped_lock guard{lock_};
  for (const auto& one : threads_)
    if (one->id.load(std::memory_order_relaxed) == thread &&
        one->state.load(std::memory_order_acquire) != thread_state::ended)
      return std::string{one->name.view()};
  return {};
}

void thread_registry::in_child() noexcept {
  // The others are kept with what they hold: their frames are in this memory and nobody unwinds them.
  for (auto at = threads_.begin(); at != threads_.end();) {
    const auto one = at++;
    if (one->get() == this_record) continue;
    (*one)->word = nullptr;
    (*one)->seat = nullptr;
    (*one)->state.store(thread_state::parked, std::memory_order_relaxed); // nobody waits for it
    of_parent_.splice(of_parent_.end(), threads_, one);
  }
  if (this_record != nullptr) {
    this_record->id.store(sys::gettid(), std::memory_order_relaxed);
    this_record->kind = thread_kind::daemon; // nobody waits for the thread that is the main one
  }
  lock_.unlock();
}

} // namespace lastcall::detail
