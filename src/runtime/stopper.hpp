// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "runtime/bell.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

#include <signal.h> // pid_t, pthread_t

namespace lastcall::detail {

/// The thread on which stops run.
///
/// A stop that hangs can only be left behind by somebody who does not run it; so stops have a thread of their
/// own and the owner watches. It is made before the first start: where threads have run out, the program
/// learns so while there is nothing to roll back, and a stop never depends on a thread that cannot be had.
///
/// Threads: `give`, `idle` and destruction belong to the owner; `done` is rung on the thread itself.
/// Stop: there is no way to end a job. A stopper whose job does not end is leaked
///   (`std::unique_ptr::release`), and the process leaves without destroying anything. A job may also leave
///   thread_local objects of the program's whose destructors do not return: the thread is then let go, with
///   them, and touches nothing of the stopper any more.
class stopper {
public:
  /// Rings `done` after each job. Throws `std::system_error` where no thread can be had.
  explicit stopper(bell& done);

  /// `end` within `patience`.
  ~stopper();

  /// Waits for the job that runs, then ends the thread; once its thread_local objects are destroyed, or
  /// `within` has passed. A second call does nothing.
  void end(duration within) noexcept;
  static constexpr duration patience = std::chrono::seconds{1};

  stopper(const stopper&) = delete;
  stopper& operator=(const stopper&) = delete;

  /// Runs `job` on the thread. It must not throw, must be small (it is stored without allocating), and the
  /// stopper must be idle.
  void give(std::function<void()> job) noexcept;

  /// True when the last job has ended; what it did is then visible to the caller.
  [[nodiscard]] bool idle() const noexcept { return state_.load(std::memory_order_acquire) == state::idle; }

  /// The kernel's id of the thread; 0 before it has begun.
  [[nodiscard]] pid_t thread() const noexcept { return id_.load(std::memory_order_relaxed); }

private:
  /// idle → (give) busy → (the job returned) idle; idle → (end) ending → (the thread has come to its end)
  /// left.
  enum class state : std::uint8_t { idle, busy, ending, left };

  void serve() noexcept;

  bell& done_;
  bell orders_;
  std::function<void()> job_;
  std::atomic<state> state_{state::idle};
  std::atomic<pid_t> id_{0};
  pthread_t thread_{};
  bool ended_ = false;
};

} // namespace lastcall::detail
