// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "tracer/registers.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>

namespace checker {

/// One traced thread.
struct tracee {
  pid_t thread = 0;
  pid_t process = 0;
  std::string role; ///< see `point`; empty until its creator has told of it
  std::string command;
  bool is_stopped = false;        ///< in a ptrace stop that has not been ended yet
  bool is_listening = false;      ///< stopped as SIGSTOP and the like do, until somebody continues it
  std::optional<call_entry> call; ///< the call it is in, while calls are followed

  // What to do with the call it is in.
  bool is_cancelled = false;         ///< taken back: rewind at the exit stop
  bool asks_at_exit = false;         ///< the request is due at the exit stop
  bool takes_request = false;        ///< the next delivery of the signal is our own
  std::optional<std::size_t> record; ///< its place in the recording
  std::uint64_t switches = 0;        ///< voluntary context switches at the entry
};

/// The subject's processes and threads, by descent.
///
/// A new thread's first stop and its creator's report of it come in either order. Until both have come the
/// newcomer has no role and stays stopped.
class family {
public:
  /// The first process.
  tracee& found(pid_t process);
  [[nodiscard]] tracee* find(pid_t thread);
  /// A thread nobody has reported yet.
  tracee& add_newcomer(pid_t thread);
  /// `creator` reports `thread`, of `process`. It may have stopped already.
  tracee& adopt(const tracee& creator, pid_t thread, pid_t process);
  /// A thread became the only one of its process by exec and took the process's number.
  tracee* rename_after_exec(pid_t old_thread, pid_t process);
  void remove(pid_t thread) { members_.erase(thread); }

  [[nodiscard]] bool empty() const noexcept { return members_.empty(); }
  [[nodiscard]] std::map<pid_t, tracee>& members() noexcept { return members_; }
  [[nodiscard]] const std::map<pid_t, tracee>& members() const noexcept { return members_; }

private:
  std::map<pid_t, tracee> members_;
  std::map<std::string, unsigned> children_; ///< of each thread's role: processes created so far
  std::map<std::string, unsigned> threads_;  ///< of each process's role: threads created so far
};

/// The part of a role that names the process: "0.2" of "0.2/1".
[[nodiscard]] std::string process_role(const std::string& role);

} // namespace checker
