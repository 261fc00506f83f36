// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/lifecycle/component.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

using lastcall::component;
using lastcall::context;

struct bare {
  void start() { log += "start "; }
  void stop() { log += "stop "; }
  std::string log;
};
struct informed {
  explicit informed(std::string text) : log{std::move(text)} {}
  void start(context& at) { log += "start:" + at.name(); }
  void stop() { log += " stop"; }
  std::string log;
};
struct status_returning {
  bool start() { return false; }
  void stop() {}
};
struct only_startable {
  void start() {}
};

static_assert(component<bare> && component<informed>);
static_assert(!component<only_startable> && !component<int>);
static_assert(!component<status_returning>, "a status nobody looks at");

TEST(Component, StartAndStopAreCalledWithOrWithoutContext) {
  context at{"db"};
  lastcall::detail::held_component<bare> first;
  first.start(at);
  first.stop(at);
  EXPECT_EQ(first.object.log, "start stop ");
  lastcall::detail::held_component<informed> second{"made "};
  lastcall::detail::any_component& forgotten = second;
  forgotten.start(at);
  forgotten.stop(at);
  EXPECT_EQ(second.object.log, "made start:db stop");
}

TEST(Context, WithoutLimitsThereIsAlwaysTime) {
  const context at;
  EXPECT_FALSE(at.out_of_time());
  EXPECT_TRUE(at.due().is_never());
  EXPECT_FALSE(at.stop_requested());
}

TEST(Context, TheDeadlineMayComeNearer) {
  context at{"db", {}, lastcall::deadline::after(std::chrono::hours{1})};
  EXPECT_FALSE(at.out_of_time());
  at.due(lastcall::deadline::after(std::chrono::seconds{-1}));
  EXPECT_TRUE(at.out_of_time());
}

TEST(Context, TheLastWordsStay) {
  context at{"db"};
  at.progress("12 requests in flight");
  at.progress("3 requests in flight");
  EXPECT_EQ(at.last_progress(), "3 requests in flight");
}

TEST(Context, ItsTokenIsTheOneItWasGiven) {
  std::stop_source source;
  const context at{"db", source.get_token()};
  source.request_stop();
  EXPECT_TRUE(at.stop_requested());
}

} // namespace
