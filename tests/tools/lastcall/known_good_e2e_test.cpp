// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tools/lastcall/command.hpp"

#include <gtest/gtest.h>

// Programs that end well wherever they are asked. A finding here is a false alarm.

namespace {

using namespace checker::e2e;

void expect_clean(const std::string& name, const std::string& how) {
  const auto done = check({"--scope", "process,group", "--isolation", how}, {subject("good/" + name)});
  EXPECT_EQ(done.exit_status(), 0) << done.all();
  ASSERT_TRUE(done.report.is_object()) << done.all();
  EXPECT_TRUE(done.report.at("findings").empty()) << done.all();
  EXPECT_GT(done.report.at("runs"), 20) << done.all();
  // Whether a thread has to wait for a lock that others want, too, is chance: a sleep may not come again.
  const int by_chance = name == "threads" ? done.report.at("runs").get<int>() / 10 : 0;
  EXPECT_LE(done.report.at("not_injected"), by_chance) << done.all();
}

class KnownGood : public testing::TestWithParam<const char*> {};

TEST_P(KnownGood, NothingIsFound) { expect_clean(GetParam(), "auto"); }
TEST_P(KnownGood, NothingIsFoundUnderASubreaper) { expect_clean(GetParam(), "subreaper"); }

INSTANTIATE_TEST_SUITE_P(Programs, KnownGood,
                         testing::Values("children", "critical_section", "default_death", "temp_rename",
                                         "threads", "wait_ppoll", "wait_self_pipe", "wait_signalfd",
                                         "wait_sigwait"),
                         [](const auto& each) { return std::string(each.param); });

} // namespace
