// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "report/progress.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace checker;
using namespace std::chrono_literals;

TEST(Progress, TheLineTellsDoneSpeedFindingsAndTimeLeft) {
  const auto line = progress_line(100, 400, 2, 1s, 80);
  EXPECT_NE(line.find("100/400 runs"), std::string::npos) << line;
  EXPECT_NE(line.find("100/s"), std::string::npos) << line;
  EXPECT_NE(line.find("2 found"), std::string::npos) << line;
  EXPECT_NE(line.find("0:03 left"), std::string::npos) << line;
  EXPECT_NE(line.find("[####"), std::string::npos) << line;
}

TEST(Progress, TheLineNeverWraps) {
  for (std::size_t columns = 1; columns < 120; ++columns)
    EXPECT_LT(progress_line(123456, 654321, 12, 10s, columns).size(), columns + (columns == 1)) << columns;
}

TEST(Progress, NothingPlannedDividesByNothing) { EXPECT_FALSE(progress_line(0, 0, 0, 0s, 80).empty()); }

TEST(Progress, NothingIsDrawnIntoAPipe) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);
  {
    progress line{ends[1], progress::wanted::if_terminal};
    line.note("x");
    line.update(1, 2, 0);
  }
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), -1);
  ::close(ends[0]);
  ::close(ends[1]);
}

} // namespace
