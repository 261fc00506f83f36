// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Several threads that end the same runtime, or the process, at once; and ends inside of ends.
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/at_exit.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/finalizer.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>
#include <lastcall/sys/config.hpp>

#include "runtime/last_words.hpp"
#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <latch>
#include <memory>
#include <thread>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using runtime_test::exit_status_of;
using runtime_test::quiet;
using runtime_test::status_after_exit_of;

constexpr auto long_enough = 30s;

void stopped(const lastcall::stop_token& stop) { lastcall::io::sleep_until(deadline::never(), stop); }

// Each waited for the other, until the deadline.
TEST(EndAtOnce, AThreadThatIsJoinedMayFinalizeMeanwhile) {
  std::atomic<bool> done_before{false}, came_back{false};
  lastcall::runtime it{quiet()};
  lastcall::thread one{"one", [&](const lastcall::stop_token& stop) {
                         stopped(stop); // another thread finalizes
                         done_before = it.finalize(deadline::never()).done_before;
                         lastcall::checkpoint();
                         came_back = true;
                       }};
  const auto report = it.finalize(deadline::after(long_enough));
  EXPECT_FALSE(report.was_late()) << describe(report);
  EXPECT_TRUE(one.join(deadline::after(long_enough)));
  EXPECT_TRUE(done_before);
  EXPECT_FALSE(came_back) << "its runtime is over";
}

// In these a static that is made before the runtime is destroyed after its end; what is never destroyed
// leaves the finalization to the exit handler.
TEST(EndAtOnce, AThreadThatIsJoinedMayExitMeanwhileAndTheProcessEndsOnceTheRestIsDone) {
  EXPECT_EQ(status_after_exit_of([] {
              static std::atomic<bool> done{false};
              static const struct touches {
                ~touches() {
                  lastcall::checkpoint(); // neither thrown at nor parked: it makes the end
                  if (!done) ::_exit(1);
                }
              } at_the_end;
              auto& program = *new lastcall::runtime{quiet()};
              const lastcall::finalizer last{[] { done = true; }};
              new lastcall::thread{"one", [](const lastcall::stop_token& stop) {
                                     stopped(stop);
                                     std::exit(5);
                                   }};
              if (program.finalize(deadline::after(long_enough)).was_late()) ::_exit(2);
              for (;;) ::pause();
              return 0;
            }),
            5);
}

// libc had the second one go on with the handlers that were left, and end the process under the first.
TEST(EndAtOnce, TheSecondThatExitsLeavesTheEndToTheFirst) {
  EXPECT_EQ(status_after_exit_of([] {
              static std::atomic<bool> done{false};
              static const struct checks {
                ~checks() {
                  if (!done) ::_exit(1);
                }
              } at_the_end;
              new lastcall::runtime{quiet()};
              for (const int status : {5, 6})
                new lastcall::thread{"exits", [status](const lastcall::stop_token& stop) {
                                       stopped(stop);
                                       std::exit(status);
                                     }};
              lastcall::at_exit([] { done = true; });
              return 7;
            }),
            7);
}

TEST(EndAtOnce, AChildForkedInsideAnExitExitsForItself) {
  if (LASTCALL_CONFIG_THREAD_SANITIZER) GTEST_SKIP() << "it allows no new thread in a forked child";
  EXPECT_EQ(
      status_after_exit_of([] {
        static int child = -1;
        static const struct tells {
          ~tells() { ::_exit(child); }
        } at_the_end;
        new lastcall::runtime; // an on_report would need a thread in the child, which ThreadSanitizer refuses
        lastcall::at_exit([] {
          child = status_after_exit_of([] {
            child = 8;
            return 1;
          });
        });
        return 7;
      }),
      8);
}

// (CPython's finalize_running_thread: the status was once that of the thread.)
TEST(EndAtOnce, ADaemonsDestructorThatComesBackDoesNotTouchTheStatus) {
  EXPECT_EQ(status_after_exit_of([] {
              static std::atomic<bool> there{false};
              struct comes_back {
                ~comes_back() {
                  std::error_code error;
                  lastcall::checkpoint(error);
                  std::exit(1);
                }
              };
              static lastcall::runtime program{quiet()};
              static lastcall::daemon_thread one{"one", "reads for ever", [] {
                                                   const comes_back here;
                                                   there = true;
                                                   lastcall::io::sleep_until(deadline::never());
                                                 }};
              while (!there) std::this_thread::yield();
              return 42;
            }),
            42);
}

// A handler of the program's that calls the one it found, ours, which called the one it found, the program's
// …
TEST(EndAtOnce, ATerminateHandlerThatGoesRoundInCirclesEndsByTheOldest) {
  EXPECT_EQ(exit_status_of([]() -> int {
              static std::terminate_handler found = nullptr;
              std::set_terminate([] { ::_exit(12); });
              auto first = std::make_unique<lastcall::runtime>(quiet());
              found = std::set_terminate([] { found(); });
              first.reset(); // gives nothing back: somebody else's is there
              const lastcall::runtime second{quiet()};
              std::terminate();
            }),
            12);
}

struct slow_speaker final : lastcall::detail::last_words {
  slow_speaker() { enlist(); }
  ~slow_speaker() { strike_off(lastcall::deadline::never()); }
  void say(lastcall::detail::last_words_round&) noexcept override {
    speaks.count_down();
    second_is_there.wait();
    said = true;
  }
  std::latch speaks{1}, second_is_there{1};
  std::atomic<bool> said{false};
};

TEST(EndAtOnce, TheSecondThatTerminatesLetsTheFirstOnesStreamsSpeak) {
  EXPECT_EQ(exit_status_of([]() -> int {
              static auto& words = *new slow_speaker;
              std::set_terminate([] { ::_exit(words.said ? 13 : 1); });
              const lastcall::runtime it{quiet()};
              std::thread second{[] {
                words.speaks.wait();
                std::thread{[] { words.second_is_there.count_down(); }}.detach();
                std::terminate();
              }};
              std::terminate();
            }),
            13);
}

} // namespace
