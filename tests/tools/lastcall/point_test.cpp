// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "subject/point.hpp"

#include <gtest/gtest.h>
#include <ostream>

namespace checker {
namespace {

TEST(Point, ItsKeyReadsBackAsThePoint) {
  const point odd{"0.2/1", "openat(./a#b@c:d,O_RDONLY)", 17, position::during};
  std::string why;
  EXPECT_EQ(point::parse(odd.key(), why), odd) << why;
  EXPECT_EQ(odd.key(), "0.2/1:openat(./a#b@c:d,O_RDONLY)#17@during");
}

struct bad_key {
  const char* text;
  const char* why;
};

std::ostream& operator<<(std::ostream& to, const bad_key& what) { return to << '"' << what.text << '"'; }

class MalformedPoint : public ::testing::TestWithParam<bad_key> {};

TEST_P(MalformedPoint, IsRefusedAndNamed) {
  std::string why;
  EXPECT_FALSE(point::parse(GetParam().text, why));
  EXPECT_EQ(why, GetParam().why);
}

INSTANTIATE_TEST_SUITE_P(
    Keys, MalformedPoint,
    ::testing::Values(
        bad_key{"", "it is not of the form role:call#ordinal@position"},
        bad_key{"read(3)", "it is not of the form role:call#ordinal@position"},
        bad_key{"x:read(3)#1@before", "\"x\" is not a role such as 0, 0.1 or 0/2"},
        bad_key{":read(3)#1@before", "\"\" is not a role such as 0, 0.1 or 0/2"},
        bad_key{"0:read#1@before", "\"read\" is not a call such as read(3)"},
        bad_key{"0:#1@before", "\"\" is not a call such as read(3)"},
        bad_key{"0:read(3)#0@before", "\"0\" is not an ordinal: a whole number from 1"},
        bad_key{"0:read(3)#1x@before", "\"1x\" is not an ordinal: a whole number from 1"},
        bad_key{"0:read(3)#99999999999@before", "\"99999999999\" is not an ordinal: a whole number from 1"},
        bad_key{"0:read(3)#1@between", "\"between\" is not a position: before, during or after"}));

} // namespace
} // namespace checker
