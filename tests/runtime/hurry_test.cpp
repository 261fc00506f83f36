// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A hurry that comes while the library itself waits. Its steps had read the deadline once, at their
// beginning: the second Ctrl-C changed nothing, and an end without a deadline never came.
#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/runtime.hpp>

#include "runtime/big_lock_gate.hpp"
#include "runtime/moving_deadline.hpp"
#include "runtime/quiet.hpp"
#include "runtime/runtime_core.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::finalization_step;
using lastcall::runtime;
using lastcall::detail::moving_deadline;
using runtime_test::quiet;

constexpr auto long_enough = 30s;

/// What daemons that hear nothing wait for.
class Hurry : public testing::Test {
protected:
  void SetUp() override { go_on_ = true; }
  void TearDown() override { go_on_ = false; }
  static bool go_on() { return go_on_; }

private:
  static inline std::atomic<bool> go_on_{true};
};

TEST_F(Hurry, IsHeardWhileTheHolderOfTheBigLockIsWaitedFor) {
  std::atomic<bool> held{false};
  runtime it{quiet()};
  lastcall::daemon_thread holder{"holder", "never gives it up", [&] {
                                   const std::scoped_lock turn{lastcall::the_big_lock()};
                                   held = true;
                                   while (go_on()) std::this_thread::yield();
                                 }};
  while (!held) std::this_thread::yield();
  std::jthread second_ctrl_c{[] {
    while (!lastcall::detail::the_lock_queue().is_closed()) std::this_thread::yield();
    runtime::hurry(deadline::after(1ms));
  }};
  const auto report = it.finalize(deadline::never());
  const auto& close = report.steps.at(static_cast<std::size_t>(finalization_step::close));
  ASSERT_EQ(close.failures.size(), 1U) << describe(report);
  EXPECT_NE(close.failures[0].find("holder"), std::string::npos) << close.failures[0];
  Hurry::TearDown();
  EXPECT_TRUE(holder.join(deadline::after(long_enough)));
}

TEST_F(Hurry, IsHeardWhileDaemonsAreWaitedFor) {
  std::atomic<bool> there{false};
  auto options = quiet();
  options.daemon_grace = std::chrono::hours{1};
  runtime it{options};
  lastcall::daemon_thread deaf{"deaf", "hurries and hears nothing", [&] {
                                 const auto& due = lastcall::detail::here().due;
                                 there = true;
                                 while ((due.load() & lastcall::detail::runtime_over) == 0)
                                   std::this_thread::yield();
                                 runtime::hurry(deadline::after(1ms));
                                 while (go_on()) std::this_thread::yield();
                               }};
  while (!there) std::this_thread::yield();
  EXPECT_EQ(it.finalize(deadline::never()).daemons_left, 1U);
  Hurry::TearDown();
  EXPECT_TRUE(deaf.join(deadline::after(long_enough)));
}

TEST_F(Hurry, IsForgottenByTheNextRuntime) {
  {
    const runtime first{quiet()};
    runtime::hurry(deadline::after(0ms));
    EXPECT_FALSE(lastcall::detail::the_core().hurried().is_never());
  }
  const runtime second{quiet()};
  EXPECT_TRUE(lastcall::detail::the_core().hurried().is_never());
}

TEST(MovingDeadline, IsLookedAtAnewUnlessItStaysWhereItIs) {
  const deadline late = deadline::after(long_enough);
  const moving_deadline fixed{late};
  EXPECT_EQ(fixed.next_look().when(), late.when());
  deadline now = late;
  const auto look = [&now] { return now; };
  const moving_deadline moves{look};
  EXPECT_EQ(moves.now().when(), late.when());
  EXPECT_LT(moves.next_look().when(), late.when());
  now = deadline::after(0ms);
  EXPECT_EQ(moves.now().when(), now.when());
  EXPECT_EQ(moves.next_look().when(), now.when());
}

} // namespace
