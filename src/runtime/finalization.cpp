// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/finalization.hpp"

#include <lastcall/trace/whereabouts.hpp>

#include "runtime/big_lock_gate.hpp"
#include "runtime/exempt.hpp"
#include "runtime/failure_text.hpp"
#include "runtime/last_words.hpp"
#include "runtime/standard_output.hpp"
#include "runtime/thread_registry.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <new>
#include <utility>

namespace lastcall::detail {

namespace {

constexpr duration patience = std::chrono::seconds{1};

constexpr reason the_reason() noexcept { return {.cause = cause::call, .text = "the runtime is finalized"}; }

void run_errand(errand& it) noexcept {
  for (bool more = true; more && !it.over.load(std::memory_order_relaxed);) {
    try {
      more = it.next(it.until);
    } catch (...) {
      it.note(failure_text());
    }
    it.called.fetch_add(1, std::memory_order_relaxed); // for a number in a report
  }
}

} // namespace

void errand::begin(std::function<bool(deadline)> what, deadline by) noexcept {
  next = std::move(what);
  until = by;
  failures.clear();
  called.store(0, std::memory_order_relaxed); // published with the job
  over.store(false, std::memory_order_relaxed);
}

void errand::note(std::string text) noexcept {
  try {
    const std::scoped_lock guard{lock};
    failures.push_back(std::move(text));
  } catch (...) { // the report is shorter
  }
}

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

deadline finalization::hard() const noexcept { return earlier(until_, core_.hurried()); }

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
    const auto until = [this] { return hard(); };
    if (const auto holder = close_big_lock(generation_, until); !holder.empty())
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

finalization::outcome finalization::on_hand(errand& work, duration span) noexcept {
  stopper* hand = nullptr;
  try {
    if (!core_.hands_) core_.hands_ = std::make_unique<crew>(core_.changed_); // a forked child has none
    hand = core_.hands_->on_duty();
  } catch (...) { // as below
  }
  if (hand == nullptr) return outcome::not_begun;
  const deadline at_least = deadline::after(span);
  hand->give([it = &work] { // small: it is stored without memory
    my_part.hand = it;
    my_part.exempt = true;
    run_errand(*it);
  });
  while (!hand->idle()) {
    // Each ring may be a hurry, so the deadline is looked at anew.
    auto now =
        earlier(work.until, hard().is_never() ? work.until : deadline::at(hard().when() + last_moment));
    if (now.when() < at_least.when()) now = at_least;
    const auto hurried = core_.hurried_.load(std::memory_order_relaxed);
    const auto gone = [&] { return core_.hand_exits_.load(std::memory_order_relaxed) == &work; };
    const bool rung = core_.changed_.wait_until(now, [&] {
      return hand->idle() || gone() || core_.hurried_.load(std::memory_order_relaxed) != hurried;
    });
    if (rung && !gone()) continue;
    core_.hands_->leave_behind();
    return outcome::left_behind;
  }
  return outcome::done;
}

finalization::outcome finalization::have_done(std::function<bool(deadline)> next, std::string_view what,
                                              deadline until) noexcept {
  if (!core_.errand_) core_.errand_.reset(new (std::nothrow) errand); // the one before was left behind
  if (!core_.errand_) return outcome::not_begun;
  errand& work = *core_.errand_;
  work.begin(std::move(next), until);
  const outcome how = on_hand(work);
  const std::scoped_lock guard{work.lock};
  for (const auto& failure : work.failures) fail(failure);
  if (how != outcome::left_behind) return how;
  work.over.store(true, std::memory_order_relaxed);
  report_.steps.back().late = true;
  fail(sentence{"one did not return (number ", work.called.load(std::memory_order_relaxed) + 1, " of ", what,
                ")"});
  static_cast<void>(core_.errand_.release()); // the hand's, for good
  return how;
}

finalization::outcome finalization::have_all_done(const std::function<bool(deadline)>& next,
                                                  std::string_view what, deadline until) noexcept {
  for (bool late = false;;) {
    const outcome how = have_done(next, what, until);
    if (how != outcome::left_behind || (late && until.expired())) return how;
    if (late || (!until.expired() && !hard().expired())) continue; // it has left by `exit`, before the time
    until = deadline::after(last_moment);                          // for all that are left
    late = true;
  }
}

void finalization::stop() {
  // Callbacks of the program's run inside, so a hand asks; after one that hangs, another asks the rest.
  outcome how = outcome::not_begun;
  if (core_.token_taken_.load(std::memory_order_relaxed) ||
      the_registry().count(generation_, this_record).running != 0) {
    const auto ask_one = [generation = generation_, round = the_registry().new_round()](deadline) {
      the_core().request_stop(generation, the_reason());
      for (const auto kind : {thread_kind::joined, thread_kind::daemon})
        if (const auto one = the_registry().next_of(generation, kind, round)) {
          one->stop.request_stop(the_reason());
          return true;
        }
      return false;
    };
    const deadline all = soft();
    // The threads need time, too.
    const deadline part = all.is_never() ? all : deadline::after(all.remaining() / 2);
    how = have_all_done(ask_one, "stop tokens", part);
    while (how == outcome::not_begun && ask_one(part)) { // no thread is to be had, and they must be asked
    }
  }
  if (how == outcome::not_begun) core_.request_stop(generation_, the_reason());
  try {
    report_.why = describe(core_.token(generation_).why().value_or(the_reason()));
  } catch (...) { // the report is shorter
  }
}

void finalization::join() {
  thread_registry& all = the_registry();
  // A thread may have started another meanwhile: it is in the list, and this round has not met it.
  const auto round = all.new_round();
  const auto until = [this] { return soft(); };
  while (const auto one = all.next_of(generation_, thread_kind::joined, round)) {
    if (one.get() == this_record) continue;
    wait_for(*one);
    if (one->rests())
      all.reap(*one, until);
    else if (!one->to_be_left())
      note_late(*one);
  }
  show_where_late_ones_are();
}

void finalization::wait_for(thread_record& one) noexcept {
  // Who was left behind by somebody else is past a deadline already, and may be just coming to its end.
  const deadline grace = deadline::after(options_.daemon_grace);
  // Relaxed, all of it: rung after it was set.
  const auto until = [&] {
    return one.left_behind.load(std::memory_order_relaxed) ? earlier(grace, soft()) : soft();
  };
  while (!one.to_be_left() && !until().expired())
    the_registry().changed().wait_until(until(), [&, seen = core_.hurried_.load(std::memory_order_relaxed),
                                                  left = one.left_behind.load(std::memory_order_relaxed)] {
      return one.to_be_left() || core_.hurried_.load(std::memory_order_relaxed) != seen ||
             one.left_behind.load(std::memory_order_relaxed) != left;
    });
}

void finalization::note_late(const thread_record& who) noexcept {
  report_.steps.back().late = true;
  try {
    late_ids_.reserve(late_ids_.size() + 1);
    const auto id = who.id.load(std::memory_order_relaxed);
    const bool told = who.left_behind.load(std::memory_order_relaxed); // with its stack, by who left it
    report_.late.push_back({std::string{who.name.view()}, std::string{who.reason.view()},
                            told ? kernel_whereabouts_of(id) : std::string{}});
    late_ids_.push_back(told ? 0 : id);
  } catch (...) {
    ++report_.untold;
  }
}

void finalization::show_where_late_ones_are() noexcept {
  if (late_ids_.empty()) return;
  try {
    const duration span = std::min<duration>(longest_look, hard().remaining() / 2);
    auto places = whereabouts_of(late_ids_, deadline::after(span));
    for (std::size_t i = 0; i < late_ids_.size(); ++i)
      if (report_.late[i].where.empty())
        report_.late[i].where = late_ids_[i] == 0 ? "it has not begun to run" : std::move(places[i]);
  } catch (...) { // the report is shorter
  }
}

// A daemon that is left is no failure: what the kernel shows of it is had for nothing, a stack is not.
void finalization::note_daemons() noexcept {
  const auto round = the_registry().new_round();
  while (const auto one = the_registry().next_of(generation_, thread_kind::daemon, round)) {
    if (one.get() == this_record) continue;
    const bool parked = one->rests();
    ++(parked ? report_.daemons_parked : report_.daemons_left);
    try {
      late_thread who{std::string{one->name.view()}, std::string{one->reason.view()}, {}};
      if (!parked) who.where = kernel_whereabouts_of(one->id.load(std::memory_order_relaxed));
      report_.daemons.push_back(std::move(who));
    } catch (...) { // counted, at least
    }
  }
}

void finalization::call_all(callback_list& of, std::string_view what, deadline until) {
  const auto call_one = [&of, generation = generation_](deadline) { return of.call_newest(generation); };
  if (!of.empty() && have_all_done(call_one, what, until) == outcome::not_begun)
    fail("no thread can be had to run them on");
  const std::size_t dropped = of.close();
  if (dropped == 0) return;
  fail(sentence{dropped, " of ", what, " were never called"});
  have_done([&of](deadline) { return of.destroy_dropped(); }, "what was dropped", deadline::after(least));
}

void finalization::speak(bool last) {
  if (last) set_write_through(true); // before: what comes behind a stream's turn writes at once
  const deadline until = last ? earlier(hard(), deadline::after(longest_reserve)) : soft();
  const deadline enough = until.remaining() < last_moment ? deadline::after(last_moment) : until;
  const hurried_deadline both{enough, core_.hurried_, last ? duration::zero() : reserve_,
                              clock::now() + last_moment};
  last_words_round round{both, options_.stream_grace, last, options_.on_stuck_stream, &report_};
  if (say_last_words(round)) return;
  report_.steps.back().late = true;
  fail("streams could not be asked: other last words did not come to an end");
}

void finalization::end_daemons() {
  thread_registry& all = the_registry();
  all.end_generation(generation_, this_record);
  deadline part = deadline::after(options_.daemon_grace);
  const auto until = [this] { return hard(); };
  const auto part_of_it = [&] { return earlier(hard(), part); };
  bool rest = all.wait_until_all_rest(generation_, this_record, part_of_it);
  // Those that wait inside have been woken. Without end for as long as ever more of them come to rest.
  for (std::size_t before = 0; !rest && all.some_wait_inside(generation_, this_record);) {
    const std::size_t now = all.count(generation_, this_record).running;
    if (hard().expired() || now == before) break;
    before = now;
    part = deadline::after(longest_reserve);
    rest = all.wait_until_all_rest(generation_, this_record, part_of_it);
  }
  all.reap_ended(until);
  some_left_ = all.count(generation_, this_record).running != 0;
  note_daemons();
}

void finalization::cancel_operations() {
  operation_list& all = core_.operations_;
  if (all.empty()) return;
  const std::size_t kept = all.kept();
  const deadline until = hard();
  have_all_done([&all](deadline) { return all.cancel_next(); }, "operations to cancel", until);
  have_all_done([&all](deadline by) { return all.settle_next(by); }, "operations to wait for", until);
  all.keep_rest();
  report_.leaked += all.kept() - kept;
}

finalization_report finalization::tell(finalization_report report) noexcept {
  if (!core_.told_ || !core_.told_->hook) {
    told_report::to_standard_error(report);
    return report;
  }
  told_report& told = *core_.told_;
  told.report = std::move(report);
  outcome how = outcome::not_begun;
  if (!core_.errand_) core_.errand_.reset(new (std::nothrow) errand);
  if (core_.errand_) {
    const auto call = [&told](deadline) {
      told.call();
      return false;
    };
    core_.errand_->begin(call, deadline::never());
    how = on_hand(*core_.errand_, patience);
  }
  if (how == outcome::not_begun) told.call();
  if (how != outcome::left_behind) return std::move(told.report);
  if (core_.hand_exits_.load(std::memory_order_relaxed) != core_.errand_.get())
    tell_standard_error("lastcall: on_report did not return in time; it is left behind\n", patience);
  static_cast<void>(core_.errand_.release()); // the hand's, for good
  static_cast<void>(core_.told_.release());
  finalization_report copy;
  try {
    copy = told.report; // read on both sides
    copy.leaked += 1;
  } catch (...) {
    copy.generation = generation_;
    copy.untold = 1;
  }
  return copy;
}

void finalization::clear_states() {
  state_list& all = core_.states_;
  // A thread that still runs may be in the middle of one.
  if (!some_left_ && !all.empty())
    have_done([&all](deadline) { return all.clear_newest(); }, "states; the rest is kept", hard());
  report_.leaked += all.leak_all(); // closes it
}

} // namespace lastcall::detail
