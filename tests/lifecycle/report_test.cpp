// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/lifecycle/report.hpp>

#include "runtime/duration_text.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>

namespace {

using namespace std::chrono_literals;
using lastcall::component_fate;
using lastcall::report;
using lastcall::detail::duration_text;

TEST(DurationText, UnitsFollowTheSize) {
  EXPECT_EQ(duration_text(420us), "0.4 ms");
  EXPECT_EQ(duration_text(200ms), "200 ms");
  EXPECT_EQ(duration_text(999'600us), "1.00 s");
  EXPECT_EQ(duration_text(1250ms), "1.25 s");
  EXPECT_EQ(duration_text(59'999ms), "0 min 59 s");
  EXPECT_EQ(duration_text(125s), "2 min 5 s");
}

report sample() {
  report r;
  r.application = "shop";
  r.why = "stopped by SIGTERM";
  r.took = 1250ms;
  r.components.push_back(
      {.name = "db", .fate = component_fate::stopped, .start_took = 200ms, .stop_took = 150ms});
  return r;
}

TEST(Report, AStopThatWasAskedForIsClean) {
  EXPECT_TRUE(sample().clean());
  EXPECT_EQ(describe(sample()), "shop: stopped by SIGTERM; 1.25 s, exit status 0\n"
                                "  db started in 200 ms, stopped in 150 ms\n");
}

TEST(Report, WhoIsLateIsNamedWithItsLastWords) {
  auto r = sample();
  r.components.push_back({.name = "http",
                          .fate = component_fate::abandoned,
                          .start_took = 20ms,
                          .stop_took = 5s,
                          .start_was_slow = true,
                          .progress = "12 requests in flight"});
  r.end = {75};
  EXPECT_FALSE(r.clean());
  EXPECT_EQ(describe(r),
            "shop: stopped by SIGTERM; 1.25 s, exit status 75\n"
            "  db   started in 200 ms, stopped in 150 ms\n"
            "  http started in 20 ms (slow), abandoned after 5.00 s in its stop, which last said "
            "\"12 requests in flight\"\n");
}

TEST(Report, FailuresAreNotCleanAndAreAllThere) {
  auto r = sample();
  r.components[0].fate = component_fate::stop_failed;
  r.components[0].error = "disk full";
  r.components.push_back({.name = "http", .fate = component_fate::start_failed, .error = "port taken"});
  r.components.push_back({.name = "cache"});
  r.failures.push_back("the main function: no route");
  const auto text = describe(r);
  EXPECT_FALSE(r.clean());
  EXPECT_NE(text.find("failed to stop after 150 ms: disk full"), text.npos);
  EXPECT_NE(text.find("failed to start after 0.0 ms: port taken"), text.npos);
  EXPECT_NE(text.find("cache was never started"), text.npos);
  EXPECT_NE(text.find("failure: the main function: no route"), text.npos);
}

TEST(Report, EachRequestStandsThereWithItsSenderAndTime) {
  auto r = sample();
  r.began = lastcall::time_point{10s};
  r.requests.push_back({.cause = lastcall::cause::signal,
                        .signal = SIGINT,
                        .sender_pid = 812,
                        .when = lastcall::time_point{11s}});
  r.end = {130, SIGINT};
  const auto text = describe(r);
  EXPECT_NE(text.find("ends by SIGINT"), text.npos);
  EXPECT_NE(text.find("request: SIGINT from pid 812"), text.npos);
  EXPECT_NE(text.find("after 1.00 s"), text.npos);
}

} // namespace
