// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "explore/plan.hpp"

#include <csignal>
#include <gtest/gtest.h>

namespace checker {
namespace {

options usual() {
  options wanted;
  wanted.signals = {SIGINT, SIGTERM};
  wanted.scopes = {target_scope::process, target_scope::group};
  wanted.positions = {position::before, position::during, position::after};
  return wanted;
}

candidate call(const char* text, bool during, bool after) {
  return {{"0", text, 1, position::before}, during, after};
}

TEST(Plan, HasEveryPositionThatACallHas) {
  const auto made = make_plan(usual(), {call("read(3)", true, true), call("exit_group()", false, false)});
  EXPECT_EQ(made.points, 4U); // before, during, after read; before exit_group
  EXPECT_EQ(made.runs.size(), 4U * 2 * 2);
  EXPECT_EQ(made.runs.front().where.key(), "0:read(3)#1@before");
  EXPECT_EQ(made.runs.back().where.key(), "0:exit_group()#1@before");
}

TEST(Plan, WaitingForEverHasOnlyDuring) {
  const auto made = make_plan(usual(), {call("idle()", true, false)});
  EXPECT_EQ(made.points, 1U);
  EXPECT_EQ(made.runs.front().where.key(), "0:idle()#1@during");
}

TEST(Plan, ALimitTakesEvenlySpreadPointsWithTheFirstAndTheLast) {
  auto wanted = usual();
  wanted.positions = {position::before};
  wanted.signals = {SIGINT};
  wanted.scopes = {target_scope::process};
  wanted.max_points = 3;
  std::vector<candidate> calls;
  for (std::uint32_t i = 1; i <= 101; ++i)
    calls.push_back({{"0", "brk()", i, position::before}, false, true});
  const auto made = make_plan(wanted, calls);
  EXPECT_EQ(made.points, 101U);
  ASSERT_EQ(made.runs.size(), 3U);
  EXPECT_EQ(made.runs[0].where.ordinal, 1U);
  EXPECT_EQ(made.runs[1].where.ordinal, 51U);
  EXPECT_EQ(made.runs[2].where.ordinal, 101U);
}

TEST(Plan, OnePointAloneIsTakenAsGiven) {
  auto wanted = usual();
  wanted.at = point{"0.7", "read(3)", 9, position::after};
  const auto made = make_plan(wanted, {call("read(3)", true, true)});
  ASSERT_EQ(made.runs.size(), 4U);
  EXPECT_EQ(made.runs.front().where, *wanted.at);
}

} // namespace
} // namespace checker
