// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "lifecycle/stop_phase.hpp"

#include "runtime/failure_text.hpp"
#include "runtime/sentence.hpp"

#include <lastcall/trace/whereabouts.hpp>

#include <chrono>
#include <string>

namespace lastcall::detail {
namespace {

/// How long a stopper may need to come to the stop it was given.
constexpr duration longest_way_to_a_stop = std::chrono::seconds{1};

/// Its last words about its progress, as far as there is memory for them.
std::string last_words(const turn& one) noexcept {
  try {
    return one.stopping.last_progress();
  } catch (...) {
    return {};
  }
}

/// Where the stop is, as far as there is memory for it.
std::string whereabouts(const stopper& hand) noexcept {
  try {
    return whereabouts_of(hand.thread());
  } catch (...) {
    return {};
  }
}

/// On a stopper, or on the owner where there is none.
void call_stop(turn& one) noexcept {
  try {
    one.it.object->stop(one.stopping);
  } catch (...) {
    one.stop_error = failure_text();
  }
}

} // namespace

stop_phase::stop_phase(const application_options& options, const signal_scope& signals, crew& hands,
                       bell& changed, timeline& events, std::size_t stops) noexcept
    : options_{options},
      signals_{signals},
      hands_{hands},
      changed_{changed},
      events_{events},
      left_{options.grace, stops} {}

void stop_phase::run(const started_turns& started) noexcept {
  std::size_t after = started.size();
  for (auto next = started.rbegin(); next != started.rend(); ++next) stop_one(**next, --after);
}

void stop_phase::stop_one(turn& one, std::size_t after) noexcept {
  const auto begun = clock::now();
  begin(one, after);
  if (auto* hand = hands_.on_duty()) {
    hand->give([&one] {
      one.stop_begun.store(true, std::memory_order_relaxed); // the bell orders it
      one.begun.ring();
      call_stop(one);
    });
    if (!wait_for(*hand, one, after)) {
      one.said.where = whereabouts(*hand);
      hands_.leave_behind();
      one.said.fate = component_fate::abandoned;
      one.said.progress = last_words(one);
    }
  } else {
    events_.record(event_kind::late, one.said.name,
                   sentence{"stops on the owner, where nothing bounds it: ", hands_.shortage()});
    call_stop(one);
  }
  conclude(one, begun);
}

void stop_phase::begin(turn& one, std::size_t after) noexcept {
  if (must_hurry()) {
    left_.cut(options_.hurry, after);
    hurried_ = true;
  }
  const auto due = left_.share(after, one.it.stop_within);
  one.stopping.due(due);
  one.said.told_no_time = due.expired();
  if (hurried_ || one.said.told_no_time) one.hurry.request_stop();
  events_.record(event_kind::stop_begin, one.said.name,
                 one.said.told_no_time ? sentence{"stopping, with no time left"}
                 : due.is_never()      ? sentence{"stopping"}
                                       : sentence{"stopping, within ", due.remaining()});
}

/// True when the stop is over, false when it has to be abandoned.
bool stop_phase::wait_for(stopper& hand, turn& one, std::size_t after) noexcept {
  const auto over_or_hurry = [&] { return hand.idle() || must_hurry(); };
  auto due = deadline::at(one.stopping.due().when());
  while (!changed_.wait_until(due, over_or_hurry) || !hand.idle()) {
    if (must_hurry()) {
      hurry(one, after);
      due = one.stopping.due();
    } else {
      one.hurry.request_stop();
      // Its last moment begins when it does: on a busy machine the thread may not have come to it yet, and to
      // leave it then would be to skip it.
      one.begun.wait_until(deadline::after(longest_way_to_a_stop),
                           [&] { return one.stop_begun.load(std::memory_order_relaxed); });
      return changed_.wait_until(deadline::after(options_.last_moment), [&] { return hand.idle(); });
    }
  }
  return true;
}

void stop_phase::hurry(turn& one, std::size_t after) noexcept {
  hurried_ = true;
  left_.cut(options_.hurry, after);
  one.stopping.due(earlier(one.stopping.due(), left_.share(after, one.it.stop_within)));
  events_.record(event_kind::phase, one.said.name, sentence{"hurrying: ", left_.left(), " left for all"});
  one.hurry.request_stop();
}

void stop_phase::conclude(turn& one, time_point begun) noexcept {
  auto& said = one.said;
  said.stop_took = clock::now() - begun;
  if (said.fate == component_fate::abandoned) {
    const bool spoke = !said.progress.empty();
    events_.record(event_kind::abandoned, said.name,
                   sentence{"left behind after ", said.stop_took, " in its stop",
                            spoke ? ", which last said \"" : "", said.progress, spoke ? "\"" : ""});
    return;
  }
  said.fate = one.stop_error ? component_fate::stop_failed : component_fate::stopped;
  if (one.stop_error) {
    said.error = std::move(*one.stop_error);
    events_.record(event_kind::failure, said.name,
                   sentence{"failed to stop after ", said.stop_took, ": ", said.error});
  } else {
    events_.record(event_kind::stop_end, said.name, sentence{"stopped in ", said.stop_took});
  }
}

} // namespace lastcall::detail
