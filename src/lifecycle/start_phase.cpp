// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "lifecycle/start_phase.hpp"

#include "runtime/failure_text.hpp"
#include "runtime/sentence.hpp"

#include <lastcall/interrupt/checkpoint.hpp>

namespace lastcall::detail {
namespace {

std::string unasked() noexcept {
  try {
    return "it left by interrupted, but nobody had asked for a stop";
  } catch (...) {
    return "unasked";
  }
}

void start_one(turn& one, slow_watch& watch, timeline& events) noexcept {
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
    if (!asked) said.error = unasked();
  } catch (...) {
    said.fate = component_fate::start_failed;
    said.error = failure_text();
  }
  said.start_was_slow = watch.end();
  said.start_took = clock::now() - begun;
  switch (said.fate) {
  case component_fate::running:
    events.record(event_kind::start_end, said.name, sentence{"started in ", said.start_took});
    break;
  case component_fate::start_given_up:
    events.record(event_kind::start_end, said.name, sentence{"gave its start up after ", said.start_took});
    break;
  default:
    events.record(event_kind::failure, said.name,
                  sentence{"failed to start after ", said.start_took, ": ", said.error});
  }
}

} // namespace

bool start_all(std::list<turn>& turns, start_policy policy, slow_watch& watch, timeline& events,
               started_turns& started) noexcept {
  for (auto& one : turns) {
    // Where nothing was started yet there is nothing to finish, whatever the policy.
    if ((policy == start_policy::stepwise || started.empty()) && interrupt_pending()) break;
    start_one(one, watch, events);
    if (one.said.fate == component_fate::start_failed) return false;
    if (one.said.fate == component_fate::start_given_up) break;
    started.push_back(&one);
  }
  return true;
}

} // namespace lastcall::detail
