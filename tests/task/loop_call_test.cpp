// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/task/async_component.hpp>
#include <lastcall/task/loop_call.hpp>
#include <lastcall/task/nursery.hpp>
#include <lastcall/task/sleep.hpp>

#include <lastcall/lifecycle/application.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <latch>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using lastcall::call_in;
using lastcall::loop;
using lastcall::sleep_for;
using lastcall::task;
using lastcall::task_errc;

/// A loop on a thread, until it goes.
class running_loop {
public:
  running_loop() : thread_{[this] { it.run([this]() -> task<> { co_await over_; }); }} {}
  ~running_loop() { end(); }
  void end() {
    it.handle().try_post([this] { over_.set(); });
    if (thread_.joinable()) thread_.join();
  }
  loop it{{.patience = 50ms}};

private:
  lastcall::async_event over_;
  std::thread thread_;
};

TEST(CallIn, RunsATaskInTheLoopAndGivesItsValue) {
  running_loop there;
  EXPECT_EQ(call_in(there.it.handle(),
                    []() -> task<int> {
                      co_await sleep_for(1ms);
                      co_return 7;
                    }),
            7);
  call_in(there.it.handle(), []() -> task<> { co_return; });
  EXPECT_THROW(call_in(there.it.handle(),
                       []() -> task<> {
                         throw std::range_error{"x"};
                         co_return;
                       }),
               std::range_error);
}

TEST(CallIn, IsCancelledByItsToken) {
  running_loop there;
  std::stop_source stop;
  bool cleaned = false;
  std::latch runs{1};
  std::jthread asks{[&] {
    runs.wait();
    stop.request_stop();
  }};
  EXPECT_THROW(call_in(
                   there.it.handle(),
                   [&]() -> task<> {
                     runs.count_down();
                     EXPECT_FALSE(co_await lastcall::try_sleep_for(1h));
                     cleaned = true;
                     co_await sleep_for(1h);
                   },
                   stop.get_token()),
               lastcall::cancelled);
  EXPECT_TRUE(cleaned);
}

TEST(CallIn, IsCancelledWhenTheLoopEnds) {
  running_loop there;
  std::latch runs{1};
  std::jthread ends{[&] {
    runs.wait();
    there.end();
  }};
  EXPECT_THROW(call_in(there.it.handle(),
                       [&]() -> task<> {
                         runs.count_down();
                         co_await sleep_for(1h);
                       }),
               lastcall::cancelled);
}

TEST(CallIn, ThatDoesNotEndWithItsLoopGetsAClearError) {
  testing::internal::CaptureStderr();
  {
    running_loop there;
    std::latch runs{1};
    std::jthread ends{[&] {
      runs.wait();
      there.end();
    }};
    try {
      call_in(there.it.handle(), [&]() -> task<> {
        co_await lastcall::shielded(1h, [&]() -> task<> {
          runs.count_down();
          co_await sleep_for(1h);
        });
      });
      FAIL();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), task_errc::loop_over);
    }
  }
  testing::internal::GetCapturedStderr();
}

TEST(CallIn, OnceTheLoopIsOverGetsAClearError) {
  std::optional<loop> it{std::in_place};
  const auto handle = it->handle();
  it->run([]() -> task<> { co_return; });
  for (int round = 0; round < 2; ++round) {
    try {
      call_in(handle, []() -> task<> { co_return; });
      FAIL();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), task_errc::loop_over);
    }
    it.reset();
  }
}

// Calls come from four threads while the loop ends: each runs, is cancelled or is refused, and none is lost.
TEST(CallIn, WhileTheLoopEndsEachGetsAnAnswer) {
  for (int round = 0; round < 20; ++round) {
    running_loop there;
    std::latch begun{4};
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i)
      callers.emplace_back([&, handle = there.it.handle()] {
        begun.count_down();
        for (;;) {
          try {
            call_in(handle, []() -> task<> { co_await lastcall::this_task::checkpoint(); });
          } catch (const lastcall::cancelled&) {
          } catch (const std::system_error& error) {
            EXPECT_EQ(error.code(), task_errc::loop_over);
            return;
          }
        }
      });
    begun.wait();
    there.end();
  }
}

TEST(CallIn, ARequestEndsTheWaitOfTheOwnerAndCancelsTheTask) {
  running_loop there;
  lastcall::signal_scope signals;
  std::latch runs{1};
  std::latch cut{1};
  std::jthread asks{[&] {
    runs.wait();
    signals.request_stop("enough");
  }};
  EXPECT_THROW(call_in(there.it.handle(),
                       [&]() -> task<> {
                         runs.count_down();
                         static_cast<void>(co_await lastcall::try_sleep_for(1h));
                         cut.count_down();
                       }),
               lastcall::interrupted);
  cut.wait();
}

TEST(CallInDeath, FromInsideThatLoopIsMisuse) {
  EXPECT_DEATH(
      {
        loop it;
        it.run([&]() -> task<> {
          call_in(it.handle(), []() -> task<> { co_return; });
          co_return;
        });
      },
      "waits for itself");
}

/// A service with a background task, as document 003 has it.
struct ticker {
  ticker(loop& in, std::vector<std::string>& log, std::string name)
      : log_{log}, name_{std::move(name)}, tasks_{in, {.name = name_}} {}
  task<> start() {
    co_await sleep_for(1ms);
    tasks_.start([this]() -> task<> {
      for (bool on = true; on; ++ticks_) on = co_await lastcall::try_sleep_for(1ms);
    });
    log_.push_back(name_ + " started");
  }
  task<> stop(lastcall::context&) {
    tasks_.cancel("stop");
    co_await tasks_.join();
    co_await sleep_for(1ms);
    log_.push_back(name_ + " stopped");
  }
  std::vector<std::string>& log_;
  std::string name_;
  lastcall::nursery tasks_;
  int ticks_ = 0;
};

struct ordinary {
  std::vector<std::string>& log_;
  void start() { log_.emplace_back("ordinary started"); }
  void stop() { log_.emplace_back("ordinary stopped"); }
};

TEST(InLoop, AsynchronousAndOrdinaryComponentsStopInOrder) {
  std::vector<std::string> log;
  lastcall::application app{"test"};
  auto loop = app.add<lastcall::loop_thread>("loop");
  auto one = app.add<lastcall::in_loop<ticker>>("one", *loop, log, "one").after(loop);
  auto two = app.add<ordinary>("ordinary", log).after(one);
  app.add<lastcall::in_loop<ticker>>("three", *loop, log, "three").after(two);
  EXPECT_EQ(app.run_for(5ms), 0);
  EXPECT_EQ(log, (std::vector<std::string>{"one started", "ordinary started", "three started",
                                           "three stopped", "ordinary stopped", "one stopped"}));
}

struct never_stops {
  task<> start() { co_return; }
  task<> stop() { co_await sleep_for(1h); }
};

TEST(InLoop, AStopPastItsDeadlineIsCutAndIsAFailure) {
  lastcall::application_options options;
  options.on_report = [](const lastcall::report&) {};
  lastcall::application app{"test", std::move(options)};
  auto loop = app.add<lastcall::loop_thread>("loop");
  app.add<lastcall::in_loop<never_stops>>("stuck", *loop).after(loop).stop_within(5ms);
  EXPECT_EQ(app.run_for(1ms), 70);
  EXPECT_EQ(app.last_report().components.at(1).error,
            "the stop was cut when its time was over: Connection timed out");
}

// The end of the runtime waits for a loop under way, and once did so for one that had never begun: until the
// budget was spent.
TEST(InLoop, AnApplicationThatIsStoppedBeforeItsFirstStartEndsAtOnce) {
  std::vector<std::string> log;
  lastcall::application app{"test", {.grace = 1h}};
  auto loop = app.add<lastcall::loop_thread>("loop");
  app.add<lastcall::in_loop<ticker>>("one", *loop, log, "one").after(loop);
  app.stop("before the run");
  EXPECT_EQ(app.run(), 0);
  EXPECT_TRUE(log.empty());
}

struct cannot_start {
  task<> start() {
    co_await sleep_for(1ms);
    throw std::runtime_error{"no database"};
  }
  task<> stop() { co_return; }
};

TEST(InLoop, AStartThatFailsStopsWhatWasStarted) {
  std::vector<std::string> log;
  lastcall::application_options options;
  options.on_report = [](const lastcall::report&) {};
  lastcall::application app{"test", std::move(options)};
  auto loop = app.add<lastcall::loop_thread>("loop");
  auto one = app.add<lastcall::in_loop<ticker>>("one", *loop, log, "one").after(loop);
  app.add<lastcall::in_loop<cannot_start>>("two", *loop).after(one);
  EXPECT_EQ(app.run(), 70);
  EXPECT_EQ(log, (std::vector<std::string>{"one started", "one stopped"}));
  EXPECT_EQ(app.last_report().components.at(2).error, "no database");
}

} // namespace
