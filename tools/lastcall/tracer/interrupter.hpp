// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "subject/run.hpp"
#include "tracer/family.hpp"
#include "tracer/process_files.hpp"

#include <chrono>
#include <string>

namespace checker {

/// Makes one request: sends the signal when its point is reached, and says what became of it.
///
/// Which thread takes a signal sent to a process is the kernel's choice, and it avoids threads that ptrace
/// has stopped, so the very thread whose position matters would be passed over. The signal is therefore
/// sent to that thread alone (where it belongs to a target and does not block the signal) and made to look
/// as if sent to the process when it is delivered.
class interrupter {
public:
  using clock = std::chrono::steady_clock;

  interrupter(const injection& what, const process_files& files) : what_(what), files_(files) {}

  /// Sends it. `at` is the stopped or sleeping thread at the point; null when all threads wait.
  void fire(family& subject, pid_t first_process, tracee* at);
  /// A thread is about to take `signal`.
  void on_delivery(tracee& taker, int signal);

  [[nodiscard]] bool has_fired() const noexcept { return has_fired_; }
  [[nodiscard]] clock::time_point fired_at() const noexcept { return fired_at_; }
  [[nodiscard]] delivery delivered() const noexcept { return delivered_; }
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

private:
  void send_to(const family& subject, pid_t process, tracee* at);
  injection what_;
  const process_files& files_;
  bool has_fired_ = false;
  clock::time_point fired_at_;
  delivery delivered_ = delivery::none;
  std::string failure_ = "the point was not reached";
};

} // namespace checker
