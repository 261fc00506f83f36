// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "explore/masks.hpp"

#include <gtest/gtest.h>

namespace checker {
namespace {

std::vector<recorded_call> calls(std::initializer_list<const char*> texts) {
  std::vector<recorded_call> result;
  for (const auto* text : texts) result.push_back({"0", text, false, true});
  return result;
}

std::string masked(const std::vector<call_mask>& masks, const char* text) {
  call_naming naming{"/work", "/tmp"};
  naming.use_masks(masks);
  return naming.masked(text);
}

TEST(Masks, ARandomFileNameIsMaskedWholeThoughPartsAgreeByChance) {
  const auto masks =
      learn_masks(calls({"openat(./sedAb12Cd,O_RDWR)"}), calls({"openat(./sedAx99Zd,O_RDWR)"}));
  EXPECT_EQ(masked(masks, "openat(./sedQQQQQQ,O_RDWR)"), "openat(./sedXXXXXX,O_RDWR)");
  EXPECT_EQ(masked(masks, "openat(./sed,O_RDWR)"), "openat(./sed,O_RDWR)");
  EXPECT_EQ(masked(masks, "openat(./other,O_RDWR)"), "openat(./other,O_RDWR)");
}

TEST(Masks, ANumberThatVariesIsMasked) {
  const auto masks = learn_masks(calls({"read(9)"}), calls({"read(10)"}));
  EXPECT_EQ(masked(masks, "read(11)"), "read(*)");
}

TEST(Masks, EqualRecordingsTeachNothing) {
  EXPECT_TRUE(learn_masks(calls({"read(3)", "close(3)"}), calls({"read(3)", "close(3)"})).empty());
}

TEST(Masks, NothingIsLearntBehindTheCallWhereTwoRecordingsPart) {
  EXPECT_TRUE(learn_masks(calls({"read(3)", "close(3)"}), calls({"write(3)", "close(4)"})).empty());
}

} // namespace
} // namespace checker
