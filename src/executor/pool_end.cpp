// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// The end of a pool.
///
/// Aim: it ends by its deadline, whatever its tasks do and whoever asks, and says who is left.
///
/// What counts is a number of threads: those that are live, less those whose task is itself in a stop of this
/// pool (`rest`: it would wait for itself, and two of them for each other), less those that were left behind
/// before, where nobody waits for these again. When it is 0 and the reserve has nothing to do, all is done.
///
/// Who is left behind keeps the core by its thread's body: what it comes back to is there, finds nothing to
/// do, and ends the thread. The end of the runtime does not wait for it again; it names it as late, so that
/// the program's status says so, and unwinds or parks it as it does with daemons.
///
/// The runtime's end comes by the stop tokens of the threads: whichever fires first closes the pool. Tasks
/// have these very tokens, so they are asked by the same; what is queued runs, and the threads end where the
/// runtime waits for them. The reserve is a daemon, for functions of `at_exit` come after that.
///
/// Nothing here allocates but reports, which get shorter without memory.
#include "executor/pool_core.hpp"

#include <lastcall/executor/errors.hpp>
#include <lastcall/executor/thread_pool.hpp>
#include <lastcall/trace/whereabouts.hpp>

#include "runtime/failure_text.hpp"
#include "runtime/standard_output.hpp"
#include "runtime/thread_registry.hpp"

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>

namespace lastcall::detail {

namespace {

/// Labels of discarded tasks, and stacks of those that have not ended, in a report. A stack may take some
/// milliseconds.
constexpr std::size_t most_labels = 16, most_stacks = 16;

constexpr reason dropped() noexcept { return {.cause = cause::call, .text = "the pool is dropped"}; }

} // namespace

class pool_core::rest {
public:
  explicit rest(pool_core& core) noexcept : core_{core}, mine_{core.of_this_thread()} {
    if (mine_ == nullptr) return;
    {
      const std::scoped_lock guard{core_.lock_};
      if (mine_->stops++ == 0 && counts()) ++core_.at_rest_;
    }
    core_.changed_.ring();
  }
  ~rest() {
    if (mine_ == nullptr) return;
    const std::scoped_lock guard{core_.lock_};
    if (--mine_->stops == 0 && counts()) --core_.at_rest_;
  }
  rest(const rest&) = delete;
  rest& operator=(const rest&) = delete;
  const pool_worker* mine() const noexcept { return mine_; }

private:
  bool counts() const noexcept { return mine_ != &core_.reserve_ && !mine_->left_behind; }
  pool_core& core_;
  pool_worker* const mine_;
};

void pool_core::close_for_runtime(bool by_runtime) noexcept {
  pool_worker* sleeping = nullptr;
  {
    const std::scoped_lock guard{lock_};
    if (std::exchange(closed_, true)) return; // as many times as there are threads, at the end of a runtime
    by_runtime_ = by_runtime;
    sleeping = std::exchange(idle_, nullptr);
    for (pool_worker* one = sleeping; one != nullptr; one = one->next_idle) one->state = worker_state::begun;
  }
  // Nobody sleeps again in a closed pool, so the list stays as it is until its members are woken.
  while (sleeping != nullptr) {
    pool_worker* const one = std::exchange(sleeping, sleeping->next_idle);
    one->woken.store(1, std::memory_order_release); // pairs with the acquire in sleep
    wait::futex_wake_one(one->woken);
  }
  tell_of_room(); // that there is none any more
}

void pool_core::close() noexcept {
  if (!in_forked_child()) close_for_runtime(false);
}

// On a stop token of one of the threads: the runtime's end, or our own asking, where it is closed already.
void pool_core::runtime_ends() noexcept {
  if (!in_forked_child()) close_for_runtime(true);
}

void pool_core::runtime_joins_reserve() noexcept {
  if (in_forked_child()) return;
  {
    const std::scoped_lock guard{lock_};
    if (!reserve_joins_) return;
    if (!closed_) by_runtime_ = true;
    reserve_over_ = true;
    reserve_.woken.store(1, std::memory_order_relaxed); // it looks again under the lock
  }
  wait::futex_wake_one(reserve_.woken);
}

task_queue pool_core::take_all() noexcept {
  const std::scoped_lock guard{lock_};
  task_queue all = std::exchange(inbox_, {});
  in_inbox_.store(0, std::memory_order_relaxed);
  for (std::size_t i = 0; i < most_; ++i) {
    pool_worker& from = workers_[i];
    if (from.waiting.load(std::memory_order_relaxed) == 0) continue;
    const std::scoped_lock its{from.lock};
    all.append(std::exchange(from.own, {}));
    from.waiting.store(0, std::memory_order_relaxed);
  }
  return all;
}

void pool_core::refuse_all(task_queue which, std::error_code why, pool_report* into) noexcept {
  while (task* const one = which.pop()) {
    if (into != nullptr && ++into->dropped <= most_labels) {
      try {
        into->dropped_labels.emplace_back(one->label());
      } catch (...) { // it is counted
      }
    }
    one->what->refuse(*one, why);
    one->what->destroy(*one);
    give_slot(one);
  }
}

void pool_core::ask_to_stop() noexcept {
  stop_.request_stop(dropped());
  for (std::size_t i = 0; i < most_; ++i) {
    std::shared_ptr<thread_record> record;
    {
      const std::scoped_lock guard{lock_};
      if (workers_[i].state != worker_state::unused) record = workers_[i].record;
    }
    if (record != nullptr) request_stop(*record, dropped());
  }
}

bool pool_core::all_rest(const pool_worker* mine, pool_end how) const noexcept {
  const bool left_ones_count = how == pool_end::drain || how == pool_end::drop;
  const std::scoped_lock guard{lock_};
  const bool reserve_rests = reserve_.state == worker_state::unused || mine == &reserve_ ||
                             (reserve_lane_.empty() && (reserve_.running == nullptr || reserve_.stops != 0));
  std::size_t pending = live_ - at_rest_;
  if (!left_ones_count)
    pending -= left_;
  else if (mine != nullptr && mine->left_behind)
    --pending; // the caller itself
  return reserve_rests && pending == 0;
}

bool pool_core::wait_for_rest(pool_end how, deadline until) noexcept {
  const rest while_waiting{*this};
  const auto done = [&] { return all_rest(while_waiting.mine(), how); };
  return changed_.wait_until(until, done) && join_threads(until);
}

// Those whose loop is over; the caller's is not.
bool pool_core::join_threads(deadline until) noexcept {
  bool all = true;
  for (std::size_t i = 0; i < most_; ++i) {
    std::shared_ptr<thread_record> record;
    {
      const std::scoped_lock guard{lock_};
      if (workers_[i].state == worker_state::unused) record = workers_[i].record;
    }
    if (record == nullptr || record.get() == this_record) continue;
    if (the_registry().wait_for(*record, until))
      the_registry().reap(*record, until);
    else
      all = false;
  }
  return all;
}

void pool_core::note(pool_report& into, pool_worker& who, time_point now) const noexcept {
  unfinished_task one;
  try {
    std::shared_ptr<thread_record> record;
    {
      const std::scoped_lock guard{lock_};
      record = who.record;
    }
    inline_text<56> label{"(no task: the beginning or the end of its thread)"};
    time_point since{};
    {
      const std::scoped_lock guard{who.lock};
      if (who.running != nullptr) label = who.running->label();
      since = who.since;
    }
    one.label = label.view();
    one.running = since == time_point{} ? duration{} : std::max(now - since, duration{});
    if (record != nullptr) {
      one.thread = record->name.view();
      one.id = record->id.load(std::memory_order_relaxed);
    }
    if (one.id != 0)
      one.where =
          into.unfinished.size() < most_stacks ? whereabouts_of(one.id) : kernel_whereabouts_of(one.id);
    into.unfinished.push_back(std::move(one));
  } catch (...) {
    ++into.untold;
  }
}

void pool_core::leave_behind(pool_worker& who) noexcept {
  std::shared_ptr<thread_record> record;
  {
    const std::scoped_lock guard{lock_};
    if (who.state == worker_state::unused) return;
    record = who.record;
    if (&who != &reserve_ && !std::exchange(who.left_behind, true)) ++left_;
  }
  if (record != nullptr) the_registry().leave(*record);
}

void pool_core::note_unfinished(pool_report& into, pool_end how) noexcept {
  const auto is_late = [this, how](const pool_worker& one) {
    const std::scoped_lock guard{lock_};
    if (&one == &reserve_) return one.running != nullptr && one.stops == 0;
    return one.state != worker_state::unused && one.stops == 0 &&
           !(how == pool_end::abandon && one.left_behind);
  };
  const auto look_at = [&, now = clock::now()](pool_worker& one) { // a look may take a while
    if (!is_late(one)) return;
    note(into, one, now);
    if (how != pool_end::drain) leave_behind(one);
  };
  for (std::size_t i = 0; i < most_; ++i) look_at(workers_[i]);
  look_at(reserve_);
}

pool_report pool_core::end(pool_end how, deadline until) noexcept {
  pool_report report;
  const auto began = clock::now();
  try {
    report.pool = options_.name;
  } catch (...) { // it has none
  }
  if (in_forked_child()) return report;
  close_for_runtime(false);
  if (how != pool_end::drain) {
    if (how == pool_end::drop || how == pool_end::abandon)
      refuse_all(take_all(), executor_errc::dropped, &report);
    ask_to_stop();
  }
  const bool all = wait_for_rest(how, until);
  report.took = clock::now() - began;
  report.waiting = waiting(); // also where there is no thread any more to run them
  if (!all) {
    if (how != pool_end::finish) note_unfinished(report, how);
    if (how == pool_end::drop || how == pool_end::abandon) final_stop_.request_stop(dropped());
  }
  report.failed = failed_.load(std::memory_order_relaxed);
  return report;
}

void pool_core::end_reserve(deadline until) noexcept {
  std::shared_ptr<thread_record> record;
  task_queue left;
  {
    const std::scoped_lock guard{lock_};
    reserve_over_ = true;
    left = std::exchange(reserve_lane_, {}); // it did not come to them in time
    record = reserve_.record;
    reserve_.woken.store(1, std::memory_order_relaxed); // it looks again under the lock
  }
  refuse_all(left, executor_errc::dropped, nullptr);
  if (record == nullptr || record.get() == this_record) return;
  wait::futex_wake_one(reserve_.woken);
  const bool ended = changed_.wait_until(until, [this] {
    const std::scoped_lock guard{lock_};
    return reserve_.state == worker_state::unused;
  });
  if (ended && the_registry().wait_for(*record, until))
    the_registry().reap(*record, until);
  else
    the_registry().leave(*record);
}

void pool_core::let_go() noexcept {
  if (in_forked_child()) return;
  const deadline until = deadline::after(thread_pool::patience);
  const rest mine{*this};
  const auto began = clock::now();
  pool_report report;
  const bool ended = [&] {
    end(pool_end::finish, deadline::after(thread_pool::patience * 3 / 4));
    return all_rest(mine.mine(), pool_end::finish) && waiting() == 0;
  }();
  if (!ended) report = end(pool_end::abandon, until);
  end_reserve(deadline::after(std::max(until.remaining(), thread_pool::patience / 20)));
  report.took = clock::now() - began;
  if (report.clean()) return;
  try {
    if (options_.on_report)
      options_.on_report(report);
    else
      tell_standard_error("lastcall: " + describe(report), thread_pool::patience);
  } catch (...) {
    tell_standard_error("lastcall: the report of a pool could not be made: ", thread_pool::patience);
    tell_standard_error(failure_text(), thread_pool::patience);
    tell_standard_error("\n", thread_pool::patience);
  }
}

} // namespace lastcall::detail
