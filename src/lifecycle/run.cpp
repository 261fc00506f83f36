// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/lifecycle/run.hpp>

#include "lifecycle/arrivals.hpp"
#include "runtime/failure_text.hpp"
#include "runtime/last_action.hpp"
#include "runtime/standard_output.hpp"

#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/runtime/runtime.hpp>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>

namespace lastcall::detail {
namespace {

constexpr duration patience = std::chrono::seconds{1};

/// In pieces: a program that ran out of memory can say so.
void complain(std::string_view sentence) noexcept {
  for (const std::string_view part : {std::string_view{program_invocation_short_name}, std::string_view{": "},
                                      sentence, std::string_view{"\n"}})
    tell_standard_error(part, patience);
}

void call(const any_main& fn, std::stop_token stop, outcome& what) noexcept {
  try {
    what.returned = fn(std::move(stop));
  } catch (const interrupted&) {
    // As asked: a clean stop.
  } catch (...) {
    what.failed = true;
    complain(failure_text());
  }
}

} // namespace

int run_main(const any_main& fn, const run_options& options) {
  require_valid(options.statuses);
  signal_options signals;
  signals.signals = options.signals;
  signals.ladder = options.ladder;
  signal_scope scope{std::move(signals)};

  std::optional<runtime> its;
  if (!runtime::live()) its.emplace(runtime_options{.name = program_invocation_short_name});
  auto climbing = scope.on_ladder([](ladder_step to, const request&) {
    if (to == ladder_step::hurry) runtime::hurry(deadline::after(patience));
  });

  outcome what;
  call(fn, scope.token(), what);
  if (its) {
    const auto ended = its->finalize(); // it reports by itself
    what.failed |= ended.failed();
    what.abandoned |= ended.was_late();
    what.output_lost |= ended.lost_output();
  }
  climbing.reset();
  const bool herald_ended = scope.close(deadline::after(patience)).herald_ended;
  what.abandoned |= !herald_ended;
  const arrivals came{scope, options.statuses}; // what came in the last moment of the scope counts, too
  what.signals = came.signals();
  what.output_lost |= !flush_standard_streams(patience);
  if (what.output_lost) complain("what was printed could not all be written");

  const auto end = ending_of(what, options.statuses);
  if (what.abandoned) {
    if (!herald_ended) complain("the herald did not end: a function it called is stuck");
    leave_now(end.status, end.signal);
  }
  arm_last_action(end.signal);
  return end.status;
}

} // namespace lastcall::detail
