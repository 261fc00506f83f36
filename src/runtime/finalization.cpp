// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/finalization.hpp"

#include <lastcall/trace/whereabouts.hpp>

#include "runtime/big_lock_gate.hpp"
#include "runtime/exempt.hpp"
#include "runtime/failure_text.hpp"
#include "runtime/last_words.hpp"
#include "runtime/thread_registry.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

namespace lastcall::detail {

namespace {

/// What a hand does and what it says of it. Shared: a hand that is left behind still writes here.
struct errand {
  std::function<bool()> next; ///< calls the next one; false when there is none. May throw
  std::mutex lock;
  std::vector<std::string> failures;
  std::atomic<std::size_t> called{0};
  std::atomic<bool> over{false};

  void note(std::string text) noexcept {
    try {
      const std::scoped_lock guard{lock};
      failures.push_back(std::move(text));
    } catch (...) { // the report is shorter
    }
  }
};

void run_errand(errand& it) noexcept {
  for (bool more = true; more && !it.over.load(std::memory_order_relaxed);) {
    try {
      more = it.next();
    } catch (...) {
      it.note(failure_text());
    }
    it.called.fetch_add(1, std::memory_order_relaxed); // for a number in a report
  }
}

} // namespace

finalization::finalization(runtime_core& of, runtime_options& options, std::uint64_t generation,
                           deadline until) noexcept
    : core_{of},
      options_{options},
      generation_{generation},
      until_{until},
      reserve_{std::min(longest_reserve, until.is_never() ? longest_reserve : until.remaining() / 4)} {
  report_ = std::move(core_.blank_report_); // with room for the steps
  report_.runtime = std::move(options.name);
  report_.generation = generation;
}

deadline finalization::hard() const noexcept {
  const std::int64_t hurried = core_.hurried_.load(std::memory_order_relaxed); // rung after it was set
  if (hurried == 0) return until_;
  return earlier(until_, deadline::at(time_point{duration{hurried}}));
}

deadline finalization::soft() const noexcept {
  const deadline all = hard();
  return all.is_never() ? all : deadline::at(all.when() - reserve_);
}

template <class Step>
void finalization::take(finalization_step which, Step step) noexcept {
  const auto began = clock::now();
  report_.steps.push_back({.step = which}); // there is room
  try {
    step();
  } catch (...) {
    fail(failure_text());
  }
  report_.steps.back().took = clock::now() - began;
}

void finalization::fail(std::string_view what) noexcept {
  try {
    report_.steps.back().failures.emplace_back(what);
  } catch (...) {
    ++report_.untold;
  }
}

finalization_report finalization::run() noexcept {
  const auto began = clock::now();
  take(finalization_step::stop, [this] { stop(); });
  take(finalization_step::join, [this] { join(); });
  core_.enter(runtime_phase::ending);
  take(finalization_step::at_exit, [this] { call_all(core_.at_exit_, "at_exit", soft()); });
  take(finalization_step::last_words, [this] { speak(false); });
  take(finalization_step::close, [this] {
    if (const auto holder = close_big_lock(generation_, hard()); !holder.empty())
      fail(sentence{"the big lock was still held by ", holder});
  });
  take(finalization_step::daemons, [this] { end_daemons(); });
  take(finalization_step::in_flight, [this] { cancel_operations(); });
  take(finalization_step::finalizers, [this] { call_all(core_.finalizers_, "finalizers", hard()); });
  take(finalization_step::module_state, [this] { clear_states(); });
  take(finalization_step::last_words_again, [this] { speak(true); });
  report_.leaked += core_.leaked_.exchange(0, std::memory_order_relaxed);
  if (core_.hands_) report_.leaked += core_.hands_->lost();
  report_.took = clock::now() - began;
  return std::move(report_);
}

bool finalization::on_hand(std::function<void()> job, deadline until) noexcept {
  stopper* hand = nullptr;
  try {
    if (!core_.hands_) core_.hands_ = std::make_unique<crew>(core_.changed_); // a forked child has none
    hand = core_.hands_->on_duty();
  } catch (...) { // as below
  }
  if (hand == nullptr) {
    fail("no thread can be had to run it on");
    return true;
  }
  const deadline at_least = deadline::after(least);
  hand->give([job = std::move(job)] {
    my_part.hand = my_part.exempt = true;
    job();
  });
  while (!hand->idle()) {
    // Each ring may be a hurry, so the deadline is looked at anew.
    auto now = earlier(until, hard().is_never() ? until : deadline::at(hard().when() + last_moment));
    if (now.when() < at_least.when()) now = at_least;
    const auto hurried = core_.hurried_.load(std::memory_order_relaxed);
    if (core_.changed_.wait_until(
            now, [&] { return hand->idle() || core_.hurried_.load(std::memory_order_relaxed) != hurried; }))
      continue;
    core_.hands_->leave_behind();
    return false;
  }
  return true;
}

void finalization::stop() {
  reason why{.cause = cause::call, .text = "the runtime is finalized"};
  core_.request_stop(generation_, why);
  try {
    report_.why = describe(core_.token(generation_).why().value_or(why));
  } catch (...) { // the report is shorter
  }
  if (the_registry().count(generation_, this_record).running == 0) return;
  // Callbacks of the program's run inside, so it is done by a hand.
  const auto generation = generation_;
  const bool done = on_hand(
      [generation, why] {
        thread_registry& all = the_registry();
        for (const auto kind : {thread_kind::joined, thread_kind::daemon}) {
          const auto round = all.new_round();
          while (const auto one = all.next_of(generation, kind, round)) one->stop.request_stop(why);
        }
      },
      soft());
  if (!done) {
    report_.steps.back().late = true;
    fail("a callback of a stop token did not return");
  }
}

void finalization::join() {
  thread_registry& all = the_registry();
  // A thread may have started another meanwhile: it is in the list, and this round has not met it.
  const auto round = all.new_round();
  while (const auto one = all.next_of(generation_, thread_kind::joined, round)) {
    if (one.get() == this_record) continue;
    one->stop.request_stop({.cause = cause::call, .text = "the runtime is finalized"}); // begun since
    while (!one->rests() && !soft().expired())
      all.changed().wait_until(soft(), [&, seen = core_.hurried_.load(std::memory_order_relaxed)] {
        return one->rests() || core_.hurried_.load(std::memory_order_relaxed) != seen;
      });
    if (one->rests())
      all.reap(*one);
    else
      note_late(*one);
  }
}

void finalization::note_late(const thread_record& who) noexcept {
  report_.steps.back().late = true;
  try {
    report_.late.push_back({std::string{who.name.view()}, std::string{who.reason.view()},
                            whereabouts_of(who.id.load(std::memory_order_relaxed))});
  } catch (...) {
  }
}

void finalization::call_all(callback_list& of, std::string_view what, deadline until) {
  auto errand_now = [&of] {
    auto one = std::make_shared<errand>();
    one->next = [&of] {
      const auto fn = of.take_newest();
      if (fn) fn();
      return static_cast<bool>(fn);
    };
    return one;
  };
  bool late = false;
  for (bool more = !of.empty(); more;) {
    const auto work = errand_now();
    const bool done = on_hand([work] { run_errand(*work); }, until);
    {
      const std::scoped_lock guard{work->lock};
      for (const auto& failure : work->failures) fail(failure);
    }
    if (done) break;
    work->over.store(true, std::memory_order_relaxed);
    fail(sentence{"one did not return (number ", work->called.load(std::memory_order_relaxed) + 1, " of ",
                  what, ")"});
    if (!late) until = deadline::after(last_moment); // for all that are left
    late = true;
    more = !until.expired();
  }
  if (late) report_.steps.back().late = true;
  if (const std::size_t dropped = of.close(); dropped != 0)
    fail(sentence{dropped, " of ", what, " were never called"});
}

void finalization::speak(bool last) {
  if (last) set_write_through(true); // before: what comes behind a stream's turn writes at once
  const deadline until = last ? earlier(hard(), deadline::after(longest_reserve)) : soft();
  const deadline enough = until.remaining() < last_moment ? deadline::after(last_moment) : until;
  last_words_round round{enough, options_.stream_grace, last, options_.on_stuck_stream, &report_};
  say_last_words(round);
}

void finalization::end_daemons() {
  thread_registry& all = the_registry();
  all.end_generation(generation_, this_record);
  const auto grace = earlier(hard(), deadline::after(options_.daemon_grace));
  if (!all.wait_until_all_rest(generation_, this_record, grace) &&
      all.some_wait_inside(generation_, this_record))
    all.wait_until_all_rest(generation_, this_record, hard());
  all.reap_ended();
  const auto left = all.count(generation_, this_record);
  report_.daemons_parked = left.parked;
  report_.daemons_left = left.running;
}

void finalization::cancel_operations() {
  std::vector<std::string> left;
  report_.leaked += core_.operations_.settle_all(hard(), left);
  for (const auto& one : left) fail(sentence{"not over, its memory is kept: ", one});
}

void finalization::clear_states() {
  // A daemon that still runs may be in the middle of one.
  if (report_.daemons_left != 0) {
    report_.leaked += core_.states_.leak_all();
    return;
  }
  if (core_.states_.empty()) {
    report_.leaked += core_.states_.leak_all(); // closes it
    return;
  }
  const auto work = std::make_shared<errand>();
  work->next = [states = &core_.states_] { return states->clear_newest(); };
  const bool done = on_hand([work] { run_errand(*work); }, hard());
  const std::scoped_lock guard{work->lock};
  for (const auto& failure : work->failures) fail(failure);
  if (done) return;
  work->over.store(true, std::memory_order_relaxed);
  report_.steps.back().late = true;
  fail("a state's destructor did not return; the rest is kept");
  report_.leaked += core_.states_.leak_all();
}

} // namespace lastcall::detail
