// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "explore/options.hpp"
#include "judge/verdict.hpp"
#include "subject/cannot_check.hpp"
#include "subject/run.hpp"

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace checker {

/// The subject fails when nobody interrupts it; there is nothing to hold interrupted runs against.
struct undisturbed_run_failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What `explore` tells while it works, all on the caller's thread.
class observer {
public:
  virtual ~observer() = default;
  /// The undisturbed runs are done: `planned` runs at `points` points will follow.
  /// The reference stays until `explore` returns.
  virtual void on_plan(const reference&, std::size_t points, std::size_t planned) = 0;
  /// One run is done and judged. Its trees are empty here: they stay with the worker that judged it.
  virtual void on_run(const run&, const std::vector<observation>&) = 0;
};

struct outcome {
  std::size_t points = 0;  ///< found in the undisturbed run
  std::size_t planned = 0; ///< runs: points times signals times scopes, less what does not apply
  std::size_t done = 0;
  bool interrupted = false; ///< the user asked to stop: the rest was not run
  bool out_of_budget = false;
  bool broken_off = false; ///< it could not be continued (no room on the disk, …): the rest was not run
  /// Calls of the undisturbed run that one more, made after all others, did not make again: the order of
  /// threads changed, or something outside the directory did. Empty where it was not made.
  std::optional<std::size_t> moved;
  isolation used = isolation::automatic;
  seconds elapsed{};
};

/// Runs the subject undisturbed, then once per point, signal and scope, and judges each run. `stop_fd`
/// becoming readable ends it early and in order: runs under way are abandoned, nothing is left behind.
/// Throws `cannot_check` and `undisturbed_run_failed`.
outcome explore(const options&, observer&, int stop_fd);

} // namespace checker
