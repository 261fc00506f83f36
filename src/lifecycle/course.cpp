// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "lifecycle/course.hpp"

#include "lifecycle/duration_text.hpp"
#include "lifecycle/failure_text.hpp"
#include "lifecycle/last_action.hpp"
#include "lifecycle/standard_output.hpp"
#include "lifecycle/start_phase.hpp"
#include "lifecycle/stop_phase.hpp"

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>

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

std::string count_of(std::size_t components) {
  return std::to_string(components) + (components == 1 ? " component" : " components");
}

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
  for (std::size_t place = 0; place < sorted_.size(); ++place) {
    it_.last.components[place].name = it_.graph.name(sorted_[place]);
    turns_.emplace_back(it_.parts[sorted_[place]], it_.last.components[place], asked_);
  }
  climbing_ = signals_.on_ladder([this](ladder_step to, const request&) { climbed(to); });
}

int course::run(const middle& between) {
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
  const auto now = stage_.load(std::memory_order_relaxed);
  if (to == ladder_step::request && now == stage::starting)
    say(it_.options.start == start_policy::whole ? "will stop once all are started"
                                                 : "will stop once the start that runs is over");
  else if (to == ladder_step::request && now == stage::stopping)
    say("is stopping already");
  else if (to == ladder_step::hurry && now != stage::stopping)
    say("will hurry once it stops");
}

void course::start() {
  say("starting " + count_of(turns_.size()));
  hands_.on_duty()->give([this] { watch_.watch(); });
  auto result = start_all(turns_, it_.options.start, watch_, it_.events);
  watch_.close();
  hands_.settle(patience);
  started_ = std::move(result.started);
  failed_ = result.failed;
  if (failed_) ended_ = "a start failed";
}

void course::serve(const middle& between) {
  stage_.store(stage::serving, std::memory_order_relaxed);
  say("running");
  if (!between.fn) {
    const auto until = between.lasting ? deadline::after(*between.lasting) : deadline::never();
    if (!io::wait_for_request(until)) ended_ = "its time was over";
    return;
  }
  try {
    returned_ = between.fn(asked_);
    ended_ = "its main function returned";
    if (returned_ != 0) ended_ += " " + std::to_string(returned_);
  } catch (const interrupted&) {
    ended_ = "its main function interrupted itself"; // unless a request is there: see cause()
  } catch (...) {
    failed_ = true;
    ended_ = "its main function failed";
    it_.last.failures.push_back("the main function: " + failure_text());
    it_.events.record(event_kind::failure, it_.name, it_.last.failures.back());
  }
}

/// The herald may be a moment behind the word that ended the wait.
void course::hear_the_herald() noexcept {
  if (interrupt_pending())
    changed_.wait_until(deadline::after(patience), [this] { return asked_.stop_requested(); });
}

/// The first request counts as the cause also where the main function then returned of itself: it was told by
/// its token. A failure is the cause even so.
std::string course::cause() const {
  const auto why = asked_.why();
  if (why && !failed_) return "stopped by " + describe(*why);
  return ended_;
}

void course::stop() {
  say(it_.last.why + "; stopping " + count_of(started_.size()));
  stop_phase{it_.options, signals_, hands_, changed_, it_.events, started_.size()}.run(started_);
  if (!hands_.shortage().empty()) it_.last.failures.push_back(hands_.shortage());
}

outcome course::measured(const std::vector<int>& signals) const noexcept {
  outcome what;
  for (const auto& component : it_.last.components)
    what.failed |=
        component.fate == component_fate::start_failed || component.fate == component_fate::stop_failed;
  what.failed |= !it_.last.failures.empty();
  what.abandoned = hands_.lost() != 0;
  what.returned = returned_;
  what.signals = signals;
  return what;
}

int course::finish() {
  auto& last = it_.last;
  it_.disconnect();
  climbing_.reset();
  const bool herald_ended = signals_.close(deadline::after(patience)).herald_ended;
  if (!herald_ended) last.failures.push_back("the herald did not end: a function it called is stuck");
  last.requests = signals_.requests();
  std::vector<int> came;
  for (const auto& each : last.requests)
    if (each.signal != 0) came.push_back(each.signal);

  auto what = measured(came);
  what.abandoned |= !herald_ended;
  last.took = clock::now() - last.began;
  say("ended after " + std::string{duration_text(last.took).view()});
  what.output_lost = !flush_standard_streams(patience);
  if (what.output_lost) last.failures.push_back("what was printed could not all be written");
  last.end = ending_of(what, it_.options.statuses);
  hand_over();
  if (what.abandoned) leave_now(last.end);
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
    tell_standard_error("the function for the report failed: " + failure_text() + "\n", patience);
  }
}

} // namespace lastcall::detail
