// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/stream/raw_fd.hpp>
#include <lastcall/wait/clock.hpp>

#include "process/frame.hpp"

#include <atomic>
#include <cstdint>

namespace lastcall::detail {

/// The worker's end of what ties it to its manager: a thread that sees the manager go, whatever the worker's
/// other threads do, and ends the process within the grace.
///
/// One for a process; never destroyed.
class lifeline {
public:
  /// Takes the descriptor. `to_wake` is shut for reading when the manager has gone or asks for the stop, so
  /// that who waits there comes back. 0, or minus an errno.
  int begin(raw_fd life, pid_t manager, duration grace, int to_wake) noexcept;

  /// Tells the manager of a request that this process alone was sent. Never waits; what does not fit is lost.
  void report(const life_note& note) noexcept;

  bool stop_asked() const noexcept { return stop_.load(std::memory_order_acquire) != 0; }
  bool manager_gone() const noexcept { return gone_.load(std::memory_order_acquire); }
  /// Changes from 0 when the stop is asked for or the manager has gone; its waiters are woken.
  const std::atomic<std::uint32_t>& stop_word() const noexcept { return stop_; }

  /// In a process that was forked from this one.
  void let_go() noexcept;

private:
  static void* run(void* self) noexcept;
  void watch() noexcept;
  void ask_to_stop() noexcept;

  raw_fd life_;
  raw_fd manager_;
  duration grace_{};
  int to_wake_ = -1;
  std::atomic<std::uint32_t> stop_{0}; // release in watch pairs with the acquires above
  std::atomic<bool> gone_{false};      // likewise
};

lifeline& the_lifeline() noexcept;

} // namespace lastcall::detail
