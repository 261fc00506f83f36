// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/incarnation.hpp"

#include "interrupt/child.hpp"
#include "sys/fault_plan.hpp"

#include <gtest/gtest.h>

#include <cerrno>

using namespace lastcall;

namespace {

// Three generations: all different, and each the same each time it asks.
void expect_generations() {
  const auto first = sys::this_incarnation();
  EXPECT_NE(first, 0U);
  const int status = testing_child::run([&]() -> int {
    const auto second = sys::this_incarnation();
    if (second == first || second != sys::this_incarnation()) return 1;
    return WEXITSTATUS(testing_child::run([&]() -> int {
      const auto third = sys::this_incarnation();
      return third != first && third != second && third == sys::this_incarnation() ? 7 : 2;
    }));
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
  EXPECT_EQ(sys::this_incarnation(), first);
}

} // namespace

TEST(Incarnation, AChildIsAnother) {
  sys::prepare_incarnation();
  sys::prepare_incarnation();
  expect_generations();
}

TEST(Incarnation, WithoutAPreparedPageTheProcessIdTells) { expect_generations(); }

TEST(Incarnation, WhereTheKernelRefusesThePageTheProcessIdTells) {
  for (const int nth : {1, 2}) {
    fault_plan::fail_nth(nth, ENOMEM);
    sys::prepare_incarnation();
    EXPECT_TRUE(fault_plan::disarm());
    EXPECT_EQ(fault_plan::failed(), nth == 1 ? sys::call::mmap : sys::call::madvise);
    expect_generations();
  }
}

TEST(Incarnation, PreparingItDoesNotChangeIt) {
  const auto before = sys::this_incarnation();
  sys::prepare_incarnation();
  EXPECT_EQ(sys::this_incarnation(), before);
}

TEST(Incarnation, BeginningItTakesANumberThatNoneBeforeHad) {
  sys::prepare_incarnation();
  const auto first = sys::this_incarnation();
  const int status = testing_child::run([&]() -> int {
    sys::begin_incarnation();
    const auto second = sys::this_incarnation();
    return second != first && second != 0 && second == sys::this_incarnation() ? 7 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}
