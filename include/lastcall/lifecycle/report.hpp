// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/request.hpp>
#include <lastcall/lifecycle/exit_status.hpp>
#include <lastcall/runtime/finalization_report.hpp>
#include <lastcall/wait/clock.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace lastcall {

/// How far a component came.
enum class component_fate {
  never_started,
  start_given_up, ///< its start left by `interrupted`: asked to stop, it gave back what it had
  start_failed,
  running, ///< started, and not stopped yet
  stopped,
  stop_failed,
  abandoned, ///< past its deadline and left behind in its stop
};

/// The fate in a few words, for reports.
[[nodiscard]] std::string_view name_of(component_fate fate) noexcept;

struct component_report {
  std::string name{};
  component_fate fate = component_fate::never_started;
  duration start_took{};
  duration stop_took{};
  bool start_was_slow = false; ///< its start took longer than `application_options::slow_start`
  bool told_no_time = false;   ///< its stop was called when nothing was left of the budget
  std::string error{};         ///< of its start or stop
  std::string progress{};      ///< its last words about its progress, where it was abandoned
  std::string where{};         ///< where its stop was then: its stack, or what the kernel says
};

/// What an application did, from its first start to its last stop: the answer to "who was late".
///
/// It is made whether things went well or not, and says the same to a program (the fields) as to a reader
/// (`describe`). Nothing in it refers to the application.
struct report {
  std::string application{};
  std::string why{};                          ///< what ended it: a request, the main function, a failed start
  std::vector<component_report> components{}; ///< in the order of starting
  std::vector<request> requests{};            ///< all that came, oldest first, to the last moment
  std::vector<std::string> failures{}; ///< of the application as a whole: the main function, output, threads
  finalization_report runtime{};       ///< the end of the runtime; empty where the program has its own
  time_point began{};
  duration took{};
  ending end{};

  /// True where nothing failed and nobody was left behind. A stop that was asked for is clean.
  [[nodiscard]] bool clean() const noexcept;
};

/// Some lines of text: the outcome, one line for each component, failure and request.
[[nodiscard]] std::string describe(const report& what);

} // namespace lastcall
