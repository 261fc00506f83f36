// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/family.hpp"

#include <gtest/gtest.h>

namespace checker {
namespace {

TEST(Family, RolesTellTheDescent) {
  family subject;
  const auto first = subject.found(10);
  EXPECT_EQ(first.role, "0");
  EXPECT_EQ(subject.adopt(first, 11, 10).role, "0/1");
  EXPECT_EQ(subject.adopt(first, 12, 12).role, "0.1");
  EXPECT_EQ(subject.adopt(first, 13, 13).role, "0.2");
  EXPECT_EQ(subject.adopt(*subject.find(13), 14, 14).role, "0.2.1");
  EXPECT_EQ(subject.adopt(*subject.find(11), 15, 10).role, "0/2") << "threads are counted per process";
  EXPECT_EQ(subject.adopt(*subject.find(11), 16, 16).role, "0/1.1") << "children per creating thread";
  EXPECT_EQ(subject.adopt(*subject.find(16), 17, 16).role, "0/1.1/1");
}

TEST(Family, ANumberUsedTwiceGetsANewRole) {
  family subject;
  const auto first = subject.found(10);
  subject.adopt(first, 11, 11);
  subject.remove(11);
  EXPECT_EQ(subject.adopt(first, 11, 11).role, "0.2");
}

TEST(Family, ANewcomerHasNoRoleUntilItIsReported) {
  family subject;
  const auto first = subject.found(10);
  subject.add_newcomer(11).is_stopped = true;
  EXPECT_EQ(subject.find(11)->role, "");
  const auto& adopted = subject.adopt(first, 11, 11);
  EXPECT_EQ(adopted.role, "0.1");
  EXPECT_TRUE(adopted.is_stopped) << "it came before its report and waits";
}

TEST(Family, ExecLeavesOneThreadUnderTheProcessesNumber) {
  family subject;
  const auto first = subject.found(10);
  subject.adopt(first, 11, 10);
  subject.adopt(first, 12, 10);
  const auto* now = subject.rename_after_exec(12, 10);
  ASSERT_NE(now, nullptr);
  EXPECT_EQ(now->thread, 10);
  EXPECT_EQ(now->role, "0");
  EXPECT_EQ(subject.members().size(), 1U);
}

TEST(Family, TheProcessOfARoleIsItsRoleWithoutTheThread) {
  EXPECT_EQ(process_role("0"), "0");
  EXPECT_EQ(process_role("0/3"), "0");
  EXPECT_EQ(process_role("0/3.1"), "0/3.1");
  EXPECT_EQ(process_role("0/3.1/2"), "0/3.1");
}

} // namespace
} // namespace checker
