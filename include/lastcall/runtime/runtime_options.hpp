// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/runtime/finalization_report.hpp>
#include <lastcall/wait/clock.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <string_view>

namespace lastcall {

enum class daemon_policy : bool { allowed, forbidden };

/// How the process goes on after the finalization at its exit.
enum class exit_policy : std::uint8_t {
  destroy, ///< statics are destroyed, under the exit guard
  quick    ///< they are not: for programs whose daemons may still touch their globals
};

/// What happens when a stream's lock cannot be had at the end.
enum class stuck_stream : std::uint8_t {
  write_past, ///< what can be written without the holder is, and the rest is counted
  fatal       ///< as CPython does: a fatal error that names the stream, with all stacks; SIGABRT
};

/// How a runtime is made.
struct runtime_options {
  std::string name = "runtime";
  daemon_policy daemons = daemon_policy::allowed;
  /// The time for a finalization that is not told any: the destructor's, and the one at exit.
  duration budget = std::chrono::seconds{10};
  /// How long daemons in code of the program are waited for. Those inside the library are woken.
  duration daemon_grace = std::chrono::milliseconds{10};
  /// How long a stream's lock is waited for.
  duration stream_grace = std::chrono::seconds{1};
  /// How long one thread may keep the big lock while others want it.
  duration interval = std::chrono::milliseconds{5};
  stuck_stream on_stuck_stream = stuck_stream::write_past;
  exit_policy at_exit = exit_policy::destroy;
  /// How long static destruction may take. When it has passed, a sentence on standard error says so and the
  /// process ends with status 75. Zero: no guard.
  duration exit_guard = std::chrono::seconds{5};
  /// Called with what left a thread's function, on that thread. Without one, or when it throws in turn,
  /// standard error gets a line.
  std::function<void(std::string_view thread, std::exception_ptr what)> on_thread_failure{};
  /// Called at the end of each finalization, on a thread of the runtime, and waited for as long as the
  /// finalization may take, a second at least; then it is left behind. It may throw, which standard error is
  /// told. Without one, standard error gets the report when it is not clean.
  std::function<void(const finalization_report&)> on_report{};
};

} // namespace lastcall
