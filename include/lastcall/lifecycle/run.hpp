// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/ladder.hpp>
#include <lastcall/lifecycle/exit_status.hpp>
#include <lastcall/lifecycle/main_function.hpp>

#include <csignal>
#include <vector>

namespace lastcall {

struct run_options {
  ladder_policy ladder = ladder_policy::normal;
  std::vector<int> signals{SIGINT, SIGTERM}; ///< those that ask for a stop
  exit_statuses statuses{};
};

namespace detail {
int run_main(const any_main& fn, const run_options& options);
} // namespace detail

/// Runs a program that is one loop, and returns its exit status.
///
///     int main() {
///       return lastcall::run([] {
///         for (;;) {
///           std::puts("tick");
///           lastcall::io::sleep_for(1s); // a request ends the sleep and the loop
///         }
///       });
///     }
///
/// `fn` runs on this thread. A request is delivered at its checkpoints as `interrupted`, which may leave
/// `fn`: that is a clean stop, like returning. Another exception is told on standard error and is a failure.
/// A status that `fn` returns other than 0 becomes the program's. The exit statuses are those of
/// `application`.
///
/// Signals: taken while it runs, by a `signal_scope`.
/// Stop: the first request is delivered, the third ends the process by that signal, even if `fn` hears
/// nothing. Errors: `std::logic_error` for options that cannot be, or where a `signal_scope` is live already;
///   `std::system_error` where the system refuses a thread or a descriptor. `fn` has not been called then.
template <main_function Fn>
int run(Fn&& fn, const run_options& options = {}) {
  return detail::run_main(detail::erase_main(fn), options);
}

} // namespace lastcall
