// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/write_core.hpp"

#include <gtest/gtest.h>

namespace {

using lastcall::detail::write_core;

class WriteCore : public testing::Test {
protected:
  WriteCore() { EXPECT_TRUE(core.make_ring(64)); }
  bool accepts(const char* five) {
    core.copy_in(five, 5);
    return core.commit(5);
  }
  write_core core;
};

// A holder whose record was refused has moved `committed` all the same. A second round that came before it
// had let go took that for accepted, and wrote what its holder was about to write again.
TEST_F(WriteCore, DecidesOnceForAHolderThatHasNotComeBack) {
  ASSERT_TRUE(accepts("first"));
  core.take();
  ASSERT_EQ(core.decide(), 5U);
  EXPECT_FALSE(accepts("again"));
  core.take();
  EXPECT_EQ(core.decide(), 5U);
  EXPECT_TRUE(core.still_accepted(5));
  EXPECT_FALSE(core.still_accepted(10));
}

// What it has written since is written.
TEST_F(WriteCore, CountsWhatWentPastItSinceTheDecision) {
  ASSERT_TRUE(core.enter(7));
  core.take();
  ASSERT_EQ(core.decide(), 0U);
  core.note_passed(7);
  core.leave();
  EXPECT_EQ(core.decide(), 7U);
}

TEST_F(WriteCore, DecidesAnewOnceItWasRepaired) {
  core.take();
  ASSERT_EQ(core.decide(), 0U);
  core.repair();
  ASSERT_TRUE(accepts("first"));
  core.take();
  EXPECT_EQ(core.decide(), 5U);
}

} // namespace
