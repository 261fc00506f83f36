// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The runtime under an application: begun with it, finalized after the last stop, in the same report and
// status.
#include <lastcall/interrupt/io.hpp>
#include <lastcall/lifecycle/application.hpp>
#include <lastcall/lifecycle/run.hpp>
#include <lastcall/runtime/at_exit.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>

#include "runtime/last_words.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;

lastcall::application_options silent(std::string& report) {
  lastcall::application_options options;
  options.on_report = [&report](const lastcall::report& what) { report = describe(what); };
  return options;
}

struct tells {
  std::string& log;
  void start() { log += "start, "; }
  void stop() { log += "stop, "; }
};

void wait_for_the_end(std::stop_token stop) { lastcall::io::sleep_until(deadline::never(), std::move(stop)); }

TEST(ItsRuntime, IsFinalizedAfterTheLastStop) {
  std::string log, report;
  lastcall::application app{"shop", silent(report)};
  app.add<tells>("db", log);
  const int status = app.run([&] {
    static lastcall::thread worker;
    worker = lastcall::thread{"worker", [&log](std::stop_token stop) {
                                wait_for_the_end(std::move(stop));
                                log += "worker, ";
                              }};
    lastcall::at_exit([&log] { log += "at_exit"; });
  });
  EXPECT_EQ(status, 0) << report;
  EXPECT_EQ(log, "start, stop, worker, at_exit");
  EXPECT_FALSE(lastcall::runtime::live());
}

TEST(ItsRuntime, OfTheProgramIsLeftToTheProgram) {
  std::string log, report;
  lastcall::runtime mine{{.on_report = [](const lastcall::finalization_report&) {}}};
  lastcall::application app{"shop", silent(report)};
  app.add<tells>("db", log);
  EXPECT_EQ(app.run([&] { lastcall::at_exit([&log] { log += "at_exit"; }); }), 0);
  EXPECT_TRUE(lastcall::runtime::live());
  EXPECT_EQ(log, "start, stop, ");
}

TEST(ItsRuntime, ALoopHasOneToo) {
  bool called = false;
  EXPECT_EQ(lastcall::run([&] { lastcall::at_exit([&] { called = true; }); }), 0);
  EXPECT_TRUE(called);
}

TEST(ItsRuntime, WhatFailsInItIsSeenInStatusAndReport) {
  std::string report;
  lastcall::application app{"shop", silent(report)};
  EXPECT_EQ(app.run([] { lastcall::at_exit([] { throw std::runtime_error{"lock file gone"}; }); }), 70);
  EXPECT_NE(report.find("failed: at_exit: lock file gone"), std::string::npos) << report;
}

// A process that has lost output exits with 74 whatever happens after, so it is a child.
[[noreturn]] void run_with_lost_output() {
  struct loser final : lastcall::detail::last_words {
    loser() noexcept { enlist(); }
    loser(const loser&) = delete;
    loser& operator=(const loser&) = delete;
    ~loser() { strike_off(lastcall::deadline::never()); }
    void say(lastcall::detail::last_words_round& round) noexcept override {
      if (!round.last) round.note({.name = "journal", .lost = 12});
    }
  };
  static loser one;
  lastcall::application app{"shop"};
  std::exit(app.run([] {}) == 74 ? 74 : 1);
}

TEST(ItsRuntime, LostOutputInItIsSeenInTheStatus) {
  EXPECT_EXIT(run_with_lost_output(), testing::ExitedWithCode(74),
              "stream journal: 0 bytes written, 12 lost");
}

// The process leaves by the quick way, so these are children.
[[noreturn]] void run_with_a_deaf_thread(lastcall::application_options options, void (*meanwhile)()) {
  lastcall::application app{"shop", std::move(options)};
  std::exit(app.run([meanwhile] {
    static lastcall::thread deaf;
    deaf = lastcall::thread{"deaf", [meanwhile](std::stop_token stop) {
                              wait_for_the_end(std::move(stop)); // the finalization has begun
                              meanwhile();
                              for (;;) std::this_thread::yield();
                            }};
  }));
}

TEST(ItsRuntime, AThreadThatDoesNotEndIs75) {
  lastcall::application_options options;
  options.grace = 100ms;
  EXPECT_EXIT(run_with_a_deaf_thread(options, [] {}), testing::ExitedWithCode(75), "late: deaf");
}

TEST(ItsRuntime, ASecondRequestShortensItsFinalization) {
  lastcall::application_options options;
  options.grace = 1h;
  options.hurry = 50ms;
  const auto press_twice = [] {
    std::raise(SIGINT);
    std::raise(SIGTERM);
  };
  EXPECT_EXIT(run_with_a_deaf_thread(options, press_twice), testing::ExitedWithCode(75), "late: deaf");
}

} // namespace
