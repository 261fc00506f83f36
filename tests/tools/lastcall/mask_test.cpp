// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "judge/mask.hpp"
#include "judge/name_shape.hpp"

#include <gtest/gtest.h>

namespace {

using namespace checker;

TEST(Mask, RandomPartsOfTemporaryNamesDisappear) {
  EXPECT_EQ(mask_path("sedk3JxQ9"), "sed??????");
  EXPECT_EQ(mask_path(".git/objects/3f/tmp_obj_aB3x9Z"), ".git/objects/?"
                                                         "?/tmp_obj_??????");
  EXPECT_EQ(mask_path("cc9XkLmq.s"), "cc??????.s");
  EXPECT_EQ(mask_path("core.4711"), "core.????");
  EXPECT_EQ(mask_path("0123456789abcdef"), "????????????????");
}

TEST(Mask, WordsStay) {
  for (const char* name : {"index.lock", "Makefile", "README", "src/lib/output.txt", "archive.tar.xz"})
    EXPECT_EQ(mask_path(name), name);
}

TEST(Mask, NumbersAndAddressesInLinesDisappear) {
  EXPECT_EQ(mask_numbers("==4711==ERROR: at 0x7ffc01 pc 12"), "==#==ERROR: at # pc #");
}

TEST(Mask, ARandomNameThatLooksLikeAWordIsOfTheSameGroup) {
  EXPECT_TRUE(same_under_mask("STRAY sed??????", "STRAY sedabcdef"));
  EXPECT_FALSE(same_under_mask("STRAY sed??????", "STRAY sedabcde"));
  EXPECT_FALSE(same_under_mask("STRAY a", "STRAY b"));
  EXPECT_FALSE(same_under_mask("STRAY sed??????", "STRAY sed/a/b/c"));
}

TEST(Mask, AFewMaskedCharactersStandForNothingElse) {
  EXPECT_FALSE(same_under_mask("STRAY ????", "STRAY lock"));
  EXPECT_TRUE(same_under_mask("STRAY ????", "STRAY ????"));
}

TEST(NameShape, MatchesNamesWithAnotherRandomPart) {
  const auto shape = name_shape::of("d/out.k3JxQ9.tmp", "d/out.Zb81ka.tmp");
  ASSERT_TRUE(shape);
  EXPECT_TRUE(shape->matches("d/out.aaaaaa.tmp"));
  EXPECT_FALSE(shape->matches("d/out.aaaaa.tmp"));
  EXPECT_FALSE(shape->matches("e/out.aaaaaa.tmp"));
  EXPECT_FALSE(shape->matches("d/out.aaaaaa.lock"));
}

TEST(NameShape, RandomPartsThatShareCharactersByChanceStillMatch) {
  const auto shape = name_shape::of("out.k3JxQ9.tmp", "out.kb81k9.tmp");
  ASSERT_TRUE(shape);
  EXPECT_TRUE(shape->matches("out.Zyx123.tmp"));
}

TEST(NameShape, NumbersMayHaveAnyLength) {
  const auto shape = name_shape::of("log.9", "log.10");
  ASSERT_TRUE(shape);
  EXPECT_TRUE(shape->matches("log.123456"));
  EXPECT_FALSE(shape->matches("log.x"));
}

TEST(NameShape, DifferentNamesHaveNone) {
  EXPECT_FALSE(name_shape::of("a.lock", "output.txt"));
  EXPECT_FALSE(name_shape::of("a/x1", "b1/x"));
  EXPECT_FALSE(name_shape::of("same", "same"));
}

} // namespace
