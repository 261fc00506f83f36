// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tools/lastcall/one_run.hpp"

#include "explore/explore.hpp"

#include <algorithm>
#include <ostream>

namespace checker {

// For the names of tests.
void PrintTo(isolation how, std::ostream* to) {
  *to << (how == isolation::automatic ? "automatic" : "subreaper");
}

namespace {

using testing::one_run;
using testing::probe;

class Position : public ::testing::TestWithParam<isolation> {};

TEST_P(Position, BeforeIsAheadOfTheCall) {
  one_run order{{probe("tell_order")}, GetParam()};
  const auto seen = order.at("0:write(1)#2@before");
  EXPECT_EQ(seen.delivered, delivery::delivered) << seen.not_injected;
  EXPECT_EQ(seen.out, "a!bc");
}

TEST_P(Position, AfterIsBehindTheCall) {
  one_run order{{probe("tell_order")}, GetParam()};
  const auto seen = order.at("0:write(1)#2@after");
  EXPECT_EQ(seen.delivered, delivery::delivered) << seen.not_injected;
  EXPECT_EQ(seen.out, "ab!c");
}

TEST_P(Position, DuringCutsASleepingCallShortAndLooksLikeKill) {
  one_run sender{{probe("tell_sender")}, GetParam()};
  const auto seen = sender.at("0:read(60)#1@during");
  EXPECT_EQ(seen.delivered, delivery::delivered) << seen.not_injected;
  EXPECT_EQ(seen.out, "user cut");
}

TEST_P(Position, BeforeASleepingCallDoesNotCutItShort) {
  one_run sender{{probe("tell_sender")}, GetParam()};
  EXPECT_EQ(sender.at("0:read(60)#1@before").out, "user");
}

TEST_P(Position, DuringACallThatDoesNotSleepIsNotInjected) {
  one_run order{{probe("tell_order")}, GetParam()};
  const auto seen = order.at("0:write(1)#2@during");
  EXPECT_EQ(seen.delivered, delivery::none);
  EXPECT_EQ(seen.not_injected, "the call did not sleep this time");
}

TEST_P(Position, APointThatIsNeverReachedIsNotInjected) {
  one_run order{{probe("tell_order")}, GetParam()};
  const auto seen = order.at("0:write(1)#99@before");
  EXPECT_EQ(seen.delivered, delivery::none);
  EXPECT_EQ(seen.not_injected, "the point was not reached");
}

TEST_P(Position, TheThreadAtThePointTakesTheRequest) {
  one_run threads{{probe("two_threads")}, GetParam()};
  EXPECT_EQ(threads.at("0/1:sync()#1@before").out, "t");
  EXPECT_EQ(threads.at("0/1:sync()#1@after").out, "t");
}

TEST_P(Position, AChildsPointSendsTheRequestToTheFirstProcessOrToAll) {
  one_run family{{probe("family")}, GetParam()};
  const auto alone = family.at("0.2.1:write(1)#1@before");
  EXPECT_EQ(alone.delivered, delivery::delivered) << alone.not_injected;
  EXPECT_EQ(alone.end, (ending{ending::how::signaled, SIGINT, false}));
  const auto all = family.at("0.2.1:write(1)#1@before", target_scope::group);
  EXPECT_EQ(all.end, (ending{ending::how::signaled, SIGINT, false}));
  EXPECT_EQ(all.out, "") << "the grandchild must have got it too";
}

TEST_P(Position, AChildsPointSendsTheRequestToItAloneWhereTheCallerIsMeant) {
  one_run family{{probe("family")}, GetParam()};
  const auto seen = family.at("0.2.1:write(1)#1@before", target_scope::caller);
  EXPECT_EQ(seen.delivered, delivery::delivered) << seen.not_injected;
  EXPECT_EQ(seen.end, (ending{ending::how::exited, 0, false}));
  EXPECT_EQ(seen.out, "");
}

TEST_P(Position, AProcessThatIsKilledLeavesItsHelper) {
  one_run leaves{{probe("has_helper")}, GetParam()};
  leaves.setup().wanted.grace = seconds{0.1};
  for (const char* where : {"0:write(1)#1@before", "0:write(1)#1@after"}) {
    const auto seen = leaves.at(where, target_scope::process, SIGKILL);
    EXPECT_EQ(seen.delivered, delivery::delivered) << seen.not_injected;
    EXPECT_EQ(seen.end, (ending{ending::how::signaled, SIGKILL, false}));
    ASSERT_EQ(seen.survivors.size(), 1U);
    EXPECT_EQ(seen.survivors.front().role, "0.1");
  }
  const auto asleep = leaves.at("0.1:pause()#1@during", target_scope::caller, SIGKILL);
  EXPECT_EQ(asleep.end, (ending{ending::how::exited, 0, false})) << asleep.not_injected;
}

TEST_P(Position, EveryCallOfTheProgramIsFound) {
  one_run order{{probe("tell_order")}, GetParam()};
  const auto& known = order.learn();
  const auto writes = std::ranges::count_if(
      known.candidates, [](const candidate& one) { return one.where.call == "write(1)" && one.can_after; });
  EXPECT_EQ(writes, 3);
  EXPECT_EQ(known.candidates.back().where.call, "exit_group()");
  EXPECT_FALSE(known.candidates.back().can_after) << "it never returns";
}

TEST_P(Position, AProgramThatTicksForEverIsAskedWhileItPauses) {
  one_run ticks{{probe("ticks")}, GetParam()};
  ticks.setup().wanted.undisturbed_limit = seconds{1};
  const auto& known = ticks.learn();
  EXPECT_FALSE(known.known.ends_by_itself);
  EXPECT_EQ(known.candidates.back().where.call, "idle()");
  const auto seen = ticks.at("0:idle()#1@during");
  EXPECT_EQ(seen.delivered, delivery::delivered) << seen.not_injected;
  EXPECT_EQ(seen.out, "stopped");
}

TEST_P(Position, APointThatIsNeverReachedInAProgramThatTicksForEverIsGivenUp) {
  one_run ticks{{probe("ticks")}, GetParam()};
  ticks.setup().wanted.undisturbed_limit = seconds{1};
  EXPECT_EQ(ticks.at("0:pause()#1@before").not_injected, "the point was not reached");
}

INSTANTIATE_TEST_SUITE_P(Isolation, Position, ::testing::Values(isolation::automatic, isolation::subreaper),
                         [](const auto& which) {
                           return which.param == isolation::automatic ? "Automatic" : "Subreaper";
                         });

TEST(Sandbox, PidsAreTheSameInEveryRun) {
  if (::geteuid() != 0) GTEST_SKIP() << "pid namespaces need privileges that this user may not have";
  one_run family{{probe("family")}, isolation::namespaces};
  const auto& known = family.learn();
  ASSERT_EQ(known.known.undisturbed.size(), 2U);
  // PID 1 is init, 2 the subject, 3 and 4 its children, 5 the grandchild.
  EXPECT_EQ(known.known.undisturbed[0].out, "5");
  EXPECT_EQ(known.known.undisturbed[1].out, "5");
}

} // namespace
} // namespace checker
