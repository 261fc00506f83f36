// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/signal_scope.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace lastcall::testing {

/// How `interrupt_everywhere` goes about it.
struct interrupt_options {
  std::size_t most_points = 10'000;      ///< gives up after so many runs
  int signal = 0;                        ///< 0: `request_stop` is called; else as if this signal had come
  std::function<void()> prepare{};       ///< before each run; what it throws ends the whole
  std::function<std::string()> verify{}; ///< after each run: a sentence that tells what is wrong, or nothing
};

/// What was wrong with one run.
struct interrupt_failure {
  std::size_t point = 0; ///< where the request came, from 1; 0: the run without a request
  std::string sentence;
};

/// What all runs showed.
struct interrupt_report {
  std::size_t points = 0;      ///< of the run without a request
  std::size_t interrupted = 0; ///< runs that were left by `interrupted`
  std::size_t completed = 0;   ///< runs that went to their end although a request had come
  bool exhausted = false;      ///< false: there were more than `most_points`
  std::vector<interrupt_failure> failures;

  bool ok() const noexcept { return exhausted && failures.empty(); }
};

/// The report in a few lines, the first failures among them.
std::string describe(const interrupt_report& report);

/// Runs `fn` with a request at its first point, then with one at its second, and so on, until a run has no
/// more points. A point is a checkpoint or an interruptible call of `io`, also under a shield: the request
/// comes there all the same, and is delivered where the code lets it.
///
///     auto report = lastcall::testing::interrupt_everywhere(
///         [&] { transfer(from, to, 100); },
///         {.prepare = [&] { from = 1000, to = 0; },
///          .verify = [&] { return from + to == 1000 ? "" : "money is lost"; }});
///     EXPECT_TRUE(report.ok()) << describe(report);
///
/// A run fails when `fn` throws anything but `interrupted`, when `verify` has something to say, and when the
/// request is lost: it was not recorded. That `fn` completes with a request pending or acknowledged is no
/// failure.
///
/// `fn` runs on the calling thread, which owns a fresh signal_scope meanwhile; it gets that scope if it takes
/// one. `prepare` and `verify` run before the scope is made and after it is closed.
/// Threads: the points are the calling thread's. Others have the scope's token, which fires.
/// Stop: `fn` must end once it is interrupted. One that goes on for ever after `catch (...)` does so here,
/// too. Errors: what the making of a signal_scope throws, std::logic_error among it when one is live.
interrupt_report interrupt_everywhere(const std::function<void(signal_scope&)>& fn,
                                      const interrupt_options& options = {});

template <std::invocable Fn>
interrupt_report interrupt_everywhere(Fn&& fn, const interrupt_options& options = {}) {
  return interrupt_everywhere(std::function<void(signal_scope&)>{[&fn](signal_scope&) { fn(); }}, options);
}

} // namespace lastcall::testing
