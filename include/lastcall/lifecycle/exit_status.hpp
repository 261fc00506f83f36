// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <csignal>
#include <span>
#include <vector>

namespace lastcall {

/// The exit statuses of an application, for whoever started it: a shell, a supervisor, an orchestrator.
///
/// A status is the last thing a program says, and the only one a machine reads. It must not say success after
/// work was lost, nor failure after a stop that went as asked. The numbers follow `sysexits.h`; each can be
/// changed, and 0 makes the program silent about that outcome. docs/exit-status.md is the table for readers.
struct exit_statuses {
  int failed = 70;          ///< a start, a stop or the main function failed
  int output_lost = 74;     ///< what was accepted for standard output or error could not be written
  int deadline_passed = 75; ///< a component was abandoned
  /// After one of these the process ends *by the signal*, so that a shell's loop ends too. All others end
  /// with 0 when the stop was clean, as supervisors expect of SIGTERM.
  std::vector<int> by_signal{SIGINT};
};

/// How a process is to end: with `status`, and, where `signal` is not 0, by that signal; `status` is then
/// 128 + `signal`, for the case that ending by it is impossible.
struct ending {
  int status = 0;
  int signal = 0;
  friend bool operator==(const ending&, const ending&) = default;
};

/// What happened, as far as the exit status is concerned.
struct outcome {
  bool abandoned = false;
  bool failed = false;
  bool output_lost = false;
  int returned = 0;               ///< what the main function returned
  std::span<const int> signals{}; ///< the signals that came, in order
};

/// The ending that `what` deserves. The worst wins: a passed deadline, a failure, lost output, what the main
/// function returned (where not 0; a status that a parent would see as 0 is a failure), the first signal
/// listed in `by_signal`, success.
[[nodiscard]] ending ending_of(const outcome& what, const exit_statuses& statuses);

/// Throws `std::logic_error` where a status is not in 0…255 or a signal is none.
void require_valid(const exit_statuses& statuses);

} // namespace lastcall
