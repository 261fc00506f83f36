// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "tracer/registers.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

namespace checker {

/// What the kernel shows of processes and threads under /proc.
///
/// Holds its own descriptor of the /proc it was opened on: inside a sandbox the path may show another pid
/// namespace, in which the tracer's numbers mean nothing.
class process_files {
public:
  /// Throws std::system_error where /proc cannot be opened.
  process_files();
  ~process_files();
  process_files(const process_files&) = delete;
  process_files& operator=(const process_files&) = delete;

  [[nodiscard]] char state(pid_t thread) const; ///< 'R', 'S', 't', …; '?' where gone
  /// True from the moment the kernel has begun to end it. It shows the call in which it was killed until the
  /// last, and may sleep on its way: for a lock, or until its namespaces are gone.
  [[nodiscard]] bool is_ending(pid_t thread) const;
  [[nodiscard]] std::string command(pid_t thread) const;      ///< its short name
  [[nodiscard]] std::string wait_channel(pid_t thread) const; ///< empty where hidden
  [[nodiscard]] std::uint64_t voluntary_switches(pid_t thread) const;
  /// User and system time of all its threads, also of those that have ended.
  [[nodiscard]] std::uint64_t processor_ticks(pid_t process) const;
  [[nodiscard]] pid_t process_of(pid_t thread) const;        ///< 0 where gone
  [[nodiscard]] bool blocks(pid_t thread, int signal) const; ///< by its signal mask
  /// True while it sleeps in sigwait() and the like for `signal`. The kernel shows the signal as not blocked
  /// meanwhile, but the call takes it without any delivery.
  [[nodiscard]] bool waits_for(pid_t thread, int signal) const;
  [[nodiscard]] bool ignores(pid_t thread, int signal) const; ///< by its process's disposition
  /// The call a sleeping thread is in; empty while it runs.
  [[nodiscard]] std::optional<call_entry> current_call(pid_t thread) const;
  /// True where the process has a timer that may still go off: a timerfd or a POSIX timer.
  [[nodiscard]] bool has_armed_timer(pid_t process) const;

private:
  [[nodiscard]] std::string read(pid_t thread, const char* name) const;
  [[nodiscard]] std::uint64_t status_field(pid_t thread, const char* name, int base) const;
  int proc_ = -1;
};

} // namespace checker
