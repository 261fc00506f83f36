// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/scope/gate.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include <unistd.h>

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::gate;
using lastcall::pass;

TEST(Gate, RefusesAfterClose) {
  gate door;
  { const auto inside = door.enter(); }
  door.close();
  door.close();
  EXPECT_TRUE(door.closed());
  EXPECT_THROW((void)door.enter("late"), lastcall::gate_closed);
  EXPECT_FALSE(door.try_enter("late"));
  EXPECT_EQ(door.size(), 0U);
}

TEST(Gate, ThoseInsideStayAndAreNamed) {
  gate door;
  const auto before = lastcall::clock::now();
  auto report = door.enter("GET /report");
  const auto upload = door.try_enter("PUT /upload");
  ASSERT_TRUE(upload);
  door.close();
  report.leave();
  report.leave();
  const auto who = door.holders();
  ASSERT_EQ(who.size(), 1U);
  EXPECT_EQ(who[0].name, "PUT /upload");
  EXPECT_EQ(who[0].thread, ::gettid());
  EXPECT_LE(before, who[0].since);
}

TEST(Gate, WaitSaysWhetherItEmptied) {
  gate door;
  EXPECT_TRUE(door.wait_until(deadline::after(-1s))) << "empty is empty, whatever the time";
  auto inside = door.enter("slow");
  door.close();
  EXPECT_FALSE(door.wait_until(deadline::after(5ms)));
  inside.leave();
  EXPECT_TRUE(door.wait_until(deadline::after(0s)));
}

TEST(Gate, CloseWaitsForTheLastHolderWhoLeavesOnAnotherThread) {
  gate door;
  auto first = door.enter("first"), second = door.enter("second");
  door.close();
  std::jthread other{[one = std::move(first), two = std::move(second)]() mutable {
    one.leave();
    two.leave();
  }};
  EXPECT_TRUE(door.wait_until(deadline::after(30s)));
}

TEST(Gate, APassMovedOntoAnotherGivesTheOldOneBack) {
  gate a, b;
  pass inside = a.enter();
  inside = b.enter();
  EXPECT_EQ(a.size(), 0U);
  EXPECT_EQ(b.size(), 1U);
}

TEST(Gate, MayBeDestroyedAsSoonAsTheWaitSaysEmpty) {
  for (int i = 0; i < 300; ++i) {
    auto door = std::make_unique<gate>();
    std::jthread holder{[inside = door->enter()]() mutable { inside.leave(); }};
    ASSERT_TRUE(door->wait_until(deadline::after(30s)));
    door.reset();
  }
}

TEST(Gate, NobodySlipsInBetweenCloseAndEmpty) {
  for (int round = 0; round < 50; ++round) {
    gate door;
    std::atomic<int> inside{0};
    std::vector<std::jthread> guests;
    for (int t = 0; t < 4; ++t)
      guests.emplace_back([&] {
        while (const auto in = door.try_enter("guest")) {
          inside.fetch_add(1);
          inside.fetch_sub(1);
        }
      });
    door.close();
    ASSERT_TRUE(door.wait_until(deadline::after(30s)));
    EXPECT_EQ(inside.load(), 0);
  }
}

TEST(Gate, DestroyedWhileHeldIsMisuseThatSaysSo) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto door = std::make_unique<gate>();
        const auto inside = door->enter();
        door.reset();
      },
      "a gate is destroyed while somebody is inside");
}
