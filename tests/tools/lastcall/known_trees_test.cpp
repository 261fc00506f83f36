// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "judge/known_trees.hpp"
#include "tools/lastcall/trees.hpp"

#include <gtest/gtest.h>

namespace {

using namespace checker;
using namespace checker::written;

std::string found(const reference& known, const tree& final) {
  std::string all;
  for (const auto& each : known_trees(known, &run::work).compare(final).leftovers)
    all += std::string(all.empty() ? "" : ", ") + std::string(to_string(each.what)) + ' ' + each.path;
  return all;
}

comparison compared(const reference& known, const tree& final) {
  return known_trees(known, &run::work).compare(final);
}

const tree before = files({{"in", "1"}, {"out", "old text"}});
const tree after = files({{"in", "1"}, {"out", "new text"}, {"log", "entry"}});

TEST(KnownTrees, InitialAndCompletedAreFine) {
  const auto reference = known(before, after);
  EXPECT_EQ(found(reference, before), "");
  EXPECT_EQ(found(reference, after), "");
  EXPECT_TRUE(compared(reference, before).is_initial);
  EXPECT_FALSE(compared(reference, before).is_completed);
  EXPECT_TRUE(compared(reference, before).is_incomplete);
  EXPECT_TRUE(compared(reference, after).is_completed);
  EXPECT_TRUE(compared(reference, after).has_work);
  EXPECT_FALSE(compared(reference, after).is_incomplete);
}

TEST(KnownTrees, EachPathMayBeInEitherState) {
  const auto between = files({{"in", "1"}, {"out", "new text"}});
  const auto reference = known(before, after);
  EXPECT_EQ(found(reference, between), "");
  EXPECT_FALSE(compared(reference, between).is_initial);
  EXPECT_FALSE(compared(reference, between).is_completed);
}

TEST(KnownTrees, EveryKindOfLeftoverHasItsName) {
  const auto reference = known(before, after);
  EXPECT_EQ(found(reference, files({{"in", "1"}, {"out", "old text"}, {"out.lock", ""}})), "STRAY out.lock");
  EXPECT_EQ(found(reference, files({{"in", "1"}, {"out", ""}})), "EMPTY out");
  EXPECT_EQ(found(reference, files({{"in", "1"}, {"out", "new"}})), "PARTIAL out");
  EXPECT_EQ(found(reference, files({{"in", "1"}, {"log", "entry"}})), "MISSING out");
  EXPECT_EQ(found(reference, files({{"in", "1"}, {"out", "old text"}, {"log", ""}})), "EMPTY log");
}

TEST(KnownTrees, AnotherModeIsPartial) {
  tree final = after;
  final["out"].mode = 0600;
  EXPECT_EQ(found(known(before, after), final), "PARTIAL out");
}

TEST(KnownTrees, ContentsThatVaryByThemselvesAreComparedBySizeOnly) {
  auto reference = known(before, after);
  reference.undisturbed[1].work["log"].digest = "other";
  auto final = after;
  final["log"].digest = "third";
  EXPECT_EQ(found(reference, final), "");
  EXPECT_TRUE(compared(reference, final).is_completed);
  final["log"] = file("");
  EXPECT_EQ(found(reference, final), "EMPTY log");
  final["log"] = file("much more than an entry");
  EXPECT_EQ(found(reference, final), "PARTIAL log");
}

TEST(KnownTrees, NamesThatVaryByThemselvesAreMatchedByShape) {
  auto reference = known(before, before);
  reference.undisturbed[0].work["out.k3JxQ9"] = file("text");
  reference.undisturbed[1].work["out.Zb81ka"] = file("text");
  auto final = before;
  EXPECT_FALSE(compared(reference, final).is_completed);
  EXPECT_TRUE(compared(reference, final).is_incomplete);
  final["out.aaaaaa"] = file("text");
  EXPECT_EQ(found(reference, final), "");
  EXPECT_TRUE(compared(reference, final).is_completed);
  final["out.aaaaaa"] = file("");
  EXPECT_EQ(found(reference, final), "EMPTY out.aaaaaa");
  final.erase("out.aaaaaa");
  final["out.lock"] = file("");
  EXPECT_EQ(found(reference, final), "STRAY out.lock");
}

TEST(KnownTrees, WhatIsThereOnlyWhileAProgramWaitsMustGo) {
  auto reference = known({}, files({{"pid", "17"}}));
  reference.ends_by_itself = false;
  reference.stopped.push_back(interrupted(files({{"state", "saved"}})));
  EXPECT_EQ(found(reference, files({{"pid", "17"}})), "STRAY pid");
  EXPECT_EQ(found(reference, files({{"state", "saved"}})), "");
  EXPECT_EQ(found(reference, {}), "");
  EXPECT_EQ(found(reference, files({{"state", "sa"}})), "PARTIAL state");
}

TEST(KnownTrees, WhatOneSignalLeavesIsFine) {
  auto reference = known({}, {});
  reference.ends_by_itself = false;
  reference.stopped.push_back(interrupted(files({{"state", "saved"}})));
  reference.stopped.push_back(interrupted());
  EXPECT_EQ(found(reference, files({{"state", "saved"}})), "");
  EXPECT_EQ(found(reference, {}), "");
  EXPECT_EQ(found(reference, files({{"state", ""}})), "EMPTY state");
}

TEST(KnownTrees, TheInitialTmpIsEmpty) {
  const auto reference = known(before, after);
  const auto compared = known_trees(reference, &run::tmp).compare(files({{"cc12.s", "x"}}));
  ASSERT_EQ(compared.leftovers.size(), 1u);
  EXPECT_EQ(compared.leftovers[0].what, leftover::kind::stray);
}

} // namespace
