// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "explore/runner.hpp"

#include <vector>

namespace checker {

/// Where a request may arrive: a call of the undisturbed run, and which positions it has.
struct candidate {
  point where; ///< `at` is not meant
  bool can_during = false;
  bool can_after = false;
};

/// What the undisturbed runs have taught.
struct survey {
  reference known;
  std::vector<candidate> candidates; ///< in the order of the run
  std::vector<call_mask> masks;
  bool has_alarm = false;
  bool timed_idle = false;   ///< when left alone it waits for ever, but wakes up now and then
  double sleeping_share = 0; ///< of the elapsed time, 0 to 1
  isolation used = isolation::automatic;
  seconds undisturbed_limit{10};
  seconds limit_processor{1};
  seconds limit_after{2}; ///< for a run, from the request on
  seconds grace{};        ///< for the other processes, after the first
};

/// Runs the subject undisturbed, twice or more. Throws `cannot_check` and `undisturbed_run_failed`.
[[nodiscard]] survey make_survey(const run_setup& setup);

/// How many of the known calls one more undisturbed run does not make.
[[nodiscard]] std::size_t count_moved(const run_setup& setup, const survey& known);

/// How the runs of this subject are to be followed: its limits, without a request.
[[nodiscard]] trace_task usual_task(const survey& known);

} // namespace checker
