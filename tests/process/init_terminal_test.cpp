// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A program below an init, and a terminal: process 1 of a container that has one, and a shell's job.
#include <lastcall/process/init_duty.hpp>

#include "process/contained.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <string>

#include <fcntl.h>
#include <sys/ioctl.h>

namespace {

using namespace process_test;
using lastcall::take_init_duty;

volatile std::sig_atomic_t came = 0, continued = 0, asked = 0;

void count(int) { came = came + 1; }

/// The test holds one end; whose session it is has the other.
class terminal {
public:
  terminal() {
    if (::grantpt(ours_) != 0 || ::unlockpt(ours_) != 0) ::abort();
    ::fcntl(ours_, F_SETFD, FD_CLOEXEC);
  }
  ~terminal() { hang_up(); }
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;

  void type(char key) const {
    if (::write(ours_, &key, 1) != 1) ::abort();
  }
  void hang_up() { ::close(std::exchange(ours_, -1)); }
  /// By a leader of a session: it becomes the terminal of that, and standard input.
  void take() {
    const int theirs = ::open(::ptsname(ours_), O_RDWR);
    ::ioctl(theirs, TIOCSCTTY, 0);
    ::dup2(theirs, STDIN_FILENO);
    ::close(theirs);
    hang_up();
  }

private:
  int ours_ = ::posix_openpt(O_RDWR | O_NOCTTY);
};

class InitTerminal : public testing::Test {
protected:
  void SetUp() override {
    ::alarm(60);
    if (!contained::permitted()) GTEST_SKIP() << "no permission to make a pid namespace";
  }
  terminal screen;
  a_pipe said;
};

/// From here on signals are handled in `until` only.
void hear_when_waiting() {
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::signal(SIGINT, &count);
  ::signal(SIGCONT, [](int) { continued = 1; });
  ::signal(SIGUSR1, [](int) { asked = 1; });
}

void until(const volatile std::sig_atomic_t& word) {
  sigset_t none;
  sigemptyset(&none);
  while (word == 0) ::sigsuspend(&none);
}

// The init stands still until the program has had its SIGINT, and passes on in the order of numbers: a second
// one would be no part of the first, and would come before SIGUSR1.
TEST_F(InitTerminal, CtrlCReachesTheProgramOnce) {
  contained it{[&] {
    screen.take();
    take_init_duty();
    hear_when_waiting();
    said.put();
    until(came);
    said.put();
    until(asked);
    return ::tcgetpgrp(STDIN_FILENO) == ::getpid() ? 10 + came : 1;
  }};
  said.take();
  it.signal(SIGSTOP);
  screen.type('\3');
  said.take();
  it.signal(SIGUSR1);
  it.signal(SIGCONT);
  EXPECT_EQ(it.status(), 11);
}

TEST_F(InitTerminal, CtrlCReachesAProgramWhoseInputIsNotTheTerminal) {
  contained it{[&] {
    screen.take();
    ::dup2(STDIN_FILENO, 9);
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    take_init_duty();
    said.put();
    subject::hang();
    return 1;
  }};
  said.take();
  screen.type('\3');
  EXPECT_EQ(it.status(), 128 + SIGINT);
}

TEST_F(InitTerminal, AHangupReachesTheProgram) {
  contained it{[&] {
    screen.take();
    take_init_duty();
    said.put();
    subject::hang();
    return 1;
  }};
  said.take();
  screen.hang_up();
  EXPECT_EQ(it.status(), 128 + SIGHUP);
}

TEST_F(InitTerminal, CtrlZDoesNotStopAProgramThatNobodyWouldContinue) {
  contained it{[&] {
    screen.take();
    take_init_duty();
    hear_when_waiting();
    said.put();
    until(continued);
    return 7;
  }};
  said.take();
  screen.type('\x1a');
  EXPECT_EQ(it.status(), 7);
}

/// A shell with one job, in a session of its own.
class shell {
public:
  explicit shell(terminal& screen, const std::function<int(pid_t)>& life) {
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::alarm(30);
    ::setsid();
    screen.take();
    ::signal(SIGTTOU, SIG_IGN);
    const pid_t job = ::fork();
    if (job == 0) {
      ::setpgid(0, 0);
      ::tcsetpgrp(STDIN_FILENO, ::getpid());
      ::signal(SIGTTOU, SIG_DFL);
      std::_Exit(life(job));
    }
    ::_exit(life(job));
  }
  int status() const {
    int how = -1;
    ::waitpid(pid_, &how, 0);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
  }

private:
  pid_t pid_;
};

TEST_F(InitTerminal, AShellsJobStopsAndGoesOn) {
  for (const bool typed : {true, false}) {
    terminal its;
    const shell it{its, [&](pid_t job) {
                     if (job == 0) {
                       take_init_duty({.otherwise = lastcall::init_options::elsewhere::subreaper});
                       hear_when_waiting();
                       if (!typed) ::raise(SIGTSTP); // as an editor stops itself; the terminal told nobody
                       said.put();
                       until(continued);
                       return 7;
                     }
                     int how = 0;
                     const bool stopped = ::waitpid(job, &how, WUNTRACED) == job && WIFSTOPPED(how);
                     if (!stopped || WSTOPSIG(how) != SIGTSTP) return 1;
                     ::kill(-job, SIGCONT);
                     return ::waitpid(job, &how, 0) == job && WIFEXITED(how) ? WEXITSTATUS(how) : 2;
                   }};
    said.take();
    if (typed) its.type('\x1a');
    EXPECT_EQ(it.status(), 7) << (typed ? "typed" : "by itself");
  }
}

// The init stands still until the program has had its SIGINT: one that it passes on is not merged with that.
TEST_F(InitTerminal, CtrlCReachesAShellsJobOnce) {
  const shell it{screen, [&](pid_t job) {
                   if (job == 0) {
                     take_init_duty({.otherwise = lastcall::init_options::elsewhere::subreaper});
                     hear_when_waiting();
                     ::kill(::getppid(), SIGSTOP);
                     said.put();
                     until(came);
                     ::kill(::getppid(), SIGUSR1);
                     ::kill(::getppid(), SIGCONT);
                     until(asked);
                     return 10 + came;
                   }
                   int how = 0;
                   return ::waitpid(job, &how, 0) == job && WIFEXITED(how) ? WEXITSTATUS(how) : 2;
                 }};
  said.take();
  screen.type('\3');
  EXPECT_EQ(it.status(), 11);
}

} // namespace
