// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/ladder.hpp>
#include <lastcall/lifecycle/exit_status.hpp>
#include <lastcall/lifecycle/report.hpp>
#include <lastcall/trace/timeline.hpp>
#include <lastcall/wait/clock.hpp>

#include <chrono>
#include <csignal>
#include <functional>
#include <vector>

namespace lastcall {

/// What a request during the start of an application does. One that comes before the first start of all
/// leaves nothing to finish: nothing is started then.
enum class start_policy {
  stepwise, ///< the start that runs is finished, then what was started is stopped
  whole     ///< all starts are finished, then everything is stopped
};

/// How an application starts and ends. Every time here is a promise to whoever waits for the program.
struct application_options {
  /// The budget of the whole stop. Orchestrators commonly kill after 30 s; some of that is theirs.
  duration grace = std::chrono::seconds{25};
  start_policy start = start_policy::stepwise;
  ladder_policy ladder = ladder_policy::normal;
  /// What is left of the budget after the second request.
  duration hurry = std::chrono::seconds{2};
  /// A start that takes longer is named in the timeline while it runs.
  duration slow_start = std::chrono::seconds{5};
  /// How long a stop past its deadline, or called without any time, may still run before it is left behind.
  duration last_moment = std::chrono::milliseconds{100};
  std::vector<int> signals{SIGINT, SIGTERM}; ///< those that ask for a stop
  exit_statuses statuses{};
  /// Gets each event as it happens, on the thread on which it does (owner, herald or stopper), one at a time.
  /// It must not wait for the application. What it throws is contained.
  timeline::sink log{};
  /// Gets the report at the end, on the owner, last of all. Without it, a report that is not clean goes to
  /// standard error.
  std::function<void(const report&)> on_report{};
};

} // namespace lastcall
