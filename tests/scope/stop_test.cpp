// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/scope/stop.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

using lastcall::cause;
using lastcall::describe;

TEST(Stop, TheFirstReasonWinsAndStays) {
  lastcall::stop_source source;
  const auto token = source.token();
  EXPECT_FALSE(token.why());
  EXPECT_TRUE(source.request_stop({.cause = cause::deadline, .text = "idle"}));
  EXPECT_FALSE(source.request_stop({.cause = cause::call}));
  ASSERT_TRUE(token.why());
  EXPECT_EQ(token.why()->cause, cause::deadline);
  EXPECT_EQ(token.why()->text, "idle");
  EXPECT_NE(token.why()->when, lastcall::time_point{});
  EXPECT_TRUE(source.stop_requested());
}

TEST(Stop, IsAStdStopTokenForThoseWhoNeedNoReason) {
  lastcall::stop_source source;
  const std::stop_token plain = source.token();
  int called = 0;
  const std::stop_callback callback{plain, [&] { called += source.why().has_value() ? 1 : 100; }};
  source.request_stop({});
  EXPECT_EQ(called, 1) << "the reason is there before the callbacks";
  EXPECT_TRUE(plain.stop_requested());
  EXPECT_FALSE(lastcall::stop_token{}.stop_possible());
}

TEST(Stop, OneOfManyThreadsAsksAndEverybodySeesItsWholeReason) {
  for (int round = 0; round < 100; ++round) {
    lastcall::stop_source source;
    std::atomic<int> winners{0};
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
          if (source.request_stop({.signal = t, .sender_pid = t})) winners.fetch_add(1);
          while (!source.stop_requested()) std::this_thread::yield();
          const auto why = source.why();
          ASSERT_TRUE(why);
          EXPECT_EQ(why->signal, why->sender_pid);
        });
    }
    EXPECT_EQ(winners.load(), 1);
  }
}

TEST(Reason, IsDescribedInOneLine) {
  EXPECT_EQ(describe({.cause = cause::signal, .signal = SIGTERM, .sender_pid = 812}),
            "SIGTERM from pid 812 (uid 0)");
  EXPECT_EQ(describe({.cause = cause::signal, .signal = SIGINT}), "SIGINT");
  EXPECT_EQ(describe({.cause = cause::signal, .signal = SIGINT, .count = 3}), "SIGINT, 3 times");
  EXPECT_EQ(describe({.cause = cause::parent_death, .text = "pipe closed"}), "parent death: pipe closed");
  EXPECT_EQ(lastcall::signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
  EXPECT_EQ(lastcall::signal_name(999), "signal 999");
}
