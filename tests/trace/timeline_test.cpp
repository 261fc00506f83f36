// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/trace/timeline.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>

using lastcall::event;
using lastcall::event_kind;
using lastcall::inline_text;
using lastcall::timeline;

TEST(InlineText, CutsOffWhatDoesNotFit) {
  EXPECT_EQ(inline_text<5>{"abc"}, "abc");
  EXPECT_EQ(inline_text<5>{"abcdefgh"}, "abcde");
  EXPECT_TRUE(inline_text<5>{}.empty());
}

TEST(Timeline, KeepsEventsInOrderWithTheirTime) {
  timeline log;
  const auto before = lastcall::clock::now();
  log.record(event_kind::start_begin, "db", "connecting");
  log.record(event_kind::start_end, "db");
  const auto events = log.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, event_kind::start_begin);
  EXPECT_EQ(events[0].name, "db");
  EXPECT_EQ(events[0].detail, "connecting");
  EXPECT_LE(before, events[0].when);
  EXPECT_LE(events[0].when, events[1].when);
}

TEST(Timeline, KeepsTheFirstAndCountsTheRestWhichSinksStillGet) {
  timeline log{3};
  int seen = 0;
  const auto sink = log.add_sink([&](const event&) { ++seen; });
  for (int i = 0; i < 10; ++i) log.record(event_kind::note, std::to_string(i));
  ASSERT_EQ(log.events().size(), 3U);
  EXPECT_EQ(log.events()[0].name, "0");
  EXPECT_EQ(log.dropped(), 7U);
  EXPECT_EQ(seen, 10);
}

TEST(Timeline, AThrowingSinkIsContainedAndCounted) {
  timeline log;
  int seen = 0;
  const auto bad = log.add_sink([](const event&) { throw std::runtime_error{"no paper"}; });
  const auto odd = log.add_sink([](const event&) { throw 5; });
  const auto good = log.add_sink([&](const event&) { ++seen; });
  log.record(event_kind::note, "a");
  log.record(event_kind::note, "b");
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(log.failed_sinks(), 4U);
}

TEST(Timeline, ASinkMayRecordReadAndRemoveItself) {
  timeline log;
  int calls = 0;
  timeline::sink_handle own;
  own = log.add_sink([&](const event&) {
    ++calls;
    log.record(event_kind::note, "from the sink");
    EXPECT_EQ(log.events().size(), 2U);
    own.reset();
  });
  log.record(event_kind::note, "first");
  log.record(event_kind::note, "second");
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(log.events().size(), 3U);
}

TEST(Timeline, ASinkThatWentIsNotCalled) {
  timeline log;
  int calls = 0;
  {
    auto sink = log.add_sink([&](const event&) { ++calls; });
    const auto moved = std::move(sink);
    log.record(event_kind::note, "x");
  }
  log.record(event_kind::note, "y");
  EXPECT_EQ(calls, 1);
}

TEST(Timeline, ManyThreadsRecordAndSinksSeeTheOrderOfTheTimeline) {
  timeline log{4000};
  std::vector<std::string> seen;
  const auto sink = log.add_sink([&](const event& e) { seen.emplace_back(e.name.view()); });
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 1000; ++i) log.record(event_kind::note, std::to_string(t * 1000 + i));
      });
  }
  const auto events = log.events();
  ASSERT_EQ(events.size(), 4000U);
  ASSERT_EQ(seen.size(), 4000U);
  for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(events[i].name, seen[i]);
}
