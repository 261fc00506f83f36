// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "lifecycle/start_phase.hpp"

#include "lifecycle/duration_text.hpp"
#include "lifecycle/failure_text.hpp"

#include <lastcall/interrupt/checkpoint.hpp>

namespace lastcall::detail {
namespace {

void start_one(turn& one, slow_watch& watch, timeline& events) {
  auto& said = one.said;
  events.record(event_kind::start_begin, said.name, "starting");
  const auto begun = clock::now();
  watch.begin(said.name);
  try {
    one.it.object->start(one.starting);
    said.fate = component_fate::running;
  } catch (const interrupted&) {
    const bool asked = interrupt_pending();
    said.fate = asked ? component_fate::start_given_up : component_fate::start_failed;
    if (!asked) said.error = "it left by interrupted, but nobody had asked for a stop";
  } catch (...) {
    said.fate = component_fate::start_failed;
    said.error = failure_text();
  }
  said.start_was_slow = watch.end();
  said.start_took = clock::now() - begun;
  const std::string took{duration_text(said.start_took).view()};
  switch (said.fate) {
  case component_fate::running: events.record(event_kind::start_end, said.name, "started in " + took); break;
  case component_fate::start_given_up:
    events.record(event_kind::start_end, said.name, "gave its start up after " + took);
    break;
  default: events.record(event_kind::failure, said.name, "failed to start after " + took + ": " + said.error);
  }
}

} // namespace

start_result start_all(std::list<turn>& turns, start_policy policy, slow_watch& watch, timeline& events) {
  start_result result;
  result.started.reserve(turns.size());
  for (auto& one : turns) {
    // Where nothing was started yet there is nothing to finish, whatever the policy.
    if ((policy == start_policy::stepwise || result.started.empty()) && interrupt_pending()) break;
    start_one(one, watch, events);
    if (one.said.fate == component_fate::running) result.started.push_back(&one);
    result.failed = one.said.fate == component_fate::start_failed;
    if (result.failed || one.said.fate == component_fate::start_given_up) break;
  }
  return result;
}

} // namespace lastcall::detail
