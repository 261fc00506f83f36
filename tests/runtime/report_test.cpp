// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What the report of an end says of those who were left, and how it is told.
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/runtime/at_exit.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>
#include <lastcall/trace/whereabouts.hpp>

#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using runtime_test::exit_status_of;
using runtime_test::quiet;

constexpr auto long_enough = 30s;

bool says(const lastcall::finalization_report& report, std::string_view what) {
  return describe(report).find(what) != std::string::npos;
}

/// Threads that hear nothing until they are told to go.
class Report : public testing::Test {
protected:
  void SetUp() override { go_on_ = true; }
  void TearDown() override { go_on_ = false; }
  static void be_deaf() {
    while (go_on_) std::this_thread::sleep_for(1ms);
  }

private:
  static inline std::atomic<bool> go_on_{true};
};

TEST_F(Report, NamesDaemonsThatAreLeftWithReasonAndPlace) {
  std::atomic<bool> there{false};
  lastcall::runtime it{quiet()};
  lastcall::daemon_thread ticker{"ticker", "its loss hurts nobody", [&] {
                                   there = true;
                                   be_deaf();
                                 }};
  while (!there) std::this_thread::yield();
  const auto report = it.finalize(deadline::after(long_enough));
  EXPECT_TRUE(report.clean()) << describe(report);
  EXPECT_EQ(report.daemons_left, 1U);
  ASSERT_EQ(report.daemons.size(), 1U);
  EXPECT_EQ(report.daemons[0].name, "ticker");
  EXPECT_EQ(report.daemons[0].reason, "its loss hurts nobody");
  EXPECT_NE(report.daemons[0].where.find(std::to_string(ticker.id())), std::string::npos);
  EXPECT_TRUE(says(report, "left: ticker (its loss hurts nobody)")) << describe(report);
  Report::TearDown();
  EXPECT_TRUE(ticker.join(deadline::after(long_enough)));
}

TEST_F(Report, NamesDaemonsThatAreParkedWithTheirReason) {
  std::atomic<bool> there{false};
  auto options = runtime_test::patient();
  lastcall::runtime it{options};
  const lastcall::daemon_thread stubborn{"stubborn", "swallows its end", [&] {
                                           std::error_code error;
                                           there = true;
                                           for (;;) lastcall::checkpoint(error);
                                         }};
  while (!there) std::this_thread::yield();
  const auto report = it.finalize(deadline::after(long_enough));
  EXPECT_EQ(report.daemons_parked, 1U);
  ASSERT_EQ(report.daemons.size(), 1U);
  EXPECT_EQ(report.daemons[0].where, "");
  EXPECT_TRUE(says(report, "parked: stubborn (swallows its end)")) << describe(report);
}

TEST(ReportText, NamesTheFirstDaemonsOfMany) {
  lastcall::finalization_report many;
  many.daemons_left = 1000;
  for (int i = 0; i < 1000; ++i) many.daemons.push_back({std::to_string(i), "one of many", "somewhere"});
  EXPECT_TRUE(says(many, "left: 15 (one of many)\nsomewhere\n  … and 984 more"));
  EXPECT_FALSE(says(many, "left: 16 "));
}

// It was counted among the daemons as well.
TEST_F(Report, ALateThreadIsNoDaemon) {
  lastcall::runtime it{quiet()};
  lastcall::thread deaf{"deaf", [] { be_deaf(); }};
  const auto report = it.finalize(deadline::after(50ms));
  ASSERT_EQ(report.late.size(), 1U);
  EXPECT_EQ(report.daemons_left, 0U);
  EXPECT_TRUE(report.daemons.empty());
  Report::TearDown();
  EXPECT_TRUE(deaf.join(deadline::after(long_enough)));
}

// Each was looked at alone, and the deadline overrun by as many looks as there were late threads.
TEST_F(Report, WhereLateThreadsAreIsSeenByOneLook) {
  static std::vector<pid_t> asked;
  static int looks;
  asked.clear();
  looks = 0;
  lastcall::runtime it{quiet()};
  std::vector<lastcall::thread> all;
  for (int i = 0; i < 20; ++i) all.emplace_back("deaf", [] { be_deaf(); });
  for (const auto& one : all)
    while (one.id() == 0) std::this_thread::yield();
  lastcall::exchange_stack_source([](std::span<const pid_t> threads, deadline until) {
    ++looks;
    EXPECT_FALSE(until.is_never());
    asked.assign(threads.begin(), threads.end());
    std::vector<std::string> places;
    for (const pid_t each : threads) places.push_back("at " + std::to_string(each));
    return places;
  });
  const auto report = it.finalize(deadline::after(2s)); // half a second of it is left for the look
  lastcall::exchange_stack_source(nullptr);
  EXPECT_EQ(looks, 1);
  EXPECT_EQ(asked.size(), 20U);
  ASSERT_EQ(report.late.size(), 20U);
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(report.late[i].where, "at " + std::to_string(asked[i]));
  Report::TearDown();
  for (auto& one : all) EXPECT_TRUE(one.join(deadline::after(long_enough)));
}

// It said `"" (1234)`.
TEST(ReportWithoutDescriptors, NamesWhoIsLateAndSaysWhyThereIsNoMore) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer of undefined behaviour needs a descriptor to look at objects";
#endif
  EXPECT_EQ(exit_status_of([] {
              lastcall::runtime it{quiet()};
              new lastcall::thread{"deaf", [] {
                                     for (;;) ::pause();
                                   }};
              const rlimit none{0, 0};
              if (::setrlimit(RLIMIT_NOFILE, &none) != 0) return 2;
              const auto report = it.finalize(deadline::after(50ms));
              return says(report, "late: deaf\n") && says(report, "Too many open files") ? 0 : 1;
            }),
            0);
}

// It kept the end of the runtime, for ever.
TEST_F(Report, AHookThatDoesNotReturnIsLeftBehindAndTheReportIsThere) {
  lastcall::runtime_options options;
  options.on_report = [](const lastcall::finalization_report&) { be_deaf(); };
  lastcall::runtime it{options};
  lastcall::at_exit([] { throw 1; });
  const auto report = it.finalize(deadline::after(50ms));
  EXPECT_TRUE(report.failed()) << describe(report);
  EXPECT_GE(report.leaked, 1U) << "the thread; that of at_exit, too, where it was slow";
  EXPECT_FALSE(lastcall::runtime::live());
  lastcall::runtime next{quiet()};
  EXPECT_TRUE(next.finalize(deadline::after(long_enough)).clean());
}

TEST(ReportHook, MayEndTheRuntimeAgainAndThrow) {
  bool done_before = false;
  lastcall::runtime* the_runtime = nullptr;
  lastcall::runtime_options options;
  options.on_report = [&](const lastcall::finalization_report& report) {
    EXPECT_TRUE(report.clean());
    done_before = the_runtime->finalize(deadline::never()).done_before;
    throw 1;
  };
  lastcall::runtime it{options};
  the_runtime = &it;
  EXPECT_TRUE(it.finalize(deadline::after(long_enough)).clean());
  EXPECT_TRUE(done_before);
}

TEST(ReportHook, MayExit) {
  EXPECT_EQ(runtime_test::status_after_exit_of([] {
              lastcall::runtime_options options;
              options.on_report = [](const lastcall::finalization_report&) { std::exit(8); };
              auto* const it = new lastcall::runtime{options};
              it->finalize(deadline::after(long_enough));
              for (;;) ::pause();
              return 1;
            }),
            8);
}

} // namespace
