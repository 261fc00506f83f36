// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "lifecycle/budget.hpp"

#include <lastcall/wait/clock.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace {

using namespace std::chrono_literals;
using lastcall::clock;
using lastcall::detail::budget;

clock::time_point now{1000s};

/// Time stands still unless the test moves it.
class Budget : public testing::Test {
protected:
  Budget() : before_{clock::exchange_source([]() noexcept { return now; })} {}
  ~Budget() override { clock::exchange_source(before_); }

private:
  clock::source before_;
};

TEST_F(Budget, ASingleStopMayTakeAllOfIt) { EXPECT_EQ(budget(25s, 1).share(0, {}).remaining(), 25s); }

TEST_F(Budget, ASliceIsKeptForEachThatComesAfter) {
  const budget whole{20s, 5}; // slices of 1 s
  EXPECT_EQ(whole.share(4, {}).remaining(), 16s);
  EXPECT_EQ(whole.share(0, {}).remaining(), 20s);
}

TEST_F(Budget, OfThoseThatAllHangEachGetsItsSlice) {
  const budget whole{20s, 5};
  const auto begin = now;
  now += 16s;
  for (std::size_t after : {3u, 2u, 1u, 0u}) {
    EXPECT_EQ(whole.share(after, {}).remaining(), 1s);
    now += 1s;
  }
  EXPECT_EQ(whole.left(), 0s);
  now = begin;
}

TEST_F(Budget, ALimitOfOnesOwnIsObeyedUpToTheEnd) {
  const budget whole{20s, 5};
  EXPECT_EQ(whole.share(4, 3s).remaining(), 3s);
  EXPECT_EQ(whole.share(4, 60s).remaining(), 20s);
}

TEST_F(Budget, ACutShortensTheRestAndNeverLengthensIt) {
  budget whole{20s, 5};
  whole.cut(2s, 4);
  EXPECT_EQ(whole.left(), 2s);
  EXPECT_EQ(whole.share(4, {}).remaining(), 1600ms);
  whole.cut(10s, 3);
  EXPECT_EQ(whole.left(), 2s);
}

TEST_F(Budget, NoneAtAllLeavesNoTime) {
  EXPECT_TRUE(budget(0s, 3).share(2, {}).expired());
  EXPECT_EQ(budget(lastcall::duration::max(), 3).share(2, {}).is_never(), true);
}

} // namespace
