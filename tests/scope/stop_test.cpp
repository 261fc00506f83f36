// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/scope/stop.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <string>
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

TEST(Stop, AForeignTokenFiresWithTheReasonItWasGiven) {
  std::stop_source foreign;
  const lastcall::stop_token token{foreign.get_token(),
                                   {.cause = cause::parent_death, .text = "pipe closed"}};
  EXPECT_TRUE(token.stop_possible());
  EXPECT_FALSE(token.stop_requested());
  EXPECT_FALSE(token.why()) << "not before its time";
  int called = 0;
  const std::stop_callback callback{token, [&] { ++called; }};
  foreign.request_stop();
  EXPECT_EQ(called, 1);
  ASSERT_TRUE(token.why());
  EXPECT_EQ(token.why()->text, "pipe closed");
}

TEST(Stop, ACallbackIsToldWhy) {
  lastcall::stop_source source;
  std::string said;
  const lastcall::stop_callback before{source.token(),
                                       [&](const lastcall::reason& why) { said += describe(why); }};
  source.request_stop({.cause = cause::deadline});
  EXPECT_EQ(said, "deadline");
  const lastcall::stop_callback after{source.token(),
                                      [&](const lastcall::reason& why) { said += describe(why); }};
  EXPECT_EQ(said, "deadlinedeadline") << "at once when the token has fired";
  const lastcall::stop_callback never{lastcall::stop_token{},
                                      [&](const lastcall::reason&) { said = "never"; }};
}

TEST(Stop, ACallbackThatIsGoneIsNotCalled) {
  lastcall::stop_source source;
  int called = 0;
  {
    const lastcall::stop_callback callback{source.token(), [&](const lastcall::reason&) { ++called; }};
  }
  source.request_stop({});
  EXPECT_EQ(called, 0);
}

TEST(Stop, ALinkPassesOnTheStopAndItsReason) {
  lastcall::stop_source program, session;
  std::stop_source thread;
  const lastcall::stop_link with_the_program{session, program.token()};
  const lastcall::stop_link with_the_thread{session, thread.get_token(), {.text = "the thread ends"}};
  program.request_stop({.cause = cause::signal, .signal = SIGTERM});
  ASSERT_TRUE(session.why());
  EXPECT_EQ(session.why()->signal, SIGTERM);
  thread.request_stop();
  EXPECT_EQ(session.why()->signal, SIGTERM) << "the first reason wins";
  EXPECT_FALSE(lastcall::stop_source{}.stop_requested());
}

TEST(Stop, ALinkFromAForeignTokenNotesWhenItFired) {
  std::stop_source thread;
  lastcall::stop_source session, untouched;
  const lastcall::stop_link link{session, thread.get_token(), {.text = "the thread ends"}};
  { const lastcall::stop_link cut{untouched, thread.get_token(), {}}; }
  const auto before = lastcall::clock::now();
  thread.request_stop();
  ASSERT_TRUE(session.why());
  EXPECT_EQ(session.why()->text, "the thread ends");
  EXPECT_GE(session.why()->when, before);
  EXPECT_FALSE(untouched.stop_requested());
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
