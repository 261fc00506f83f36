// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/async_event.hpp>
#include <lastcall/task/errors.hpp>
#include <lastcall/task/loop.hpp>
#include <lastcall/task/nursery.hpp>
#include <lastcall/task/sleep.hpp>
#include <lastcall/testing/virtual_loop.hpp>

#include <asio/post.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using lastcall::loop;
using lastcall::sleep_for;
using lastcall::task;
using lastcall::task_errc;
using lastcall::testing::virtual_loop;

TEST(Loop, RunsTheMainTaskAndGivesItsValue) {
  loop it;
  EXPECT_EQ(it.run([]() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); }) != nullptr,
            true);
}

TEST(Loop, ThrowsWhatTheMainTaskThrows) {
  loop it;
  EXPECT_THROW(it.run([]() -> task<> {
    throw std::range_error{"x"};
    co_return;
  }),
               std::range_error);
}

TEST(Loop, ThrowsWhatTheFunctionThrowsThatMakesTheMainTask) {
  loop it;
  EXPECT_THROW(it.run([]() -> task<> { throw std::range_error{"no coroutine at all"}; }), std::range_error);
}

TEST(Loop, RunsOnce) {
  loop it;
  it.run([]() -> task<> { co_return; });
  try {
    it.run([]() -> task<> { co_return; });
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), task_errc::loop_used);
  }
}

TEST(Loop, SleepsByRealTime) {
  loop it;
  const auto began = std::chrono::steady_clock::now();
  it.run([]() -> task<> {
    co_await lastcall::move_on_after(5ms, []() -> task<> { co_await sleep_for(1h); });
    co_await sleep_for(5ms);
  });
  EXPECT_GE(std::chrono::steady_clock::now() - began, 10ms);
}

task<int> down(int n) {
  if (n == 0) co_return 0;
  co_return 1 + co_await down(n - 1);
}

// A resume inside a resume would need a frame of the thread's stack for each of these.
TEST(Loop, AMillionTasksThatNeverWaitNeedNoStack) {
  loop it;
  EXPECT_EQ(it.run([]() -> task<int> {
    int sum = 0;
    for (int i = 0; i < 1'000'000; ++i) sum += co_await [](int n) -> task<int> { co_return n % 2; }(i);
    co_return sum + co_await down(20'000);
  }),
            520'000);
}

TEST(Loop, IsFairAmongThoseThatAreAlwaysReady) {
  std::string order;
  loop it;
  it.run([&]() -> task<> {
    co_await lastcall::with_nursery([&](lastcall::nursery& n) -> task<> {
      for (const char who : {'a', 'b'})
        n.start([&, who]() -> task<> {
          for (int i = 0; i < 3; ++i) {
            order += who;
            co_await lastcall::this_task::checkpoint();
          }
        });
      co_return;
    });
  });
  EXPECT_EQ(order, "ababab");
}

TEST(Loop, HandlersOfAsiosRunEvenIfCoroutinesAreAlwaysReady) {
  loop it;
  it.run([&]() -> task<> {
    bool ran = false;
    asio::post(it.context(), [&] { ran = true; });
    while (!ran) co_await lastcall::this_task::checkpoint();
  });
}

TEST(Loop, WhatIsStuckForEverIsSaidOnTheVirtualOne) {
  lastcall::async_event never;
  virtual_loop loop;
  try {
    loop.run([&]() -> task<> { co_await never; });
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), task_errc::stuck);
  }
}

TEST(Loop, TimersOfOneMomentFireInTheOrderInWhichTheyWereMade) {
  std::string order;
  virtual_loop loop;
  loop.run([&]() -> task<> {
    co_await lastcall::with_nursery([&](lastcall::nursery& n) -> task<> {
      for (char who = 'a'; who <= 'z'; ++who)
        n.start([&, who]() -> task<> {
          co_await sleep_for(who < 'm' ? 2s : 1s);
          order += who;
        });
      co_return;
    });
  });
  EXPECT_EQ(order, "mnopqrstuvwxyzabcdefghijkl");
}

TEST(LoopHandle, PostsFromThreadsInOrder) {
  loop it;
  std::vector<int> got;
  it.run([&]() -> task<> {
    lastcall::async_event all;
    std::jthread other{[&, to = it.handle()] {
      for (int i = 0; i < 100; ++i) to.post([&, i] { got.push_back(i); });
      to.post([&] { all.set(); });
    }};
    co_await all;
  });
  EXPECT_EQ(got.size(), 100U);
  EXPECT_TRUE(std::ranges::is_sorted(got));
}

TEST(LoopHandle, RefusesWithAClearErrorOnceTheLoopIsOver) {
  std::optional<loop> it{std::in_place};
  const auto handle = it->handle();
  it->run([]() -> task<> { co_return; });
  for (int round = 0; round < 2; ++round) {
    EXPECT_FALSE(handle.try_post([] {}));
    try {
      handle.post([] {});
      FAIL();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), task_errc::loop_over);
    }
    it.reset(); // … and once it is gone
  }
}

TEST(LoopException, GoesToTheHandlerWithItsPlace) {
  std::vector<std::string> told;
  loop it{{.name = "shop", .on_exception = [&](const lastcall::loop_exception& what) {
             told.push_back(std::string{what.loop} + ": " + std::string{what.where});
             EXPECT_THROW(std::rethrow_exception(what.error), int);
           }}};
  it.run([&]() -> task<> {
    asio::post(it.context(), [] { throw 1; });
    it.handle().post([] { throw 2; });
    co_await sleep_for(1ms);
  });
  EXPECT_EQ(told,
            (std::vector<std::string>{"shop: a handler of its io_context", "shop: a function posted to it"}));
  EXPECT_EQ(it.unhandled(), 0U);
}

TEST(LoopException, WithoutAHandlerIsToldOnStandardErrorAndCounted) {
  loop it{{.name = "shop"}};
  testing::internal::CaptureStderr();
  it.run([&]() -> task<> {
    it.handle().post([] { throw std::runtime_error{"bad header"}; });
    co_await sleep_for(1ms);
  });
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "lastcall: loop 'shop': a function posted to it failed: bad header\n");
  EXPECT_EQ(it.unhandled(), 1U);
}

TEST(LoopException, OfTheHandlerItselfIsContained) {
  loop it{
      {.on_exception = [](const lastcall::loop_exception&) { throw std::runtime_error{"of the handler"}; }}};
  testing::internal::CaptureStderr();
  it.run([&]() -> task<> {
    it.handle().post([] { throw std::runtime_error{"bad header"}; });
    co_await sleep_for(1ms);
  });
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("its exception handler failed: of the handler"), std::string::npos) << said;
  EXPECT_NE(said.find("bad header"), std::string::npos) << said;
}

TEST(LoopEnd, WhatStillRunsIsCancelledAndGetsToCleanUp) {
  bool cleaned = false;
  virtual_loop loop;
  lastcall::nursery others{*loop};
  loop.run([&]() -> task<> {
    others.start([&]() -> task<> {
      EXPECT_FALSE(co_await lastcall::try_sleep_for(1h));
      co_await lastcall::shielded(1min, []() -> task<> { co_await sleep_for(2s); });
      cleaned = true;
    });
    co_await sleep_for(1s);
  });
  EXPECT_TRUE(cleaned);
}

TEST(LoopEnd, WhatDoesNotEndInTimeIsLeftAndSaid) {
  testing::internal::CaptureStderr();
  {
    loop it{{.name = "shop", .patience = 10ms}};
    lastcall::nursery others{it};
    it.run([&]() -> task<> {
      others.start(
          []() -> task<> { co_await lastcall::shielded(1h, []() -> task<> { co_await sleep_for(1h); }); });
      co_await sleep_for(1ms);
    });
    EXPECT_EQ(it.running(), 1U);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "lastcall: loop 'shop': 1 coroutine does not end; its memory "
            "is kept, since somebody may still use it\n");
}

TEST(LoopEnd, ACoroutineThatIsResumedAfterwardsStaysWhereItIsAndThatIsSaid) {
  auto* const event = new lastcall::async_event; // it is waited for, for ever
  testing::internal::CaptureStderr();
  {
    loop it{{.name = "shop", .patience = 1ms}};
    lastcall::nursery others{it};
    it.run([&]() -> task<> {
      others.start(
          [](lastcall::async_event* what) -> task<> {
            co_await lastcall::shielded(1h, [&]() -> task<> { co_await *what; });
            ADD_FAILURE() << "it goes on without its loop";
          },
          event);
      co_await sleep_for(1ms);
    });
    event->set();
  }
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("loop 'shop': a coroutine is resumed after its loop has ended"), std::string::npos)
      << said;
}

TEST(LoopDeath, ATaskThatIsAwaitedTwiceIsMisuse) {
  EXPECT_DEATH(virtual_loop{}.run([]() -> task<> {
    auto once = []() -> task<> { co_return; }();
    co_await std::move(once);
    co_await std::move(once); // NOLINT(bugprone-use-after-move)
  }),
               "a task is awaited twice, or was moved from");
}

} // namespace
