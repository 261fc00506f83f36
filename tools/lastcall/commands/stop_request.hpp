// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

namespace checker {

/// While it lives, SIGINT, SIGTERM and SIGHUP ask the check to end early and in order instead of killing it:
/// the first makes `fd()` readable, a second one (not the duplicate that some launchers send within 200 ms)
/// ends the process at once by that signal. A signal that was ignored at the start stays ignored. The old
/// dispositions come back with the destructor. At most one at a time.
class stop_request {
public:
  stop_request(); ///< throws std::system_error where no descriptor is to be had
  ~stop_request();
  stop_request(const stop_request&) = delete;
  stop_request& operator=(const stop_request&) = delete;

  int fd() const noexcept;     ///< readable once asked; nobody reads it
  int signal() const noexcept; ///< the first that came; 0: none

  /// Ends the process by `signal`, as one that never handled it would end; the status is 128 + signal where
  /// that is impossible (as PID 1 of a container).
  [[noreturn]] static void end_by(int signal);
};

} // namespace checker
