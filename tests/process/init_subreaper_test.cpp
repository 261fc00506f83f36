// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The duty where the program is not process 1: none, or a subreaper's. And where there can be none.
#include <lastcall/process/init_duty.hpp>

#include <lastcall/process/child.hpp>

#include "interrupt/child.hpp"
#include "process/contained.hpp"
#include "sys/fault_plan.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>
#include <thread>

#include <pthread.h>
#include <sys/resource.h>

namespace {

using namespace process_test;
using lastcall::take_init_duty;
using testing_child::ended_by;
using testing_child::exited_with;

constexpr auto subreaper = lastcall::init_options::elsewhere::subreaper;

class InitSubreaper : public testing::Test {
protected:
  void SetUp() override { ::alarm(60); }
  a_pipe said, answer;
};

TEST_F(InitSubreaper, IsNotThereWhereNobodyAskedForIt) {
  const int status = testing_child::run([] {
    const pid_t self = ::getpid(), parent = ::getppid();
    take_init_duty();
    return ::getpid() == self && ::getppid() == parent && ::waitpid(-1, nullptr, WNOHANG) == -1 ? 7 : 1;
  });
  EXPECT_TRUE(exited_with(status, 7)) << status;
}

TEST_F(InitSubreaper, EndsAsTheProgramDoes) {
  EXPECT_TRUE(exited_with(testing_child::run([] {
                            take_init_duty({.otherwise = subreaper});
                            return 7;
                          }),
                          7));
  for (const int signal : {SIGINT, SIGTERM, SIGKILL, SIGSEGV}) {
    const int status = testing_child::run([&] {
      const rlimit none{0, 0};
      ::setrlimit(RLIMIT_CORE, &none);
      take_init_duty({.otherwise = subreaper});
      ::signal(signal, SIG_DFL);
      ::raise(signal);
      return 1;
    });
    EXPECT_TRUE(ended_by(status, signal)) << status;
  }
}

TEST_F(InitSubreaper, PassesOnWhatComes) {
  const pid_t it = ::fork();
  if (it == 0) {
    ::alarm(30);
    take_init_duty({.otherwise = subreaper});
    said.put();
    subject::hang();
  }
  ASSERT_GT(it, 0);
  said.take();
  ::kill(it, SIGTERM);
  int status = 0;
  ::waitpid(it, &status, 0);
  EXPECT_TRUE(ended_by(status, SIGTERM));
}

TEST_F(InitSubreaper, KilledItTakesTheProgramAlong) {
  const pid_t it = ::fork();
  if (it == 0) {
    ::alarm(30);
    take_init_duty({.otherwise = subreaper});
    ::signal(SIGTERM, SIG_IGN);
    said.put();
    subject::hang();
  }
  ASSERT_GT(it, 0);
  said.take();
  ::kill(it, SIGKILL);
  ::waitpid(it, nullptr, 0);
  EXPECT_EQ(heard(said), "") << "nobody holds it any more";
}

TEST_F(InitSubreaper, KillsWhoHasBrokenAway) {
  const int status = testing_child::run([&] {
    take_init_duty({.otherwise = subreaper});
    for (int i = 0; i < 20; ++i)
      leave_behind([&] {
        ::signal(SIGTERM, SIG_IGN);
        if (::fork() == 0) ::signal(SIGHUP, SIG_IGN); // a child of its own, which is found later
        answer.put();
        subject::hang();
      });
    for (int i = 0; i < 40; ++i) answer.take();
    return 7;
  });
  EXPECT_TRUE(exited_with(status, 7)) << status;
  EXPECT_EQ(heard(said), "") << "nobody holds it any more";
}

TEST_F(InitSubreaper, AsksWhereThereIsAGraceAndThoseWhoBecomeItsChildrenMeanwhile) {
  const int status = testing_child::run([&] {
    take_init_duty({.otherwise = subreaper, .grace = long_enough});
    leave_behind([&] {
      ::fork(); // becomes a child of the init when its parent has ended
      end_when_asked(answer, said);
    });
    answer.take();
    answer.take();
    return 7;
  });
  EXPECT_TRUE(exited_with(status, 7)) << status;
  EXPECT_EQ(heard(said), "xx");
}

TEST_F(InitSubreaper, ChildrenOfTheLibraryAndWorkersLiveBelowIt) {
  const int status = testing_child::run([] {
    take_init_duty({.otherwise = subreaper});
    lastcall::zygote nursery;
    pool_of_subjects pool{nursery, {.workers = 2}};
    lastcall::child one{{"sh", "-c", "exit 4"}};
    const auto& end = one.wait_until(deadline::after(long_enough));
    return end && end->value == 4 ? pool.call<&subject::add>(3, 4).get() : 1;
  });
  EXPECT_TRUE(exited_with(status, 7)) << status;
}

TEST_F(InitSubreaper, IsRefusedWhereThereAreThreads) {
  const int status = testing_child::run([&] {
    std::thread other{[&] { answer.take(); }};
    int result = 1;
    try {
      take_init_duty({.otherwise = subreaper});
    } catch (const std::logic_error&) {
      result = 7;
    }
    answer.put();
    other.join();
    return result;
  });
  EXPECT_TRUE(exited_with(status, 7)) << status;
}

/// What take_init_duty throws with its nth call refused; "none".
std::string error_with_refused(int nth) {
  fault_plan::fail_nth(nth, EAGAIN);
  std::string error = "none";
  try {
    take_init_duty({.otherwise = subreaper});
  } catch (const std::system_error& failure) {
    error = failure.what();
  }
  fault_plan::disarm();
  return error;
}

TEST_F(InitSubreaper, ThatCannotBeHadNamesTheCallAndLeavesThingsAsTheyWere) {
  int named = 0;
  for (int nth = 1; nth < 20; ++nth) {
    const int status = testing_child::run([&] {
      ::pthread_atfork(
          nullptr, [] { fault_plan::disarm(); }, nullptr); // who is in front is spared
      const std::string error = error_with_refused(nth);
      sigset_t now;
      ::sigprocmask(SIG_SETMASK, nullptr, &now);
      int is_subreaper = -1;
      ::prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper);
      if (sigismember(&now, SIGTERM) != 0 || is_subreaper != 0) return 1;
      if (error == "none") return 7;
      return error.find("(the program below its init): ") != std::string::npos ? 8 : 2;
    });
    EXPECT_TRUE(exited_with(status, 7) || exited_with(status, 8)) << nth << ": " << status;
    named += exited_with(status, 8) ? 1 : 0;
  }
  EXPECT_EQ(named, 3) << "becoming a subreaper, fork, and the program's parent-death signal";
}

} // namespace
