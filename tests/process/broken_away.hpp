// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "process/subject.hpp"

#include <lastcall/process/cgroup.hpp>
#include <lastcall/process/process_source.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include <sys/prctl.h>

namespace process_test {

/// Breaks away from whoever calls it: neither in its session nor among its descendants. Says its number.
inline void break_away(int say, bool relay) {
  if (const pid_t middle = ::fork(); middle != 0) {
    ::waitpid(middle, nullptr, 0);
    return;
  }
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  ::alarm(60);
  const pid_t me = ::getpid();
  if (::write(say, &me, sizeof me) != sizeof me) ::_exit(1);
  for (const int fd : {0, 1, 2}) ::close(fd); // the test's runner waits for them
  for (int generation = 0; relay && generation < 100'000; ++generation)
    if (::fork() != 0) ::_exit(0); // another number, every time
  subject::hang();
}

inline pid_t said_by(const a_pipe& where) {
  pid_t number = 0;
  return ::read(where.ends[0], &number, sizeof number) == sizeof number ? number : -1;
}

/// What a test's workers hold: starts somebody that breaks away.
struct starter {
  int start() {
    a_pipe said;
    break_away(said.ends[1], false);
    return said_by(said);
  }
};
using pool_of_starters = lastcall::worker_pool<starter>;

inline bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

/// Cgroups of this system's, where this process may make one. The test is the subreaper of all below it: it
/// sees everybody end, also who has broken away.
class Cgroup : public testing::Test {
protected:
  void SetUp() override {
    ::alarm(90);
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    std::string why;
    if (!lastcall::cgroup::try_make(why)) GTEST_SKIP() << why;
  }
  /// In a process that has entered the group: breaks away.
  static pid_t broken_away(const lastcall::cgroup& group, bool relay = false) {
    a_pipe said;
    const pid_t middle = ::fork();
    if (middle == 0) {
      if (::write(group.entrance(), "0", 1) == 1) break_away(said.ends[1], relay);
      ::_exit(0);
    }
    ::waitpid(middle, nullptr, 0);
    return said_by(said);
  }
  /// How somebody ended whom this process has inherited.
  static int signal_of(pid_t process) {
    int status = 0;
    EXPECT_EQ(::waitpid(process, &status, 0), process);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  /// Runs it in a forked process: false where it did not return true.
  static bool in_a_copy(const std::function<bool()>& what) {
    const pid_t copy = ::fork();
    if (copy == 0) ::_exit(what() ? 0 : 1);
    int status = 0;
    ::waitpid(copy, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  static void all_ended() {
    while (::waitpid(-1, nullptr, __WALL) > 0) {
    }
  }
};

} // namespace process_test
