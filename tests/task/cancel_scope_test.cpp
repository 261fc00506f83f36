// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/async_event.hpp>
#include <lastcall/task/cancel_scope.hpp>
#include <lastcall/task/nursery.hpp>
#include <lastcall/task/sleep.hpp>
#include <lastcall/testing/virtual_loop.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

using namespace std::chrono_literals;
using lastcall::cancel_scope;
using lastcall::cancelled;
using lastcall::cause;
using lastcall::deadline;
using lastcall::sleep_for;
using lastcall::task;
using lastcall::testing::virtual_loop;

struct sets {
  bool& flag;
  ~sets() { flag = true; }
};

TEST(MoveOnAfter, CutsABodyThatTakesLongerAndSaysSo) {
  virtual_loop loop;
  const auto began = loop.time().now();
  EXPECT_FALSE(loop.run([]() -> task<bool> {
    co_return co_await lastcall::move_on_after(5s, []() -> task<> { co_await sleep_for(1h); });
  }));
  EXPECT_EQ(loop.time().now() - began, 5s);
}

TEST(MoveOnAfter, GivesTheValueOfABodyThatIsInTime) {
  virtual_loop loop;
  const auto value = loop.run([]() -> task<std::optional<std::string>> {
    co_return co_await lastcall::move_on_after(5s, []() -> task<std::string> {
      co_await sleep_for(1s);
      co_return "done";
    });
  });
  EXPECT_EQ(value, "done");
  EXPECT_TRUE(loop.nothing_more_will_happen()); // its timer is gone
}

TEST(MoveOnAfter, RunsDestructorsAndHandlersOfWhatItCuts) {
  bool destroyed = false;
  bool caught = false;
  virtual_loop{}.run([&]() -> task<> {
    co_await lastcall::move_on_after(5s, [&]() -> task<> {
      const sets at_end{destroyed};
      try {
        co_await sleep_for(1h);
      } catch (const std::exception&) {
        ADD_FAILURE() << "cancelled is no std::exception";
      } catch (...) {
        caught = true;
        throw;
      }
    });
  });
  EXPECT_TRUE(destroyed);
  EXPECT_TRUE(caught);
}

TEST(FailAfter, ThrowsThatTheTimeIsOver) {
  try {
    virtual_loop{}.run(
        []() -> task<> { co_await lastcall::fail_after(5s, []() -> task<> { co_await sleep_for(1h); }); });
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::timed_out);
    EXPECT_NE(std::string{error.what()}.find("fail_after"), std::string::npos);
  }
}

TEST(FailAfter, LetsOtherErrorsAndValuesThrough) {
  EXPECT_EQ(virtual_loop{}.run([]() -> task<int> {
    co_return co_await lastcall::fail_after(5s, []() -> task<int> { co_return 7; });
  }),
            7);
  EXPECT_THROW(virtual_loop{}.run([]() -> task<> {
    co_await lastcall::fail_after(5s, []() -> task<> {
      throw std::range_error{"x"};
      co_return;
    });
  }),
               std::range_error);
}

TEST(CancelScope, CarriesItsSourceAndItsReason) {
  virtual_loop{}.run([&]() -> task<> {
    cancel_scope scope{{.name = "search"}};
    scope.cancel("the user has seen enough");
    scope.cancel("too late to matter");
    const bool finished = co_await scope.run([&]() -> task<> {
      try {
        co_await sleep_for(1s);
      } catch (const cancelled& by) {
        EXPECT_EQ(by.by().source, "search");
        EXPECT_EQ(by.why().cause, cause::call);
        EXPECT_EQ(by.why().text, "the user has seen enough");
        EXPECT_NE(by.why().when, lastcall::time_point{});
        EXPECT_EQ(describe(by.by()), "search: call: the user has seen enough");
        throw;
      }
    });
    EXPECT_FALSE(finished);
    EXPECT_FALSE(lastcall::this_task::cancel_pending());
  });
}

TEST(CancelScope, OfADeadlineSaysThat) {
  virtual_loop{}.run([&]() -> task<> {
    co_await lastcall::move_on_after(1s, [&]() -> task<> {
      try {
        co_await sleep_for(2s);
      } catch (const cancelled& by) {
        EXPECT_EQ(by.why().cause, cause::deadline);
        throw;
      }
    });
  });
}

TEST(CancelScope, IsLevelTriggered) {
  int delivered = 0;
  virtual_loop{}.run([&]() -> task<> {
    cancel_scope scope;
    scope.cancel("now");
    EXPECT_TRUE(co_await scope.run([&]() -> task<> {
      for (int i = 0; i < 3; ++i) {
        try {
          co_await sleep_for(1h);
        } catch (const cancelled&) {
          ++delivered; // swallowed: it comes again
        }
      }
      lastcall::async_event never;
      try {
        co_await never;
      } catch (const cancelled&) {
        ++delivered;
      }
      EXPECT_FALSE(co_await lastcall::try_sleep_for(1h));
    }));
    EXPECT_TRUE(scope.cancel_called());
    co_await sleep_for(1s); // outside it is over
  });
  EXPECT_EQ(delivered, 4);
}

TEST(CancelScope, TheOutermostOfSeveralCatches) {
  std::string reached;
  virtual_loop{}.run([&]() -> task<> {
    cancel_scope outer{{.name = "outer"}};
    const bool finished = co_await outer.run([&]() -> task<> {
      cancel_scope inner{{.name = "inner"}};
      co_await inner.run([&]() -> task<> {
        inner.cancel("a");
        outer.cancel("b");
        co_await sleep_for(1h);
      });
      reached = "after the inner one";
    });
    EXPECT_FALSE(finished);
  });
  EXPECT_EQ(reached, "");
}

TEST(CancelScope, AnInnerOneThatIsCancelledLeavesTheOuterAlone) {
  virtual_loop{}.run([&]() -> task<> {
    cancel_scope outer;
    EXPECT_TRUE(co_await outer.run([&]() -> task<> {
      cancel_scope inner;
      inner.cancel("a");
      EXPECT_FALSE(co_await inner.run([]() -> task<> { co_await sleep_for(1h); }));
      co_await sleep_for(1s);
    }));
  });
}

TEST(CancelScope, ItsDeadlineCanBeMovedBothWays) {
  virtual_loop loop;
  const auto began = loop.time().now();
  loop.run([&]() -> task<> {
    cancel_scope scope{{.until = deadline::after(1s)}};
    EXPECT_FALSE(co_await scope.run([&]() -> task<> {
      scope.until(deadline::after(10s));
      co_await sleep_for(5s);
      scope.until(deadline::after(1s));
      co_await sleep_for(1h);
    }));
  });
  EXPECT_EQ(loop.time().now() - began, 6s);
}

TEST(CancelScope, ADeadlineThatHasPassedCutsAtTheFirstSuspension) {
  bool began = false;
  virtual_loop{}.run([&]() -> task<> {
    EXPECT_FALSE(co_await lastcall::move_on_after(-1s, [&]() -> task<> {
      began = true;
      co_await sleep_for(0s);
      ADD_FAILURE();
    }));
  });
  EXPECT_TRUE(began);
}

// A loop that did not get to run for long was stopped (SIGSTOP, a suspended machine), and so was all that it
// waits for: the deadline grants a slice, once.
TEST(CancelScope, ADeadlineFoundLongPastGrantsASlice) {
  virtual_loop loop;
  bool finished = false;
  loop.begin([&]() -> task<> {
    finished = co_await lastcall::move_on_after(5s, [&]() -> task<> { co_await sleep_for(5s + 200ms); });
  });
  loop.time().jump(1h);
  loop.settle();
  EXPECT_TRUE(finished);
  loop.finish();
}

TEST(Checkpoint, LetsOthersRunAndDelivers) {
  std::string order;
  virtual_loop{}.run([&]() -> task<> {
    co_await lastcall::with_nursery([&](lastcall::nursery& n) -> task<> {
      n.start([&]() -> task<> {
        order += 'b';
        co_return;
      });
      order += 'a';
      co_await lastcall::this_task::checkpoint();
      order += 'c';
      n.cancel("enough");
      co_await lastcall::this_task::checkpoint();
      order += '!';
    });
  });
  EXPECT_EQ(order, "abc");
}

TEST(Settled, GivesEndsAsValues) {
  virtual_loop{}.run([&]() -> task<> {
    auto value = co_await settled([]() -> task<int> { co_return 1; }());
    EXPECT_TRUE(value);
    EXPECT_EQ(*value, 1);
    auto error = co_await settled([]() -> task<int> {
      throw 2;
      co_return 1;
    }());
    EXPECT_TRUE(error.failed());
    EXPECT_FALSE(error.was_cancelled());
    EXPECT_THROW(std::move(error).take(), int);
    cancel_scope scope;
    scope.cancel("x");
    co_await scope.run([&]() -> task<> {
      auto cut = co_await settled([]() -> task<> { co_await sleep_for(1s); }());
      EXPECT_TRUE(cut.was_cancelled());
      EXPECT_FALSE(cut.failed());
    });
  });
}

} // namespace
