// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Requests and coroutines: what Trio's test_ki demands, with real signals on the real loop.
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/task/cancel_scope.hpp>
#include <lastcall/task/finally.hpp>
#include <lastcall/task/nursery.hpp>
#include <lastcall/task/run_async.hpp>
#include <lastcall/task/sleep.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::cancelled;
using lastcall::loop;
using lastcall::run_async;
using lastcall::sleep_for;
using lastcall::task;

TEST(Request, ReachesTheMainTaskAtItsNextSuspensionWithItsReason) {
  const lastcall::signal_scope signals;
  loop it;
  std::string why;
  try {
    it.run([&]() -> task<> {
      std::raise(SIGTERM);
      lastcall::checkpoint(); // delivers nothing: this is a coroutine
      why = "still here";
      co_await sleep_for(1h);
    });
    FAIL();
  } catch (const cancelled& by) {
    EXPECT_EQ(by.why().cause, lastcall::cause::signal);
    EXPECT_EQ(by.why().signal, SIGTERM);
    EXPECT_EQ(by.by().source, "request");
  }
  EXPECT_EQ(why, "still here");
}

TEST(Request, WakesALoopThatSleeps) {
  const lastcall::signal_scope signals{{.signals = {SIGALRM}}};
  loop it;
  EXPECT_THROW(it.run([&]() -> task<> {
    const itimerval soon{{}, {0, 5000}}; // by the kernel, while the loop sleeps
    ::setitimer(ITIMER_REAL, &soon, nullptr);
    co_await sleep_for(1h);
  }),
               cancelled);
}

TEST(Request, BeforeTheLoopRunsIsDeliveredAtTheFirstSuspension) {
  const lastcall::signal_scope signals;
  std::raise(SIGINT);
  loop it;
  bool began = false;
  EXPECT_THROW(it.run([&]() -> task<> {
    began = true;
    co_await sleep_for(0s);
  }),
               cancelled);
  EXPECT_TRUE(began);
}

TEST(Request, InTheLastMomentOfMainIsSeenByWhoeverRanIt) {
  lastcall::signal_scope signals;
  loop it;
  it.run([&]() -> task<> {
    std::raise(SIGINT);
    co_return;
  });
  EXPECT_TRUE(lastcall::interrupt_pending());
  EXPECT_THROW(lastcall::checkpoint(), lastcall::interrupted);
  signals.acknowledge();
}

TEST(Request, AProtectedMainGetsItAfterTheProtection) {
  const lastcall::signal_scope signals;
  loop it;
  bool whole = false;
  EXPECT_THROW(it.run([&]() -> task<> {
    co_await lastcall::shielded(1h, [&]() -> task<> {
      std::raise(SIGINT);
      co_await sleep_for(2ms);
      whole = true;
    });
    co_await sleep_for(1h);
  }),
               cancelled);
  EXPECT_TRUE(whole);
}

TEST(Request, ChildrenOfMainAreCancelledAndOthersOfTheLoopAreNot) {
  const lastcall::signal_scope signals;
  loop it;
  lastcall::nursery others{it};
  bool child_cut = false;
  it.run([&]() -> task<> {
    bool other_finished = false;
    others.start([&]() -> task<> {
      co_await sleep_for(5ms);
      other_finished = true;
    });
    const auto how = co_await settled([](bool& cut) -> task<> {
      co_await lastcall::with_nursery([&](lastcall::nursery& n) -> task<> {
        n.start([&]() -> task<> { cut = !co_await lastcall::try_sleep_for(1h); });
        std::raise(SIGINT);
        co_await sleep_for(1h);
      });
    }(child_cut));
    EXPECT_TRUE(how.was_cancelled());
    co_await lastcall::shielded(1h, [&]() -> task<> { co_await others.join(); });
    EXPECT_TRUE(other_finished);
  });
  EXPECT_TRUE(child_cut);
}

TEST(Request, ComesBeforeAnOrdinaryCancellationWhichStillComesAfterwards) {
  const lastcall::signal_scope signals;
  loop it;
  std::vector<std::string> sources;
  it.run([&]() -> task<> {
    lastcall::cancel_scope scope{{.name = "ordinary"}};
    EXPECT_FALSE(co_await scope.run([&]() -> task<> {
      scope.cancel("enough");
      std::raise(SIGINT);
      co_await settled([]() -> task<> { co_await lastcall::this_task::checkpoint(); }());
      for (int i = 0; i < 2; ++i) {
        try {
          co_await sleep_for(1h);
        } catch (const cancelled& by) {
          sources.emplace_back(by.by().source.view());
          if (i == 1) throw;
          lastcall::acknowledge_request();
        }
      }
    }));
    co_await sleep_for(1ms); // nothing is due any more
  });
  EXPECT_EQ(sources, (std::vector<std::string>{"request", "ordinary"}));
}

TEST(Request, IsHeardAgainAfterItWasAcknowledged) {
  const lastcall::signal_scope signals;
  loop it;
  int heard = 0;
  it.run([&]() -> task<> {
    while (heard < 3) {
      std::raise(SIGINT);
      const bool slept = co_await lastcall::try_sleep_for(1h);
      EXPECT_FALSE(slept);
      EXPECT_EQ(lastcall::this_task::why()->why.signal, SIGINT);
      lastcall::acknowledge_request();
      ++heard;
    }
  });
  EXPECT_EQ(signals.delivered(SIGINT), 3U);
}

TEST(Request, OfASecondKindHurriesWhatHoldsBack) {
  const lastcall::signal_scope signals;
  loop it;
  bool cut = false;
  EXPECT_THROW(it.run([&]() -> task<> {
    co_await lastcall::finally(
        []() -> task<> {
          std::raise(SIGTERM);
          co_await sleep_for(1h);
        },
        [&]() -> task<> {
          std::raise(SIGINT); // hurry: two seconds are left instead of an hour
          cut = !co_await lastcall::try_sleep_for(30min);
          co_await sleep_for(1h);
        },
        1h);
  }),
               std::system_error);
  EXPECT_TRUE(cut);
}

// --- run_async: each in a child, whose end its parent sees ---

template <class Fn>
int status_of(Fn program) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(30);
    std::exit(program());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}
bool exited(int status, int with) { return WIFEXITED(status) && WEXITSTATUS(status) == with; }
bool died_of(int status, int signal) { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }

TEST(RunAsync, ReturnsWhatMainReturns) {
  EXPECT_TRUE(exited(status_of([] { return run_async([]() -> task<> { co_return; }); }), 0));
  EXPECT_TRUE(exited(status_of([] { return run_async([](loop&) -> task<int> { co_return 7; }); }), 7));
}

TEST(RunAsync, AFailureIs70) {
  EXPECT_TRUE(exited(status_of([] {
                       return run_async([]() -> task<> {
                         throw std::runtime_error{"on purpose"};
                         co_return;
                       });
                     }),
                     70));
  EXPECT_TRUE(exited(status_of([] {
                       return run_async([](loop& in) -> task<> {
                         in.handle().post(
                             [] { throw std::runtime_error{"on purpose, and nobody takes it"}; });
                         co_await sleep_for(1ms);
                       });
                     }),
                     70));
}

TEST(RunAsync, ACoroutineThatDoesNotEndIs75) {
  EXPECT_TRUE(exited(status_of([] {
                       lastcall::async_options options;
                       options.loop.patience = 1ms;
                       return run_async(
                           [](loop& in) -> task<> {
                             static auto* const others = new lastcall::nursery{in};
                             others->start([]() -> task<> {
                               co_await lastcall::shielded(1h, []() -> task<> { co_await sleep_for(1h); });
                             });
                             co_await sleep_for(1ms);
                           },
                           options);
                     }),
                     75));
}

// Whoever finalizes is the loop's thread, which would wait for itself until the runtime's budget is spent.
TEST(RunAsync, AnExitInsideACoroutineDoesNotWaitForTheLoop) {
  EXPECT_TRUE(exited(status_of([] {
                       const lastcall::runtime its{{.name = "patient", .budget = 1h}};
                       return run_async([]() -> task<> {
                         std::exit(3);
                         co_return;
                       });
                     }),
                     3));
}

TEST(RunAsync, AfterSigtermIs0AndAfterSigintBySigintAndTheFinalizerHasRun) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  for (const int signal : {SIGTERM, SIGINT}) {
    const int status = status_of([&] {
      return run_async([&]() -> task<> {
        co_await lastcall::finally(
            [&]() -> task<> {
              std::raise(signal);
              co_await sleep_for(1h);
            },
            [&]() -> task<> {
              co_await sleep_for(1ms);
              if (::write(ends[1], "x", 1) != 1) std::abort();
            },
            5s);
      });
    });
    EXPECT_TRUE(signal == SIGINT ? died_of(status, SIGINT) : exited(status, 0));
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(RunAsync, ADeafMainEndsAtTheThirdSignalByIt) {
  EXPECT_TRUE(died_of(status_of([] {
                        lastcall::async_options options;
                        options.run.signals = {SIGINT, SIGTERM, SIGHUP};
                        return run_async(
                            []() -> task<> {
                              for (const int signal : {SIGINT, SIGTERM, SIGHUP})
                                std::raise(signal); // equal ones would be one step
                              for (;;) ::usleep(1000);
                              co_return;
                            },
                            options);
                      }),
                      SIGHUP));
}

} // namespace
