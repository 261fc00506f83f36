// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "explore/survey.hpp"

#include "explore/explore.hpp"
#include "explore/masks.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace checker {
namespace {

std::string last_lines(const std::string& text) {
  constexpr std::size_t most = 400;
  if (text.empty()) return {};
  return "; its last words: " + text.substr(text.size() > most ? text.size() - most : 0);
}

/// The program must succeed when left alone, or nothing can be held against its interrupted runs.
void require_success(const run& seen, seconds limit) {
  switch (seen.end.how) {
  case ending::how::exited:
    if (seen.end.value == 0) return;
    throw undisturbed_run_failed("left alone, the program exits with status " +
                                 std::to_string(seen.end.value) + last_lines(seen.err));
  case ending::how::signaled:
    throw undisturbed_run_failed("left alone, the program dies of signal " + std::to_string(seen.end.value) +
                                 last_lines(seen.err));
  case ending::how::hung:
    if (seen.end.value == ending::waits_as_it_should) return;
    throw undisturbed_run_failed("left alone, the program neither ends nor waits within " +
                                 std::to_string(std::lround(limit.count())) + " s" + last_lines(seen.err));
  }
}

void require_verified(runner& here, const run_setup& setup, run& seen) {
  if (setup.wanted.verify.empty()) return;
  seen.verified = here.verify();
  if (seen.verified->status == 0) return;
  throw undisturbed_run_failed("after an undisturbed run the --verify command exits with status " +
                               std::to_string(seen.verified->status) + last_lines(seen.verified->output));
}

std::vector<candidate> candidates_of(const std::vector<recorded_call>& calls, const call_naming& naming) {
  std::vector<candidate> result;
  std::map<std::pair<std::string, std::string>, std::uint32_t> ordinals;
  for (const auto& one : calls) {
    auto name = naming.masked(one.call);
    const auto ordinal = ++ordinals[{one.role, name}];
    result.push_back({{one.role, std::move(name), ordinal, position::before}, one.slept, one.returned});
  }
  return result;
}

/// A program that waits for ever: one more point, the moment when all its threads wait, and how it ends when
/// asked there, which is what other runs are held against.
void learn_idle(runner& here, const run_setup& setup, survey& found) {
  const point idle{"0", "idle()", 1, position::during};
  for (const int signal : setup.wanted.signals) {
    for (const auto scope : setup.wanted.scopes) {
      auto task = usual_task(found);
      task.ask = injection{idle, signal, scope};
      found.known.stopped.push_back(here.run_fresh(task).seen);
    }
  }
  found.candidates.push_back({idle, true, false});
}

seconds choose_limit(const options& wanted, seconds undisturbed) {
  constexpr seconds least{2};
  constexpr seconds most{60};
  constexpr double factor = 10;
  if (wanted.time_limit > seconds{0}) return wanted.time_limit;
  return std::clamp(seconds{factor * undisturbed}, least, most);
}

trace_task undisturbed_task(const options& wanted) {
  trace_task task;
  task.record = true;
  task.end_when_idle = true;
  task.limit = wanted.undisturbed_limit;
  return task;
}

/// What an undisturbed run computes, many times over, and never so little that a slow library's start counts.
seconds choose_processor_limit(const options& wanted, seconds undisturbed) {
  constexpr seconds least{0.5};
  constexpr double factor = 20;
  if (wanted.time_limit > seconds{0}) return wanted.time_limit;
  return std::max(least, seconds{factor * undisturbed});
}

} // namespace

trace_task usual_task(const survey& known) {
  constexpr seconds margin{5};
  trace_task task;
  task.has_alarm = known.has_alarm;
  task.timed_idle = known.timed_idle;
  task.limit_after = known.limit_after;
  task.limit_processor = known.limit_processor;
  task.grace = known.grace;
  // While calls are followed a run takes longer than an undisturbed one would.
  task.limit = known.undisturbed_limit + known.limit_after + margin;
  task.quiet = seconds{0.5};
  return task;
}

survey make_survey(const run_setup& setup) {
  runner here{setup, 0};
  survey found;
  found.used = here.used();
  found.undisturbed_limit = setup.wanted.undisturbed_limit;
  found.grace = setup.wanted.grace;
  found.known.initial = here.initial_tree();

  auto task = undisturbed_task(setup.wanted);
  auto first = here.run_fresh(task);
  require_success(first.seen, task.limit);
  found.known.ends_by_itself = !first.idle;
  found.has_alarm = first.has_alarm;
  found.timed_idle = first.timed_idle;
  found.limit_after = choose_limit(setup.wanted, first.idle ? seconds{0} : first.seen.elapsed);
  found.limit_processor = choose_processor_limit(setup.wanted, first.processor);
  if (first.seen.elapsed > seconds{0}) {
    found.sleeping_share = std::clamp(1 - first.processor / first.seen.elapsed, 0.0, 1.0);
  }
  // The second one tells what varies by itself. It is not cut at a limit: it has been seen to end, or not.
  task.timed_idle = first.timed_idle;
  auto second = here.run_fresh(task);
  require_success(second.seen, task.limit);
  require_verified(here, setup, second.seen);

  found.masks = learn_masks(first.calls, second.calls);
  here.naming().use_masks(found.masks);
  found.candidates = candidates_of(first.calls, here.naming());
  found.known.undisturbed = {std::move(first.seen), std::move(second.seen)};

  auto again = usual_task(found);
  again.end_when_idle = !found.known.ends_by_itself;
  found.known.from_completed = here.run_again(again);
  if (!found.known.ends_by_itself) learn_idle(here, setup, found);
  return found;
}

std::size_t count_moved(const run_setup& setup, const survey& known) {
  runner here{setup, 0};
  here.naming().use_masks(known.masks);
  auto task = undisturbed_task(setup.wanted);
  task.timed_idle = known.timed_idle;
  const auto seen = here.run_fresh(task);
  std::set<std::string> met;
  for (const auto& one : candidates_of(seen.calls, here.naming())) met.insert(one.where.key());
  return static_cast<std::size_t>(std::ranges::count_if(known.candidates, [&](const candidate& one) {
    return one.where.call != "idle()" && !met.contains(one.where.key());
  }));
}

} // namespace checker
