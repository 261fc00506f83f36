// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "sys/process_calls.hpp"

#include <array>
#include <cstdint>

#include <signal.h>

namespace lastcall::detail {

/// Where a process in front of a program stands.
struct front_place {
  bool process_one = false; ///< of its pid namespace; otherwise it is a subreaper
  bool apart = false;       ///< the program has a process group of its own
  std::int64_t grace_ns = 0;
};

/// The process in front of a program, up to the end of both; see the essay in front_process.cpp.
class front_process {
public:
  front_process(pid_t program, const front_place& place) noexcept : program_{program}, place_{place} {}
  /// With all signals blocked, SIGCHLD at its default, and one thread.
  [[noreturn]] void serve() noexcept;

private:
  void look() noexcept;
  void take_signal(std::int64_t timeout_ns) noexcept;
  void pass_on(int signal, siginfo_t& info) noexcept;
  void program_stopped(int signal) const noexcept;

  void end_the_rest() noexcept;
  void wait_for_the_rest(int signal, std::int64_t within_ns) noexcept;
  bool tell_children(int signal) noexcept;
  bool first_time(pid_t child) noexcept;
  [[noreturn]] void leave() const noexcept;

  const pid_t program_;
  const front_place place_;
  bool ended_ = false; ///< the program has: `end_` says how
  bool alone_ = false; ///< nobody is left
  bool more_ = false;  ///< it has looked at many, and there may be others
  sys::child_end end_;
  std::array<pid_t, 64> asked_{}; ///< children of a subreaper that have had their SIGTERM
};

} // namespace lastcall::detail
