// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "tracer/process_files.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace checker::testing {

/// A process that has been killed in pause() and cannot be gone: it was the first of a pid namespace, and the
/// kernel ends that one only when every other process of the namespace has been reaped. One is a zombie, and
/// its parent, which lives outside, does not reap it.
class held_in_exit {
public:
  held_in_exit() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return;
    keeper_ = ::fork();
    if (keeper_ == 0) keep(ends[1]);
    ::close(ends[1]);
    if (keeper_ > 0 && ::read(ends[0], &process_, sizeof process_) != sizeof process_) process_ = 0;
    ::close(ends[0]);
  }
  ~held_in_exit() {
    if (keeper_ <= 0) return;
    ::kill(keeper_, SIGKILL); // the zombie is then reaped by others, and the last one is let go
    while (::waitpid(keeper_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  held_in_exit(const held_in_exit&) = delete;
  held_in_exit& operator=(const held_in_exit&) = delete;

  /// False where pid namespaces are not permitted.
  [[nodiscard]] bool is_possible() const noexcept { return process_ > 0; }
  [[nodiscard]] pid_t process() const noexcept { return process_; }

  /// Kills it, and returns when it sleeps on its way out; false where that does not happen.
  [[nodiscard]] bool kill(const process_files& files) const {
    ::kill(process_, SIGKILL);
    constexpr int pause_us = 1000;
    constexpr int longest = 20'000;
    for (int waited = 0; waited < longest; ++waited) {
      if (files.state(process_) == 'S' && files.wait_channel(process_).starts_with("zap_pid_ns")) return true;
      ::usleep(pause_us); // nothing tells of it
    }
    return false;
  }

private:
  [[noreturn]] static void keep(int tell) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::alarm(60);
    if (::unshare(CLONE_NEWPID) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) ::_exit(1);
    const pid_t first = ::fork();
    if (first == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      while (true) ::pause();
    }
    const pid_t second = ::fork();
    if (second == 0) ::_exit(0);
    siginfo_t info{};
    if (first < 0 || second < 0 || ::waitid(P_PID, static_cast<id_t>(second), &info, WEXITED | WNOWAIT) != 0)
      ::_exit(1);
    if (::write(tell, &first, sizeof first) != sizeof first) ::_exit(1);
    while (true) ::pause();
  }

  pid_t keeper_ = -1;
  pid_t process_ = 0;
};

} // namespace checker::testing
