// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tools/lastcall/one_run.hpp"

/// How long a subject is waited for.
namespace checker {
namespace {

using testing::one_run;
using testing::probe;

TEST(Patience, ATracerThatWasHeldUpDoesNotCallThatAHang) {
  // Under heavy load requests that were on their way were said to be lost: their time had passed unwatched.
  one_run stops{{probe("stops_tracer")}, isolation::subreaper};
  stops.setup().wanted.time_limit = seconds{0.5};
  const auto seen = stops.at("0:write(1)#1@after");
  EXPECT_EQ(seen.delivered, delivery::delivered) << seen.not_injected;
  EXPECT_EQ(seen.end, (ending{ending::how::exited, 0, false}));
  EXPECT_EQ(seen.out, "ab");
}

TEST(Patience, WhoRunsAfterTheEndMayComeToAnEndOfItsOwn) {
  // On a busy machine children that were on their way out were said to have been left behind.
  one_run outlives{{probe("outlives")}};
  const auto seen = outlives.at("0:write(1)#1@after");
  EXPECT_EQ(seen.end, (ending{ending::how::signaled, SIGINT, false}));
  EXPECT_TRUE(seen.survivors.empty()) << seen.survivors.front().role;
}

TEST(Patience, WhatIsComputedCountsOnceHoweverManyThreadsTheProcessHas) {
  // A thread's figure is its process's: counted for each, 150 ms of sixteen threads were taken for 2.4 s.
  one_run late{{probe("computes_late")}};
  const auto seen = late.at("0:write(1)#1@after");
  EXPECT_EQ(seen.delivered, delivery::delivered) << seen.not_injected;
  EXPECT_FALSE(seen.hung);
  EXPECT_EQ(seen.end, (ending{ending::how::exited, 0, false}));
  EXPECT_EQ(seen.out, "there done");
}

} // namespace
} // namespace checker
