// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// How a process ends, seen from outside: each death test forks, runs one application and leaves as main
// would.
#include <lastcall/lifecycle/application.hpp>

#include "lifecycle/ending.hpp"
#include "lifecycle/neighbour.hpp"

#include <lastcall/interrupt/io.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::application;
using lastcall::application_options;
using lifecycle_test::begin;
using lifecycle_test::diary;
using lifecycle_test::fail;
using lifecycle_test::hang;
using lifecycle_test::nothing;
using lifecycle_test::raise_int;
using lifecycle_test::raise_term;
using lifecycle_test::run_one;
using lifecycle_test::scripted;
using testing::ExitedWithCode;
using testing::KilledBySignal;

TEST(Ending, AfterSigintIsByThatSignalOnceStaticsAreDestroyed) {
  EXPECT_EXIT(std::exit(run_one({}, raise_int, nothing)), KilledBySignal(SIGINT),
              "atexit has run, statics are gone\n$");
}

// The signal was raised among the executable's destructors: a logger in a shared library never wrote its last
// lines.
TEST(Ending, AfterSigintIsByThatSignalOnceStaticsOfSharedLibrariesAreDestroyed) {
  EXPECT_EXIT(
      {
        lifecycle_test::say_when_the_library_is_destroyed("and so are those of a library\n");
        std::exit(run_one({}, raise_int, nothing));
      },
      KilledBySignal(SIGINT), "statics are gone\nand so are those of a library\n$");
}

TEST(Ending, AfterSigtermIsZero) {
  EXPECT_EXIT(std::exit(run_one({}, raise_term, nothing)), ExitedWithCode(0), "statics are gone\n$");
}

TEST(Ending, BySignalCanBeChosenForSigtermToo) {
  EXPECT_EXIT(std::exit(run_one({.statuses = {.by_signal = {SIGTERM}}}, raise_term, nothing)),
              KilledBySignal(SIGTERM), "");
}

TEST(Ending, AnotherStatusThanTheOneReturnedIsMeantAndStands) {
  EXPECT_EXIT(
      {
        run_one({}, raise_int, nothing);
        std::exit(4);
      },
      ExitedWithCode(4), "statics are gone\n$");
}

constexpr int not_permitted = 77;

/// In a child: the status with which an application ends as process 1 of a namespace of its own.
[[noreturn]] void tell_how_process_one_ends() {
  alarm(30);
  if (unshare(CLONE_NEWPID) != 0) std::_Exit(not_permitted);
  const auto one = fork();
  if (one < 0) std::_Exit(not_permitted);
  if (one == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); // an alarm does nothing to process 1
    std::exit(getpid() == 1 ? run_one({}, raise_int, nothing) : 1);
  }
  int how = 0;
  waitpid(one, &how, 0);
  std::_Exit(WIFEXITED(how) ? WEXITSTATUS(how) : 1);
}

// The kernel drops signals with a default action there, so the end by signal must not wait for one.
TEST(Ending, OfProcessOneAfterSigintIsPlain130) {
  const auto child = fork();
  if (child == 0) tell_how_process_one_ends();
  int how = 0;
  ASSERT_EQ(waitpid(child, &how, 0), child);
  ASSERT_TRUE(WIFEXITED(how));
  if (WEXITSTATUS(how) == not_permitted) GTEST_SKIP() << "no permission for a pid namespace";
  EXPECT_EQ(WEXITSTATUS(how), 130);
}

TEST(Ending, OfAProcessForkedAfterTheRunIsItsOwn) {
  EXPECT_EXIT(
      {
        const int status = run_one({}, raise_int, nothing);
        if (const auto child = fork(); child == 0) {
          std::exit(status);
        } else {
          int how = 0;
          waitpid(child, &how, 0);
          std::_Exit(WIFEXITED(how) && WEXITSTATUS(how) == 130 ? 0 : 1);
        }
      },
      ExitedWithCode(0), "");
}

TEST(Ending, WhatStdoutStillHeldIsWrittenBeforeTheSignal) {
  EXPECT_EXIT(
      {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        std::atexit([] { std::fputs("buffered words", stdout); });
        std::exit(run_one({}, raise_int, nothing));
      },
      KilledBySignal(SIGINT), "buffered words");
}

TEST(Ending, AfterAFailedStopIs70AndTheReportSaysWhy) {
  EXPECT_EXIT(std::exit(run_one({}, nothing, fail)), ExitedWithCode(70), "db .*failed to stop.*: disk full");
}

TEST(Ending, AfterAFailedStartIs70AlsoWhenSigintCame) {
  EXPECT_EXIT(std::exit(run_one(
                  {},
                  [](auto& at) {
                    raise_int(at);
                    fail(at);
                  },
                  nothing)),
              ExitedWithCode(70), "db failed to start.*: disk full");
}

TEST(Ending, AfterAFailedStopIs70AlsoWhenSigintCame) {
  EXPECT_EXIT(std::exit(run_one({}, raise_int, fail)), ExitedWithCode(70),
              "db .*failed to stop.*: disk full");
}

TEST(Ending, OfASecondApplicationCallsTheEndBySignalOff) {
  EXPECT_EXIT(
      {
        run_one({}, raise_int, nothing);
        std::exit(run_one({}, raise_term, nothing));
      },
      ExitedWithCode(0), "");
}

TEST(Ending, WithOutputThatCouldNotBeWrittenIs74AlsoWhenARequestCame) {
  for (const int signal : {SIGINT, SIGTERM})
    EXPECT_EXIT(
        {
          dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
          std::exit(run_one(
              {},
              [&](auto&) {
                std::puts("lost");
                std::raise(signal);
              },
              nothing));
        },
        ExitedWithCode(74), "could not all be written");
}

TEST(Ending, WithOutputThatCouldNotBeWrittenIs74) {
  EXPECT_EXIT(
      {
        dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
        std::exit(run_one(
            {}, [](auto&) { std::puts("lost"); }, nothing));
      },
      ExitedWithCode(74), "could not all be written");
}

TEST(Ending, WithAReaderThatIsStuckIs74InBoundedTime) {
  EXPECT_EXIT(
      {
        int ends[2];
        if (pipe2(ends, O_NONBLOCK) != 0) std::_Exit(1);
        while (write(ends[1], "x", 1) == 1) continue;
        fcntl(ends[1], F_SETFL, 0);
        dup2(ends[1], STDOUT_FILENO);
        std::setvbuf(stdout, nullptr, _IOFBF, 4096);
        std::fputs("never read", stdout);
        const int status = run_one({}, nothing, nothing);
        std::_Exit(status);
      },
      ExitedWithCode(74), "could not all be written");
}

TEST(Ending, WithoutStderrIsTheSame) {
  EXPECT_EXIT(
      {
        close(STDERR_FILENO);
        std::exit(run_one({}, nothing, fail));
      },
      ExitedWithCode(70), "");
}

TEST(Ending, PastADeadlineIs75AtOnceAndNamesWhoIsLate) {
  const auto late = [](lastcall::context& at) {
    at.progress("12 requests in flight");
    hang(at);
  };
  EXPECT_EXIT(std::exit(run_one({.grace = 20ms}, nothing, late)), ExitedWithCode(75),
              "db started in .*, abandoned after .* in its stop, which last said \"12 requests in flight\"\n"
              "    \".*\" \\([0-9]+\\): asleep in futex.*\n$");
}

// A zero passes the outcome over, and the next line of the table is the end by signal; it was a plain 130.
TEST(Ending, PastADeadlineThatIsPassedOverIsStillByTheSignal) {
  EXPECT_EXIT(std::exit(run_one({.grace = 20ms, .statuses = {.deadline_passed = 0}}, raise_int, hang)),
              KilledBySignal(SIGINT), "abandoned");
}

int run_with_two_that_hang() {
  begin();
  diary log;
  application_options options{.grace = 60ms};
  options.on_report = [&](const auto&) { std::fputs(log.text().c_str(), stderr); };
  application app{"shop", options};
  app.add<scripted>("a", log);
  app.add<scripted>("b", log, nothing, hang);
  app.add<scripted>("c", log);
  app.add<scripted>("d", log, nothing, hang);
  return app.run_for(0ms);
}

TEST(Ending, OneThatHangsKeepsNoOtherFromBeingStopped) {
  EXPECT_EXIT(std::exit(run_with_two_that_hang()), ExitedWithCode(75), "^\\+a \\+b \\+c \\+d -d -c -b -a$");
}

int run_with_a_limit_of_its_own() {
  begin();
  diary log;
  application app{"shop", {.grace = 1h, .last_moment = 1ms}};
  app.add<scripted>("db", log, nothing, hang).stop_within(5ms);
  return app.run_for(0ms);
}

TEST(Ending, ALimitOfItsOwnAbandonsOneWhileTheBudgetLasts) {
  EXPECT_EXIT(std::exit(run_with_a_limit_of_its_own()), ExitedWithCode(75), "db .*abandoned");
}

TEST(Ending, ByTheThirdRequestIsThatSignalEvenInAStartThatHearsNothing) {
  const auto deaf = [](auto&) {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP})
      std::raise(signal); // equal ones at once would be one step
    for (;;) pause();
  };
  EXPECT_EXIT(std::exit(run_one({.signals = {SIGTERM, SIGINT, SIGHUP}}, deaf, nothing)),
              KilledBySignal(SIGHUP), "");
}

} // namespace
