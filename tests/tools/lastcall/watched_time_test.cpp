// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tracer/watched_time.hpp"

#include <gtest/gtest.h>

namespace checker {
namespace {

using namespace std::chrono_literals;

TEST(WatchedTime, IsTheTimeBetweenLooksThatFollowCloselyOnEachOther) {
  const watched_time::clock::time_point start{1h};
  watched_time time{start};
  EXPECT_EQ(time.total(), seconds{0});
  time.look(start + 2ms);
  time.look(start + 12ms);
  EXPECT_EQ(time.total(), seconds{12ms});
  EXPECT_EQ(time.last_look(), start + 12ms);
}

TEST(WatchedTime, AGapCountsAsOneStep) {
  // Limits passed while the machine was suspended, and requests on their way were taken for lost.
  const watched_time::clock::time_point start{1h};
  watched_time time{start};
  time.look(start + 1h);
  EXPECT_EQ(time.total(), seconds{watched_time::longest_step});
  time.look(start + 1h + 1ms);
  EXPECT_EQ(time.total(), seconds{watched_time::longest_step + 1ms});
}

} // namespace
} // namespace checker
