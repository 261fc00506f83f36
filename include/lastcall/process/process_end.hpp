// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>
#include <string>

#include <signal.h>

namespace lastcall {

/// How a process ended.
struct process_end {
  enum class how : std::uint8_t {
    exited,    ///< by itself: `value` is its status
    signalled, ///< by a signal: `value` is its number
    dumped,    ///< … which left a core
    unknown    ///< it has ended, but somebody else was told how
  };
  pid_t pid = 0;
  how what = how::unknown;
  int value = 0;
  /// Somebody else (another part of the program that waits for all children; SIGCHLD that is ignored) was
  /// told first. The end itself is known all the same, and how, where the kernel keeps it (Linux 6.15).
  bool reaped_elsewhere = false;

  /// Exited with status 0.
  bool success() const noexcept { return what == how::exited && value == 0; }
  bool by_signal() const noexcept { return what == how::signalled || what == how::dumped; }
};

/// For people: "exited with status 3", "killed by SIGSEGV (core dumped)", "ended, reaped elsewhere".
std::string describe(const process_end& end);

} // namespace lastcall
