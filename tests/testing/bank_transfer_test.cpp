// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/testing/interrupt_everywhere.hpp>

#include <gtest/gtest.h>

namespace {

struct bank {
  int savings = 1000, purse = 0;

  void move_carelessly(int amount) {
    lastcall::checkpoint();
    savings -= amount;
    lastcall::checkpoint(); // in the middle of what belongs together
    purse += amount;
    lastcall::checkpoint();
  }

  void move(int amount) {
    lastcall::checkpoint();
    {
      const lastcall::shield whole;
      savings -= amount;
      lastcall::checkpoint(); // a request that comes here waits
      purse += amount;
    }
    lastcall::checkpoint();
  }
};

// Each run with a bank of its own, in which no money may be missing.
auto with_a_request_everywhere(void (bank::*way)(int)) {
  bank it;
  return lastcall::testing::interrupt_everywhere(
      [&] { (it.*way)(100); },
      {.prepare = [&] { it = {}; },
       .verify = [&]() -> std::string { return it.savings + it.purse == 1000 ? "" : "money is missing"; }});
}

} // namespace

TEST(BankTransfer, WithoutAShieldLosesMoneyAtOnePoint) {
  const auto report = with_a_request_everywhere(&bank::move_carelessly);
  ASSERT_EQ(report.failures.size(), 1U) << describe(report);
  EXPECT_EQ(report.failures[0].point, 2U);
  EXPECT_EQ(report.failures[0].sentence, "money is missing");
}

TEST(BankTransfer, WithAShieldLosesNoneAnywhere) {
  const auto report = with_a_request_everywhere(&bank::move);
  EXPECT_TRUE(report.ok()) << describe(report);
  EXPECT_EQ(report.points, 3U);
  EXPECT_EQ(report.interrupted, 3U) << "the one under the shield at the checkpoint after it";
}
