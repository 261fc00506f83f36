// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/sys/config.hpp>

#include <cerrno>
#include <cstdlib>
#include <exception>

#include <sys/wait.h>
#include <unistd.h>

/// A child process for what a test cannot survive. It carries an alarm, so a hang ends it by SIGALRM.
namespace testing_child {

/// Whether a child of a process with threads gets no new thread, and a signal that was given back there does
/// not act: so it is under ThreadSanitizer (docs/limits.md).
inline constexpr bool is_blind = LASTCALL_CONFIG_THREAD_SANITIZER;

/// Runs `fn` in a child, which leaves by the status `fn` returns, and returns what waitpid reports.
template <class Fn>
int run(Fn&& fn, unsigned seconds = 20) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(seconds);
    int status = 99;
    try {
      status = fn();
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = -1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

inline bool exited_with(int status, int code) { return WIFEXITED(status) && WEXITSTATUS(status) == code; }
inline bool ended_by(int status, int signal) { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }

} // namespace testing_child
