// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/task/cancel_scope.hpp>
#include <lastcall/task/finally.hpp>
#include <lastcall/task/nursery.hpp>
#include <lastcall/task/sleep.hpp>
#include <lastcall/testing/virtual_loop.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>

namespace {

using namespace std::chrono_literals;
using lastcall::cancel_scope;
using lastcall::cancelled;
using lastcall::deadline;
using lastcall::failures;
using lastcall::shielded;
using lastcall::sleep_for;
using lastcall::task;
using lastcall::testing::virtual_loop;

/// Runs `body` in a scope that is cancelled after a second; returns how long all of it took, in virtual time.
template <class Body>
lastcall::duration cancelled_after_a_second(Body body) {
  virtual_loop loop;
  const auto began = loop.time().now();
  loop.run([&]() -> task<> { EXPECT_FALSE(co_await lastcall::move_on_after(1s, body)); });
  return loop.time().now() - began;
}

TEST(TaskShield, BlocksCancellationFromOutsideAndTheNextSuspensionDelivers) {
  int value = 0;
  const auto took = cancelled_after_a_second([&]() -> task<> {
    value = co_await shielded(1min, []() -> task<int> {
      co_await sleep_for(3s);
      EXPECT_FALSE(lastcall::this_task::cancel_pending());
      co_return 7;
    });
    EXPECT_TRUE(lastcall::this_task::cancel_pending());
    co_await sleep_for(1h);
    ADD_FAILURE();
  });
  EXPECT_EQ(took, 3s);
  EXPECT_EQ(value, 7); // what was returned is not lost
}

TEST(TaskShield, ItsBoundRunsFromTheCancellationThatItHoldsBack) {
  EXPECT_EQ(cancelled_after_a_second([&]() -> task<> {
              co_await shielded(5s, []() -> task<> { co_await sleep_for(1h); });
              ADD_FAILURE();
            }),
            6s);
}

TEST(TaskShield, ItsBoundRunsFromItsBeginningWhereThereWasACancellationAlready) {
  EXPECT_EQ(cancelled_after_a_second([&]() -> task<> {
              EXPECT_FALSE(co_await lastcall::try_sleep_for(1h));
              co_await shielded(5s, []() -> task<> { co_await sleep_for(1h); });
              ADD_FAILURE();
            }),
            6s);
}

TEST(TaskShield, WithoutACancellationItsBoundNeverPasses) {
  virtual_loop{}.run([&]() -> task<> { co_await shielded(5s, []() -> task<> { co_await sleep_for(1h); }); });
}

TEST(TaskShield, ItsOwnDeadlineStillFires) {
  virtual_loop loop;
  const auto began = loop.time().now();
  loop.run([&]() -> task<> {
    EXPECT_THROW(co_await shielded(deadline::after(5s), []() -> task<> { co_await sleep_for(1h); }),
                 std::system_error);
  });
  EXPECT_EQ(loop.time().now() - began, 5s);
}

TEST(TaskShield, MoveOnAfterMovesOnAlsoBehindOne) {
  const auto took = cancelled_after_a_second([&]() -> task<> {
    EXPECT_FALSE(co_await lastcall::move_on_after(2s, []() -> task<> {
      co_await shielded(1min, []() -> task<> {
        EXPECT_FALSE(co_await lastcall::move_on_after(3s, []() -> task<> { co_await sleep_for(1h); }));
      });
      co_await sleep_for(1h);
    }));
    ADD_FAILURE(); // both scopes are cancelled: the outermost one catches
  });
  EXPECT_EQ(took, 3s);
}

TEST(TaskShield, LiftingItDeliversAtOnce) {
  EXPECT_EQ(cancelled_after_a_second([&]() -> task<> {
              cancel_scope scope{{.shielded = true}};
              co_await lastcall::with_nursery([&](lastcall::nursery& n) -> task<> {
                n.start([&]() -> task<> {
                  co_await shielded(1min, [&]() -> task<> { co_await sleep_for(4s); });
                  scope.lift_shield();
                });
                co_await scope.run([]() -> task<> { co_await sleep_for(1h); });
                ADD_FAILURE();
              });
            }),
            4s);
}

TEST(TaskShield, LiftingItWhileACancellationIsOnItsWayDeliversIt) {
  EXPECT_EQ(cancelled_after_a_second([&]() -> task<> {
              cancel_scope scope{{.shielded = true}};
              co_await scope.run([&]() -> task<> {
                scope.cancel("its own");
                EXPECT_FALSE(co_await lastcall::try_sleep_for(1h));
                EXPECT_EQ(lastcall::this_task::why()->source, "cancel scope");
                co_await shielded(1min, [&]() -> task<> { co_await sleep_for(2s); });
                scope.lift_shield(); // now the outer one is due as well, and it is the outermost that counts
                EXPECT_EQ(lastcall::this_task::why()->source, "move_on_after");
                co_await sleep_for(1h);
              });
              ADD_FAILURE();
            }),
            2s);
}

TEST(TaskShield, PutUpInTheMiddleHoldsBackWhatComesLater) {
  EXPECT_EQ(cancelled_after_a_second([&]() -> task<> {
              cancel_scope scope;
              EXPECT_TRUE(co_await scope.run([&]() -> task<> {
                scope.put_up_shield();
                co_await sleep_for(2s);
              }));
              co_await sleep_for(1h);
            }),
            2s);
}

TEST(TaskShield, DoesNotProtectSiblings) {
  bool sibling_cut = false;
  cancelled_after_a_second([&]() -> task<> {
    co_await lastcall::with_nursery([&](lastcall::nursery& n) -> task<> {
      n.start([&]() -> task<> {
        co_await shielded(1min, [&]() -> task<> {
          co_await sleep_for(3s);
          EXPECT_TRUE(sibling_cut);
        });
      });
      n.start([&]() -> task<> { sibling_cut = !co_await lastcall::try_sleep_for(1h); });
      co_return;
    });
  });
}

TEST(TaskShield, AHurryShortensWhatHoldsBack) {
  virtual_loop loop;
  const auto began = loop.time().now();
  loop.begin([&]() -> task<> {
    EXPECT_FALSE(co_await lastcall::move_on_after(
        1s, []() -> task<> { co_await shielded(1h, []() -> task<> { co_await sleep_for(2h); }); }));
    EXPECT_THROW(co_await shielded(deadline::after(1h), []() -> task<> { co_await sleep_for(2h); }),
                 std::system_error);
  });
  loop.advance(10s);
  loop->hurry(deadline::after(2s));
  loop.advance(5s); // the second one begins at 12 s and is not concerned
  loop->hurry(deadline::after(2s));
  loop.finish();
  EXPECT_EQ(loop.time().now() - began, 17s);
}

TEST(TaskShieldDeath, OfAThreadThatSpansACoAwaitIsMisuse) {
  EXPECT_DEATH(virtual_loop{}.run([]() -> task<> {
    const lastcall::shield whole;
    co_await sleep_for(1s);
  }),
               "a thread's shield spans a co_await");
}

TEST(TaskShield, OfAThreadBetweenTwoSuspensionsIsFine) {
  virtual_loop{}.run([]() -> task<> {
    { const lastcall::shield whole; }
    co_await sleep_for(1s);
  });
}

TEST(Finally, RunsItsCleanupAfterAValueAnErrorAndACancellation) {
  int cleanups = 0;
  const auto cleanup = [&]() -> task<> {
    co_await sleep_for(1s);
    ++cleanups;
  };
  EXPECT_EQ(virtual_loop{}.run([&]() -> task<int> {
    co_return co_await lastcall::finally([]() -> task<int> { co_return 7; }, cleanup, 5s);
  }),
            7);
  EXPECT_EQ(cleanups, 1);
  EXPECT_THROW(virtual_loop{}.run([&]() -> task<> {
    co_await lastcall::finally(
        []() -> task<> {
          throw std::range_error{"x"};
          co_return;
        },
        cleanup, 5s);
  }),
               std::range_error);
  EXPECT_EQ(cleanups, 2);
  EXPECT_EQ(cancelled_after_a_second([&]() -> task<> {
              co_await lastcall::finally([]() -> task<> { co_await sleep_for(1h); }, cleanup, 5s);
              ADD_FAILURE();
            }),
            2s);
  EXPECT_EQ(cleanups, 3);
}

TEST(Finally, ItsCleanupIsBounded) {
  virtual_loop loop;
  const auto began = loop.time().now();
  loop.run([&]() -> task<> {
    try {
      co_await lastcall::finally([]() -> task<> { co_return; }, []() -> task<> { co_await sleep_for(1h); },
                                 5s);
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::timed_out);
    }
  });
  EXPECT_EQ(loop.time().now() - began, 5s);
}

TEST(Finally, ASecondCancellationDoesNotBreakTheCleanup) {
  bool cleaned = false;
  cancelled_after_a_second([&]() -> task<> {
    cancel_scope inner{{.until = deadline::after(2s)}};
    co_await inner.run([&]() -> task<> {
      co_await lastcall::finally([]() -> task<> { co_await sleep_for(1h); },
                                 [&]() -> task<> {
                                   co_await sleep_for(3s); // the inner deadline passes meanwhile
                                   cleaned = true;
                                 },
                                 1min);
    });
  });
  EXPECT_TRUE(cleaned);
}

TEST(Finally, ErrorsOfBodyAndCleanupAreBothKept) {
  try {
    virtual_loop{}.run([&]() -> task<> {
      co_await lastcall::finally(
          []() -> task<> {
            throw std::runtime_error{"of the body"};
            co_return;
          },
          []() -> task<> {
            throw std::runtime_error{"of the cleanup"};
            co_return;
          },
          1s);
    });
    FAIL();
  } catch (const failures& both) {
    EXPECT_STREQ(both.what(), "2 failures: of the body; of the cleanup");
  }
}

} // namespace
