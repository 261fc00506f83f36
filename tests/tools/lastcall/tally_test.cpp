// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "report/tally.hpp"
#include "tools/lastcall/trees.hpp"

#include <gtest/gtest.h>

namespace {

using namespace checker;
using namespace checker::written;

run at_index(std::size_t index, position where = position::before, int signal = SIGINT) {
  run made = interrupted();
  made.index = index;
  made.asked->where.at = where;
  made.asked->signal = signal;
  return made;
}

observation stray(const std::string& name, const std::string& masked) {
  return {.what = verdict::leftover,
          .signature = "leftover: STRAY " + masked,
          .files = {"STRAY " + name},
          .sentence = "leaves STRAY " + name};
}

TEST(Tally, EqualSignaturesAreOneFindingWithTheFirstPointAsExample) {
  tally seen;
  seen.add(at_index(7), {stray("sedAbC123", "sed??????")});
  seen.add(at_index(3, position::after, SIGTERM), {stray("sedX9y8Z7", "sed??????")});
  seen.add(at_index(5), {stray("sedabcdef", "sedabcdef")});
  const auto found = seen.findings();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].count, 3u);
  EXPECT_EQ(found[0].at.index, 3u);
  EXPECT_EQ(found[0].shown.files, std::vector<std::string>{"STRAY sedX9y8Z7"});
  EXPECT_EQ(found[0].shown.signature, "leftover: STRAY sed??????");
  EXPECT_EQ(found[0].positions.at(position::before), 2u);
  EXPECT_EQ(found[0].signals.at(SIGTERM), 1u);
}

TEST(Tally, TheMaskedSignatureStandsForItsGroupEvenWhenItCameLater) {
  tally seen;
  seen.add(at_index(1), {stray("sedabcdef", "sedabcdef")});
  seen.add(at_index(2), {stray("sedX9y8Z7", "sed??????")});
  ASSERT_EQ(seen.findings().size(), 1u);
  EXPECT_EQ(seen.findings()[0].shown.signature, "leftover: STRAY sed??????");
  EXPECT_EQ(seen.findings()[0].at.index, 1u);
}

TEST(Tally, GroupsBecomeOneWhenAMaskCoversBoth) {
  tally seen;
  seen.add(at_index(4), {stray("sedabcdef", "sedabcdef")});
  seen.add(at_index(2), {stray("sedghijkl", "sedghijkl")});
  seen.add(at_index(6), {stray("other", "other")});
  EXPECT_EQ(seen.distinct(), 3u);
  seen.add(at_index(3), {stray("sedX9y8Z7", "sed??????")});
  ASSERT_EQ(seen.distinct(), 2u);
  const auto found = seen.findings();
  EXPECT_EQ(found[0].count, 3u);
  EXPECT_EQ(found[0].at.index, 2u);
  EXPECT_EQ(found[0].shown.signature, "leftover: STRAY sed??????");
  EXPECT_EQ(found[0].positions.at(position::before), 3u);
}

TEST(Tally, ARunThatWasNotInjectedIsNeverAPass) {
  tally seen;
  run missed = at_index(4);
  missed.delivered = delivery::none;
  missed.not_injected = "the point was not reached";
  seen.add(missed, {});
  EXPECT_TRUE(seen.proves_nothing());
  ASSERT_EQ(seen.reasons().size(), 1u);
  EXPECT_EQ(seen.reasons().at("the point was not reached").count, 1u);
  seen.add(at_index(5), {});
  EXPECT_FALSE(seen.proves_nothing());
  EXPECT_EQ(seen.count_not_injected(), 1u);
}

TEST(Tally, SwallowedRequestsAreKept) {
  const auto reference = known({}, {});
  tally seen;
  seen.plan(reference, 1, 1);
  run through = at_index(1);
  through.end = {.how = ending::how::exited};
  through.out = "done\n";
  seen.add(through, {});
  EXPECT_EQ(seen.swallowed().size(), 1u);
  EXPECT_EQ(seen.distinct(), 0u);
}

TEST(Tally, FindingsAreOrderedByVerdictThenCount) {
  tally seen;
  seen.add(at_index(1), {stray("a", "a")});
  seen.add(at_index(2), {stray("b", "b")});
  seen.add(at_index(3), {stray("b", "b")});
  seen.add(at_index(4),
           {{.what = verdict::hang, .signature = "hang: x", .files = {}, .sentence = "never ends"}});
  const auto found = seen.findings();
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].shown.what, verdict::hang);
  EXPECT_EQ(found[1].shown.files[0], "STRAY b");
  EXPECT_EQ(found[2].shown.files[0], "STRAY a");
}

} // namespace
