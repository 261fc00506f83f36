// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "explore/wire.hpp"

#include <csignal>
#include <gtest/gtest.h>

namespace checker {
namespace {

run some_run() {
  run made;
  made.asked = injection{{"0.1", "openat(./a,O_RDONLY)", 3, position::after}, SIGTERM, target_scope::group};
  made.index = 7;
  made.occurrence = 9;
  made.delivered = delivery::pending;
  made.not_injected = "why";
  made.end = {ending::how::signaled, SIGABRT, true};
  made.hung = hang{hang_kind::livelock, {{"0", "prog", 'R', "futex()", "channel"}}};
  made.survivors = {{"0.1", "child", 'S', "pause()", {}}};
  made.crashes = {{"0.2", "other", SIGSEGV, true}};
  made.work = {{"a", {entry::kind::symlink, 0777, 3, "digest"}}};
  made.tmp = {{"b", {}}};
  made.out = std::string{"out\0\xff", 5}; // bytes, not text
  made.err = "err";
  made.elapsed = seconds{1.5};
  made.after_request = seconds{0.5};
  made.again = rerun{{ending::how::exited, 128, false}, true};
  made.verified = verification{2, "said"};
  return made;
}

void expect_equal(const run& a, const run& b) {
  EXPECT_EQ(a.asked->where, b.asked->where);
  EXPECT_EQ(a.asked->signal, b.asked->signal);
  EXPECT_EQ(a.asked->scope, b.asked->scope);
  EXPECT_EQ(a.index, b.index);
  EXPECT_EQ(a.occurrence, b.occurrence);
  EXPECT_EQ(a.delivered, b.delivered);
  EXPECT_EQ(a.not_injected, b.not_injected);
  EXPECT_EQ(a.end, b.end);
  EXPECT_EQ(a.hung->kind, b.hung->kind);
  EXPECT_EQ(a.hung->threads.front().call, b.hung->threads.front().call);
  EXPECT_EQ(a.survivors.front().command, b.survivors.front().command);
  EXPECT_EQ(a.crashes.front().signal, b.crashes.front().signal);
  EXPECT_EQ(a.work, b.work);
  EXPECT_EQ(a.tmp, b.tmp);
  EXPECT_EQ(a.out, b.out);
  EXPECT_EQ(a.err, b.err);
  EXPECT_EQ(a.elapsed, b.elapsed);
  EXPECT_EQ(a.after_request, b.after_request);
  EXPECT_EQ(a.again->end, b.again->end);
  EXPECT_EQ(a.again->changed_nothing, b.again->changed_nothing);
  EXPECT_EQ(a.verified->status, b.verified->status);
  EXPECT_EQ(a.verified->output, b.verified->output);
}

TEST(Wire, ARunArrivesWhole) {
  wire::answer sent;
  sent.seen = some_run();
  sent.observations = {{verdict::noise, "signature", {"STRAY a"}, "sentence"}};
  const auto received = wire::decode(wire::encode(sent));
  ASSERT_TRUE(received.seen);
  expect_equal(*received.seen, *sent.seen);
  ASSERT_EQ(received.observations.size(), 1U);
  EXPECT_EQ(received.observations[0].what, verdict::noise);
  EXPECT_EQ(received.observations[0].files, sent.observations[0].files);
  EXPECT_FALSE(received.known);
  EXPECT_FALSE(received.moved);
}

TEST(Wire, ASurveyArrivesWhole) {
  wire::answer sent;
  sent.known.emplace();
  auto& known = *sent.known;
  known.known.initial = {{"a", {}}};
  known.known.undisturbed = {some_run(), some_run()};
  known.known.from_completed = rerun{{ending::how::exited, 1, false}, false};
  known.known.ends_by_itself = false;
  known.known.stopped = {some_run()};
  known.candidates = {{{"0", "read(3)", 2, position::before}, true, false}};
  known.masks = {{"before", "after", 6, "XXXXXX"}};
  known.has_alarm = true;
  known.timed_idle = true;
  known.sleeping_share = 0.25;
  known.used = isolation::subreaper;
  known.undisturbed_limit = seconds{3};
  known.limit_processor = seconds{4};
  known.limit_after = seconds{5};
  const auto received = wire::decode(wire::encode(sent));
  ASSERT_TRUE(received.known);
  const auto& got = *received.known;
  EXPECT_EQ(got.known.initial, known.known.initial);
  ASSERT_EQ(got.known.undisturbed.size(), 2U);
  expect_equal(got.known.undisturbed[1], known.known.undisturbed[1]);
  EXPECT_EQ(got.known.from_completed->end, known.known.from_completed->end);
  EXPECT_EQ(got.known.ends_by_itself, known.known.ends_by_itself);
  ASSERT_EQ(got.known.stopped.size(), 1U);
  ASSERT_EQ(got.candidates.size(), 1U);
  EXPECT_EQ(got.candidates[0].where, known.candidates[0].where);
  EXPECT_EQ(got.candidates[0].can_during, true);
  EXPECT_EQ(got.candidates[0].can_after, false);
  EXPECT_EQ(got.masks, known.masks);
  EXPECT_EQ(got.has_alarm, known.has_alarm);
  EXPECT_EQ(got.timed_idle, known.timed_idle);
  EXPECT_EQ(got.sleeping_share, known.sleeping_share);
  EXPECT_EQ(got.used, known.used);
  EXPECT_EQ(got.undisturbed_limit, known.undisturbed_limit);
  EXPECT_EQ(got.limit_processor, known.limit_processor);
  EXPECT_EQ(got.limit_after, known.limit_after);
}

TEST(Wire, AFailureArrives) {
  wire::answer sent;
  sent.failure = "no room";
  sent.undisturbed_failed = true;
  const auto received = wire::decode(wire::encode(sent));
  EXPECT_EQ(received.failure, "no room");
  EXPECT_TRUE(received.undisturbed_failed);
}

TEST(Wire, GarbageIsRefused) { EXPECT_ANY_THROW((void)wire::decode({1, 2, 3})); }

} // namespace
} // namespace checker
