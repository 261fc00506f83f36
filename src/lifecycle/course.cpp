// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "lifecycle/course.hpp"

#include "lifecycle/arrivals.hpp"
#include "lifecycle/start_phase.hpp"
#include "lifecycle/stop_phase.hpp"
#include "runtime/failure_text.hpp"
#include "runtime/last_action.hpp"
#include "runtime/standard_output.hpp"

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>

#include <algorithm>
#include <chrono>
#include <ranges>
#include <utility>

namespace lastcall::detail {
namespace {

using namespace std::chrono_literals;

/// For the herald, a watch and standard error, each of which is done at once unless a function of the user or
/// a reader of the program's output is stuck.
constexpr duration patience = 1s;

signal_options signals_for(assembly& of) {
  signal_options options;
  options.signals = of.options.signals;
  options.ladder = of.options.ladder;
  options.log = &of.events;
  return options;
}

runtime_options runtime_for(const assembly& of) {
  runtime_options options;
  options.name = of.name;
  options.on_report = [](const finalization_report&) {}; // the application's own report tells it
  return options;
}

std::string_view components(std::size_t count) { return count == 1 ? " component" : " components"; }

} // namespace

course::course(assembly& of)
    : it_{of},
      sorted_{of.graph.sorted()},
      watch_{of.options.slow_start, of.events},
      hands_{changed_},
      signals_{signals_for(of)},
      asked_{signals_.token()} {
  it_.last = report{};
  it_.last.application = it_.name;
  it_.last.components.resize(sorted_.size());
  if (!runtime::live()) runtime_.emplace(runtime_for(of));
  for (std::size_t place = 0; place < sorted_.size(); ++place) {
    it_.last.components[place].name = it_.graph.name(sorted_[place]);
    turns_.emplace_back(it_.parts[sorted_[place]], it_.last.components[place], asked_);
  }
  started_.reserve(turns_.size());
  climbing_ = signals_.on_ladder([this](ladder_step to, const request&) { climbed(to); });
}

int course::run(const middle& between) noexcept {
  it_.last.began = clock::now();
  it_.connect(signals_);
  {
    const shield whole;
    start();
  }
  if (started_.size() == turns_.size() && !interrupt_pending()) serve(between);
  const shield whole;
  hear_the_herald();
  it_.last.why = cause();
  stage_.store(stage::stopping, std::memory_order_relaxed);
  stop();
  return finish();
}

/// On the herald: the user learns at once that the request was heard, and what it waits for.
void course::climbed(ladder_step to) noexcept {
  changed_.ring();
  if (to == ladder_step::hurry) runtime::hurry(deadline::after(it_.options.hurry));
  const auto now = stage_.load(std::memory_order_relaxed);
  if (to == ladder_step::request && now == stage::starting)
    say(it_.options.start == start_policy::whole ? "will stop once all are started"
                                                 : "will stop once the start that runs is over");
  else if (to == ladder_step::request && now == stage::stopping)
    say("is stopping already");
  else if (to == ladder_step::hurry && now != stage::stopping)
    say("will hurry once it stops");
}

void course::start() noexcept {
  say(sentence{"starting ", turns_.size(), components(turns_.size())});
  hands_.on_duty()->give([this] { watch_.watch(); });
  failed_ = !start_all(turns_, it_.options.start, watch_, it_.events, started_);
  watch_.close();
  hands_.settle(patience);
  if (hands_.lost() != 0) note_failure("the log", "it is stuck on the thread that names slow starts");
  if (failed_) ended_ = sentence{"a start failed"};
}

void course::serve(const middle& between) noexcept {
  stage_.store(stage::serving, std::memory_order_relaxed);
  say("running");
  if (!between.fn) {
    const auto until = between.lasting ? deadline::after(*between.lasting) : deadline::never();
    if (!io::wait_for_request(until)) ended_ = sentence{"its time was over"};
    return;
  }
  try {
    returned_ = between.fn(asked_);
    ended_ = sentence{"its main function returned"};
    if (returned_ != 0) ended_ = sentence{"its main function returned ", returned_};
  } catch (const interrupted&) {
    ended_ = sentence{"its main function interrupted itself"}; // unless a request is there: see cause()
  } catch (...) {
    failed_ = true;
    ended_ = sentence{"its main function failed"};
    const auto why = failure_text();
    it_.events.record(event_kind::failure, it_.name, sentence{"the main function: ", why});
    note_failure("the main function", why);
  }
}

/// For the report. Where there is no memory for it the status tells all the same.
void course::note_failure(std::string_view whose, std::string_view what) noexcept {
  failed_ = true;
  try {
    std::string& text = it_.last.failures.emplace_back();
    text.append(whose).append(whose.empty() ? "" : ": ").append(what);
  } catch (...) {
    it_.events.record(event_kind::failure, it_.name, "no memory to report a failure");
  }
}

/// The herald may be a moment behind the word that ended the wait.
void course::hear_the_herald() noexcept {
  if (interrupt_pending())
    changed_.wait_until(deadline::after(patience), [this] { return asked_.stop_requested(); });
}

/// The first request counts as the cause also where the main function then returned of itself: it was told by
/// its token. A failure is the cause even so.
std::string course::cause() const noexcept {
  try {
    auto why = asked_.why();
    if (!why) why = signals_.why(); // the herald is late
    if (why && (!failed_ || ended_.empty())) return "stopped by " + describe(*why);
    return std::string{std::string_view{ended_}};
  } catch (...) {
    return "asked to stop"; // short enough to need no memory
  }
}

void course::stop() noexcept {
  say(sentence{it_.last.why, "; stopping ", started_.size(), components(started_.size())});
  stop_phase stops{it_.options, signals_, hands_, changed_, it_.events, started_.size()};
  stops.run(started_);
  left_ = stops.left();
  if (!hands_.shortage().empty()) note_failure({}, hands_.shortage());
}

outcome course::measured() const noexcept {
  outcome what;
  what.failed = failed_;
  for (const auto& component : it_.last.components)
    what.failed |=
        component.fate == component_fate::start_failed || component.fate == component_fate::stop_failed;
  what.failed |= it_.last.runtime.failed();
  what.abandoned = hands_.lost() != 0 || it_.last.runtime.was_late();
  what.returned = returned_;
  return what;
}

/// Threads, streams and what was registered with the runtime, in what is left of the budget, or a moment.
void course::finalize() noexcept {
  if (!runtime_) return;
  it_.last.runtime = runtime_->finalize(deadline::after(std::max(left_, patience)));
}

int course::finish() noexcept {
  auto& last = it_.last;
  finalize();
  it_.disconnect();
  climbing_.reset();
  const bool herald_ended = signals_.close(deadline::after(patience)).herald_ended;
  if (!herald_ended) note_failure("the herald", "it did not end: a function it called is stuck");
  arrivals came{signals_, it_.options.statuses};
  last.requests = std::move(came.requests);

  auto what = measured();
  what.signals = came.signals();
  what.abandoned |= !herald_ended;
  last.took = clock::now() - last.began;
  say(sentence{"ended after ", last.took});
  what.output_lost = !flush_standard_streams(patience) || last.runtime.lost_output();
  if (what.output_lost) note_failure({}, "what was printed could not all be written");
  last.end = ending_of(what, it_.options.statuses);
  hand_over();
  if (what.abandoned) leave_now(last.end.status, last.end.signal);
  arm_last_action(last.end.signal);
  it_.now.store(assembly::state::over, std::memory_order_relaxed);
  return last.end.status;
}

void course::hand_over() noexcept {
  try {
    if (it_.options.on_report)
      it_.options.on_report(it_.last);
    else if (!it_.last.clean())
      tell_standard_error(describe(it_.last), patience);
  } catch (...) {
    const auto why = failure_text();
    tell_standard_error("the report could not be made: ", patience);
    tell_standard_error(why, patience);
    tell_standard_error("\n", patience);
  }
}

} // namespace lastcall::detail
