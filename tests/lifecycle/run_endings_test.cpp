// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// How a program that is one loop ends, seen from outside.
#include <lastcall/lifecycle/run.hpp>

#include "lifecycle/ending.hpp"

#include <lastcall/interrupt/io.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lifecycle_test::begin;
using testing::ExitedWithCode;
using testing::KilledBySignal;

TEST(RunEnding, AnInterruptedLoopIsACleanStop) {
  EXPECT_EXIT(
      {
        begin();
        std::exit(lastcall::run([](std::stop_token) {
          std::raise(SIGTERM);
          for (;;) lastcall::io::sleep_for(1h);
        }));
      },
      ExitedWithCode(0), "^atexit has run, statics are gone\n$");
}

TEST(RunEnding, AfterSigintIsByThatSignal) {
  EXPECT_EXIT(
      {
        begin();
        std::exit(lastcall::run([] {
          std::raise(SIGINT);
          for (;;) lastcall::io::sleep_for(1h);
        }));
      },
      KilledBySignal(SIGINT), "");
}

TEST(RunEnding, AFailureIsToldAndIs70) {
  EXPECT_EXIT(std::exit(lastcall::run([]() -> int { throw std::runtime_error("no route"); })),
              ExitedWithCode(70), ": no route\n$");
  EXPECT_EXIT(std::exit(lastcall::run([] { throw 7; })), ExitedWithCode(70), ": exception of type int\n$");
}

TEST(RunEnding, TheStatusReturnedIsKept) {
  EXPECT_EXIT(std::exit(lastcall::run([] { return 3; })), ExitedWithCode(3), "");
}

TEST(RunEnding, AStatusAndAFailureWinOverARequest) {
  EXPECT_EXIT(std::exit(lastcall::run([] {
                std::raise(SIGINT);
                return 3;
              })),
              ExitedWithCode(3), "");
  EXPECT_EXIT(std::exit(lastcall::run([] {
                std::raise(SIGINT);
                throw std::runtime_error("no route");
              })),
              ExitedWithCode(70), "no route");
}

TEST(RunEnding, OneInsideAnotherIsRefusedAndTold) {
  EXPECT_EXIT(std::exit(lastcall::run([] { return lastcall::run([] {}); })), ExitedWithCode(70),
              "one is live already in this process");
}

TEST(RunEnding, LostOutputIs74) {
  EXPECT_EXIT(
      {
        dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
        std::exit(lastcall::run([] { std::puts("lost"); }));
      },
      ExitedWithCode(74), "could not all be written");
}

} // namespace
