// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "process/subject.hpp"

#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace process_test {

/// How `life` ends as process 1 of a pid namespace of its own: what a container's runtime would see.
///
/// The test is outside of it, and may send signals. Whatever goes wrong, after a minute the namespace is
/// killed.
class contained {
public:
  static constexpr int not_permitted = 77;

  explicit contained(const std::function<int()>& life) {
    a_pipe born, seen;
    runtime_ = ::fork();
    if (runtime_ == 0) be_the_runtime(life, born, seen);
    pid_t process_one = 0;
    if (::read(born.ends[0], &process_one, sizeof process_one) != sizeof process_one) std::abort();
    pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, process_one, 0));
    seen.put();
  }
  ~contained() {
    if (runtime_ > 0) ::kill(runtime_, SIGKILL);
    status();
    ::close(pidfd_);
  }
  contained(const contained&) = delete;
  contained& operator=(const contained&) = delete;

  static bool permitted() {
    const pid_t probe = ::fork();
    if (probe == 0) ::_exit(own_namespace() ? 0 : not_permitted);
    int how = -1;
    ::waitpid(probe, &how, 0);
    return how == 0;
  }

  /// To process 1, from outside.
  void signal(int number, siginfo_t* info = nullptr) const {
    ::syscall(SYS_pidfd_send_signal, pidfd_, number, info, 0);
  }
  /// Of process 1, once it has ended; 200 + n where signal n has ended it.
  int status() {
    if (runtime_ <= 0) return status_;
    int how = -1;
    ::waitpid(std::exchange(runtime_, 0), &how, 0);
    return status_ = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
  }

private:
  static bool own_namespace() {
    return ::unshare(CLONE_NEWPID) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0;
  }
  [[noreturn]] static void be_the_runtime(const std::function<int()>& life, const a_pipe& born,
                                          const a_pipe& seen) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::alarm(60);
    if (!own_namespace()) ::_exit(not_permitted);
    const pid_t one = ::fork();
    if (one == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::setsid();
      std::exit(life());
    }
    if (::write(born.ends[1], &one, sizeof one) != sizeof one) ::_exit(1);
    seen.take();                             // until then its number is nobody else's
    ::syscall(SYS_close_range, 3U, ~0U, 0U); // nobody waits for the end of its pipes
    int how = -1;
    ::waitpid(one, &how, 0);
    ::_exit(WIFEXITED(how) ? WEXITSTATUS(how) : 200 + WTERMSIG(how));
  }

  pid_t runtime_ = 0;
  int pidfd_ = -1;
  int status_ = -1;
};

/// Whom a program leaves behind: the child of a child that has ended, in a session of its own.
template <class Fn>
void leave_behind(Fn life) {
  const pid_t between = ::fork();
  if (between == 0) {
    if (::fork() == 0) {
      ::setsid();
      life();
      ::_exit(0);
    }
    ::_exit(0);
  }
  ::waitpid(between, nullptr, 0);
}

/// Lives until it is asked to end, and says so.
inline void end_when_asked(const a_pipe& ready, const a_pipe& said) {
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &term, nullptr);
  ready.put();
  int signal = 0;
  ::sigwait(&term, &signal);
  said.put();
  ::_exit(0);
}

/// Whether everybody who holds the other end has ended; what was said before that.
inline std::string heard(a_pipe& from) {
  ::close(std::exchange(from.ends[1], -1));
  std::string text;
  char byte = 0;
  while (::read(from.ends[0], &byte, 1) == 1) text += byte;
  return text;
}

} // namespace process_test
