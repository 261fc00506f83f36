// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/nursery.hpp>
#include <lastcall/task/sleep.hpp>
#include <lastcall/testing/virtual_loop.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

using namespace std::chrono_literals;
using lastcall::cancel_order;
using lastcall::cancelled;
using lastcall::failures;
using lastcall::nursery;
using lastcall::sleep_for;
using lastcall::task;
using lastcall::with_nursery;
using lastcall::testing::virtual_loop;

TEST(Nursery, EndsOnlyWhenAllItsChildrenHave) {
  virtual_loop loop;
  const auto began = loop.time().now();
  int ended = 0;
  loop.run([&]() -> task<> {
    co_await with_nursery([&](nursery& n) -> task<> {
      for (int i = 1; i <= 3; ++i)
        n.start([&, i]() -> task<> {
          co_await sleep_for(i * 1s);
          ++ended;
        });
      EXPECT_EQ(n.size(), 3U);
      co_return;
    });
    EXPECT_EQ(ended, 3);
  });
  EXPECT_EQ(loop.time().now() - began, 3s);
  EXPECT_TRUE(loop.nothing_more_will_happen());
}

TEST(Nursery, KeepsFunctionAndArgumentsOfAChild) {
  std::string got;
  virtual_loop{}.run([&]() -> task<> {
    co_await with_nursery([&](nursery& n) -> task<> {
      {
        std::string gone = "a text that is long enough to lie on the heap";
        n.start(
            [copy = gone, &got](std::string argument, std::string& reference) -> task<> {
              co_await sleep_for(1s);
              reference = copy.substr(0, 6) + argument.substr(2, 4);
            },
            gone, std::ref(got));
      }
      co_return;
    });
  });
  EXPECT_EQ(got, "a texttext");
}

TEST(Nursery, AChildsErrorCancelsTheOthersAndIsThrown) {
  std::string why;
  try {
    virtual_loop{}.run([&]() -> task<> {
      co_await with_nursery({.name = "downloads"}, [&](nursery& n) -> task<> {
        n.start([&]() -> task<> {
          try {
            co_await sleep_for(1h);
          } catch (const cancelled& by) {
            why = describe(by.by());
            throw;
          }
        });
        n.start([]() -> task<> {
          co_await sleep_for(1s);
          throw std::runtime_error{"no route to host"};
        });
        co_await sleep_for(1h);
      });
    });
    FAIL();
  } catch (const failures& all) {
    EXPECT_EQ(all.each().size(), 1U);
    EXPECT_STREQ(all.what(), "no route to host");
  }
  EXPECT_EQ(why, "downloads: call: a child of the nursery failed: no route to host");
}

TEST(Nursery, ErrorsOfBodyAndChildrenAreAllKept) {
  try {
    virtual_loop{}.run([&]() -> task<> {
      co_await with_nursery([&](nursery& n) -> task<> {
        n.start([]() -> task<> {
          try {
            co_await sleep_for(1h);
          } catch (const cancelled&) {
            throw std::runtime_error{"while it cleaned up"};
          }
        });
        n.start([]() -> task<> {
          co_await sleep_for(1s);
          throw 42;
        });
        co_await sleep_for(1s);
        throw std::logic_error{"in the body"};
      });
    });
    FAIL();
  } catch (const failures& all) {
    EXPECT_EQ(all.each().size(), 3U);
    const std::string text = all.what();
    for (const auto* part : {"3 failures: ", "in the body", "while it cleaned up", "exception of type int"})
      EXPECT_NE(text.find(part), std::string::npos) << part << " is not in " << text;
  }
}

TEST(Nursery, ThatIsCancelledEndsWithoutAnError) {
  bool after = false;
  virtual_loop{}.run([&]() -> task<> {
    co_await with_nursery([&](nursery& n) -> task<> {
      n.start([]() -> task<> { co_await sleep_for(1h); });
      co_await sleep_for(1s);
      n.cancel("enough");
      EXPECT_TRUE(n.cancel_called());
      co_await sleep_for(1h);
    });
    after = true;
  });
  EXPECT_TRUE(after);
}

TEST(Nursery, InsideACancelledScopeIsWaitedForAllTheSame) {
  bool child_cleaned_up = false;
  virtual_loop{}.run([&]() -> task<> {
    EXPECT_FALSE(co_await lastcall::move_on_after(1s, [&]() -> task<> {
      co_await with_nursery([&](nursery& n) -> task<> {
        n.start([&]() -> task<> {
          EXPECT_FALSE(co_await lastcall::try_sleep_for(1h));
          co_await lastcall::shielded(1min, [&]() -> task<> { co_await sleep_for(3s); });
          child_cleaned_up = true;
        });
        co_return; // the body has ended; the join is what is cancelled
      });
      ADD_FAILURE() << "the nursery's end delivers";
    }));
    EXPECT_TRUE(child_cleaned_up);
  });
}

std::vector<int> order_of(cancel_order order) {
  std::vector<int> heard;
  virtual_loop{}.run([&]() -> task<> {
    co_await with_nursery({.order = order}, [&](nursery& n) -> task<> {
      for (int i = 1; i <= 4; ++i)
        n.start([&, i]() -> task<> {
          // The third one has a scope of its own, and still its place among the others.
          const auto wait = [&]() -> task<> {
            if (co_await lastcall::try_sleep_for(1h)) ADD_FAILURE();
            heard.push_back(i);
            co_await lastcall::shielded(1min, []() -> task<> { co_await sleep_for(1s); });
            heard.push_back(-i);
          };
          if (i == 3)
            co_await lastcall::move_on_after(2h, wait);
          else
            co_await wait();
        });
      co_await sleep_for(1s);
      n.cancel("enough");
    });
  });
  return heard;
}

TEST(Nursery, CancelsTheNewestFirst) {
  EXPECT_EQ(order_of(cancel_order::newest_first), (std::vector{4, 3, 2, 1, -4, -3, -2, -1}));
}
TEST(Nursery, CancelsTheOldestFirstWhereAsked) {
  EXPECT_EQ(order_of(cancel_order::oldest_first), (std::vector{1, 2, 3, 4, -1, -2, -3, -4}));
}
TEST(Nursery, CancelsOneAfterTheOtherHasEndedWhereAsked) {
  EXPECT_EQ(order_of(cancel_order::one_by_one), (std::vector{4, -4, 3, -3, 2, -2, 1, -1}));
}

TEST(Nursery, AChildThatIsStartedInACancelledOneEndsAtItsFirstSuspension) {
  for (const auto order : {cancel_order::newest_first, cancel_order::one_by_one}) {
    bool began = false;
    virtual_loop{}.run([&]() -> task<> {
      co_await with_nursery({.order = order}, [&](nursery& n) -> task<> {
        n.cancel("enough");
        n.start([&]() -> task<> {
          began = true;
          co_await sleep_for(1h);
          ADD_FAILURE();
        });
        co_return;
      });
    });
    EXPECT_TRUE(began);
  }
}

TEST(Nursery, ChildrenMayStartOthersWhileItIsJoined) {
  int ended = 0;
  virtual_loop{}.run([&]() -> task<> {
    co_await with_nursery([&](nursery& n) -> task<> {
      n.start([&]() -> task<> {
        co_await sleep_for(1s);
        n.start([&]() -> task<> {
          co_await sleep_for(1s);
          ++ended;
        });
        ++ended;
      });
      co_return;
    });
    EXPECT_EQ(ended, 2);
  });
}

TEST(Nursery, OfAnObjectOutlivesTheFunctionThatStartsAndIsJoinedByAnother) {
  virtual_loop loop;
  nursery tasks{*loop, {.name = "service"}};
  bool stopped = false;
  loop.run([&]() -> task<> {
    // Started inside a scope that ends: the children are not in it.
    co_await lastcall::move_on_after(1s, [&]() -> task<> {
      tasks.start([&]() -> task<> { stopped = !co_await lastcall::try_sleep_for(1h); });
      co_return;
    });
    co_await sleep_for(2s);
    EXPECT_FALSE(stopped);
    tasks.cancel("stop");
    co_await tasks.join();
    EXPECT_TRUE(stopped);
    EXPECT_THROW(tasks.start([]() -> task<> { co_return; }), std::system_error);
  });
}

TEST(Nursery, WhoeverIsCancelledWhileItJoinsCancelsTheChildren) {
  virtual_loop loop;
  nursery tasks{*loop};
  bool cut = false;
  loop.run([&]() -> task<> {
    tasks.start([&]() -> task<> { cut = !co_await lastcall::try_sleep_for(1h); });
    EXPECT_FALSE(co_await lastcall::move_on_after(1s, [&]() -> task<> { co_await tasks.join(); }));
    EXPECT_TRUE(cut);
  });
}

TEST(Nursery, ReportsInsteadOfCancellingWhereAsked) {
  std::vector<std::string> told;
  virtual_loop loop{{.on_exception = [&](const lastcall::loop_exception& what) {
    told.emplace_back(what.where);
    EXPECT_THROW(std::rethrow_exception(what.error), std::range_error);
  }}};
  bool other_finished = false;
  loop.run([&]() -> task<> {
    co_await with_nursery({.name = "sessions", .error = lastcall::on_child_error::report},
                          [&](nursery& n) -> task<> {
                            n.start([]() -> task<> {
                              throw std::range_error{"x"};
                              co_return;
                            });
                            n.start([&]() -> task<> {
                              co_await sleep_for(1s);
                              other_finished = true;
                            });
                            co_return;
                          });
  });
  EXPECT_TRUE(other_finished);
  EXPECT_EQ(told, std::vector<std::string>{"a child of the nursery 'sessions'"});
}

TEST(NurseryDeath, LeftWithoutWaitingIsMisuse) {
  EXPECT_DEATH(
      {
        virtual_loop loop;
        loop.run([&]() -> task<> {
          nursery tasks{*loop};
          tasks.start([]() -> task<> { co_await sleep_for(1h); });
          co_await sleep_for(1s);
        });
      },
      "a nursery is left while children run in it");
}

TEST(Nursery, ErrorsThatNobodyJoinsForAreReported) {
  std::vector<std::string> told;
  virtual_loop loop{
      {.on_exception = [&](const lastcall::loop_exception& what) { told.emplace_back(what.where); }}};
  loop.run([&]() -> task<> {
    nursery tasks{*loop, {.name = "lost"}};
    tasks.start([]() -> task<> {
      throw std::range_error{"x"};
      co_return;
    });
    co_await sleep_for(1s);
  });
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told[0].find("'lost'"), std::string::npos);
}

} // namespace
