// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "judge/verdict.hpp"
#include "tools/lastcall/trees.hpp"

#include <gtest/gtest.h>

namespace {

using namespace checker;
using namespace checker::written;

const tree before;
const tree after = files({{"out", "text"}});

std::string verdicts(const reference& known, const run& judged) {
  std::string all;
  for (const auto& each : judge(known, judged))
    all += std::string(all.empty() ? "" : " ") + std::string(to_string(each.what));
  return all;
}

run exits(int status, tree work, std::string out = "done\n") {
  run made = interrupted(std::move(work));
  made.end = {.how = ending::how::exited, .value = status};
  made.out = std::move(out);
  return made;
}

run dies(int signal) {
  run made = interrupted();
  made.end = {.how = ending::how::signaled, .value = signal};
  return made;
}

TEST(Judge, DeathByTheInjectedSignalIsFine) { EXPECT_EQ(verdicts(known(before, after), interrupted()), ""); }

TEST(Judge, ARunThatWasNotInjectedIsNotJudged) {
  run judged = interrupted(files({{"lock", ""}}));
  judged.delivered = delivery::none;
  EXPECT_EQ(verdicts(known(before, after), judged), "");
}

TEST(Judge, SuccessWithWorkUndoneIsAWrongStatus) {
  EXPECT_EQ(verdicts(known(before, after), exits(0, before)), "wrong_status");
  EXPECT_EQ(verdicts(known(before, after), exits(0, after)), "");
}

TEST(Judge, SuccessWithOutputCutIsAWrongStatus) {
  EXPECT_EQ(verdicts(known(before, before), exits(0, before, "do")), "wrong_status");
  EXPECT_EQ(verdicts(known(before, before), exits(0, before, "stopped early\n")), "");
}

TEST(Judge, OutputThatVariesByItselfIsNotCut) {
  auto reference = known(before, before);
  reference.undisturbed[1].out = "done at 12:01\n";
  EXPECT_EQ(verdicts(reference, exits(0, before, "do")), "");
}

TEST(Judge, FailureWithAllWorkDoneIsAWrongStatus) {
  EXPECT_EQ(verdicts(known(before, after), exits(1, after)), "wrong_status");
  EXPECT_EQ(verdicts(known(before, after), exits(128 + SIGINT, after)), "");
  EXPECT_EQ(verdicts(known(before, after), exits(1, before, "")), "");
}

TEST(Judge, DeathByASignalNobodySentIsAWrongStatus) {
  EXPECT_EQ(verdicts(known(before, after), dies(SIGPIPE)), "wrong_status");
}

TEST(Judge, AServicesCleanStopIsASuccess) {
  auto reference = known(before, before);
  reference.ends_by_itself = false;
  reference.stopped.push_back(exits(0, before, ""));
  EXPECT_EQ(verdicts(reference, exits(0, before, "")), "");
}

TEST(Judge, CrashesOfTheProgramAndItsChildrenAreFound) {
  EXPECT_EQ(verdicts(known(before, after), dies(SIGSEGV)), "crash");
  EXPECT_EQ(verdicts(known(before, after), exits(128 + SIGABRT, before)), "crash");
  run judged = interrupted();
  judged.crashes.push_back({.role = "0.1", .command = "helper", .signal = SIGABRT});
  EXPECT_EQ(verdicts(known(before, after), judged), "crash");
  auto reference = known(before, after);
  reference.undisturbed[0].crashes = judged.crashes;
  EXPECT_EQ(verdicts(reference, judged), "");
}

TEST(Judge, HangsAreGroupedByWhatTheyWaitFor) {
  run judged = interrupted();
  judged.end = {.how = ending::how::hung};
  judged.hung =
      hang{.kind = hang_kind::deadlock,
           .threads = {{.role = "0", .command = "prog", .state = 'S', .call = "pause()", .channel = {}}}};
  const auto found = judge(known(before, after), judged);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].signature, "hang: deadlock: pause()");
  EXPECT_NE(found[0].sentence.find("pause()"), std::string::npos);
}

TEST(Judge, SurvivorsCountUnlessTheySurviveUndisturbed) {
  run judged = interrupted();
  judged.survivors.push_back(
      {.role = "0.1", .command = "sleep", .state = 'S', .call = "nanosleep()", .channel = {}});
  EXPECT_EQ(verdicts(known(before, after), judged), "survivor");
  auto reference = known(before, after);
  reference.undisturbed[1].survivors = judged.survivors;
  EXPECT_EQ(verdicts(reference, judged), "");
}

TEST(Judge, LeftoversOfBothTreesAreNamed) {
  run judged = interrupted(files({{"out.lock", ""}}));
  judged.tmp = files({{"ccXa81kZ.s", "x"}});
  const auto found = judge(known(before, after), judged);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].files, (std::vector<std::string>{"STRAY out.lock", "STRAY $TMPDIR/ccXa81kZ.s"}));
  EXPECT_EQ(found[0].signature, "leftover: STRAY $TMPDIR/cc??????.s, STRAY out.lock");
}

TEST(Judge, ARerunIsHeldAgainstBothKnownEndings) {
  auto reference = known(before, after);
  reference.from_completed = rerun{.end = {.how = ending::how::exited, .value = 2}};
  run judged = interrupted(files({{"out", "te"}}));
  const auto with = [&](ending end) {
    judged.again = rerun{.end = end};
    return verdicts(reference, judged);
  };
  EXPECT_EQ(with({.how = ending::how::exited, .value = 0}), "leftover");
  EXPECT_EQ(with({.how = ending::how::exited, .value = 2}), "leftover");
  EXPECT_EQ(with({.how = ending::how::exited, .value = 128}), "leftover rerun_failed");
  EXPECT_EQ(with({.how = ending::how::hung}), "leftover rerun_failed");
}

TEST(Judge, NoiseIsWhatNoUndisturbedRunWrites) {
  run judged = interrupted();
  judged.err = "stopping\nTraceback (most recent call last):\n  File \"a\", line 12\n";
  EXPECT_EQ(verdicts(known(before, after), judged), "noise");
  auto reference = known(before, after);
  reference.undisturbed[0].err = "Traceback (most recent call last):\n";
  EXPECT_EQ(verdicts(reference, judged), "");
  judged.err = "Interrupted\nTerminated\n";
  EXPECT_EQ(verdicts(known(before, after), judged), "");
}

TEST(Judge, AVerifierThatSaysNoOrCannotRunIsHeard) {
  run judged = interrupted();
  judged.verified = verification{.status = 1, .output = {}};
  EXPECT_EQ(verdicts(known(before, after), judged), "verify_failed");
  judged.verified->status = 127;
  EXPECT_EQ(verdicts(known(before, after), judged), "verify_failed");
  judged.verified->status = 0;
  EXPECT_EQ(verdicts(known(before, after), judged), "");
}

TEST(Judge, OnlyAStateThatIsNeitherInitialNorCompletedIsUnknown) {
  const auto reference = known(files({{"a", "1"}, {"b", "1"}}), files({{"a", "2"}, {"b", "2"}}));
  EXPECT_TRUE(in_known_state(reference, interrupted(files({{"a", "1"}, {"b", "1"}}))));
  EXPECT_TRUE(in_known_state(reference, interrupted(files({{"a", "2"}, {"b", "2"}}))));
  EXPECT_FALSE(in_known_state(reference, interrupted(files({{"a", "2"}, {"b", "1"}}))));
}

TEST(Judge, ARequestWithoutATraceIsSwallowed) {
  const auto reference = known(before, after);
  const auto is_swallowed = [&](const run& judged) {
    return swallowed(reference, judged, judge(reference, judged));
  };
  EXPECT_TRUE(is_swallowed(exits(0, after)));
  EXPECT_FALSE(is_swallowed(exits(0, after, "stopped\n")));
  EXPECT_FALSE(is_swallowed(exits(0, before)));
  EXPECT_FALSE(is_swallowed(interrupted()));
}

} // namespace
