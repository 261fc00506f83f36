// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/executor/pool_report.hpp>
#include <lastcall/wait/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <string_view>

namespace lastcall {

/// What `post` and `submit` do when as much waits as may. `try_post` never waits, whatever is said here.
enum class when_full : std::uint8_t {
  wait,    ///< until there is room, for `pool_options::room_within` at most; inside a task of the same pool,
           ///< which would wait for itself, the task is run there
  refuse,  ///< throws executor_errc::full
  run_here ///< the task is run by whoever posts it
};

/// How a pool is made.
struct pool_options {
  std::string name = "pool"; ///< its threads are "NAME-1" and so on; the kernel shows 15 characters
  std::size_t threads = 4;   ///< made by the constructor; from 1 to `thread_pool::most_threads`
  /// It grows up to so many when a task comes while all are at work; 0: it does not grow.
  std::size_t grow_to = 0;
  /// A thread that was added ends when it has had nothing to do for so long.
  duration idle_for = std::chrono::seconds{10};
  std::size_t capacity = 65536; ///< how many tasks may wait, at least 1; the reserve lane has no bound
  when_full full = when_full::wait;
  duration room_within = std::chrono::seconds{30};
  /// Called on each thread before its first task. One that throws breaks the pool: what waits is dropped, and
  /// posting throws executor_errc::broken with what it said.
  std::function<void()> initializer{};
  /// Called with what left a posted task, on its thread. Without one, or when it throws in turn, standard
  /// error gets a line. What leaves a submitted task goes to its future instead.
  std::function<void(std::string_view label, std::exception_ptr what)> on_failure{};
  /// Called by the destructor when something was dropped or is left behind. Without one, standard error gets
  /// the report.
  std::function<void(const pool_report&)> on_report{};
};

} // namespace lastcall
