// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "lifecycle/budget.hpp"
#include "lifecycle/turn.hpp"
#include "runtime/bell.hpp"
#include "runtime/crew.hpp"

#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/lifecycle/options.hpp>
#include <lastcall/trace/timeline.hpp>

namespace lastcall::detail {

/// Stops what was started, newest first.
///
/// Each stop runs on a stopper; the owner, on which this runs, waits for it, and for the ladder. One stop is
/// in one of these states, and `stop_one` makes all the moves between them:
///
///     state     what leads out of it
///     in time   the stop returned or threw → over; its deadline, or a hurry that brings it there → told
///     told      (its token has fired) over, as before; `last_moment` after its deadline → abandoned
///     over      the next one's turn
///     abandoned the next one's turn, on another stopper; where none can be had, on the owner
///
/// A hurry shortens the budget once, and fires the token of the stop that runs; of those after it the token
/// has fired before they begin.
///
/// *Limits*: a stop that has to run on the owner, after an abandonment and without threads, is waited for
/// without limit. It is named, and the ladder's third step still ends the program.
class stop_phase {
public:
  stop_phase(const application_options& options, const signal_scope& signals, crew& hands, bell& changed,
             timeline& events, std::size_t stops) noexcept;

  void run(const started_turns& started) noexcept;
  /// What is left of the budget.
  [[nodiscard]] duration left() const noexcept { return left_.left(); }

private:
  void stop_one(turn& one, std::size_t after) noexcept;
  void begin(turn& one, std::size_t after) noexcept;
  bool wait_for(stopper& hand, turn& one, std::size_t after) noexcept;
  void hurry(turn& one, std::size_t after) noexcept;
  void conclude(turn& one, time_point begun) noexcept;

  [[nodiscard]] bool must_hurry() const noexcept {
    return !hurried_ && signals_.step() >= ladder_step::hurry;
  }

  const application_options& options_;
  const signal_scope& signals_;
  crew& hands_;
  bell& changed_;
  timeline& events_;
  budget left_;
  bool hurried_ = false;
};

} // namespace lastcall::detail
