// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Threads whose runtime ends at an awkward moment: before they begin, while they wait for each other.
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/module_state.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>
#include <lastcall/sys/config.hpp>

#include "runtime/quiet.hpp"
#include "runtime/thread_registry.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <optional>
#include <thread>

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::runtime_errc;
using runtime_test::code_of;
using runtime_test::quiet;
using runtime_test::status_after_exit_of;

constexpr auto long_enough = 30s;

TEST(LateThread, OneThatBeginsAfterTheEndDoesNothing) {
  std::atomic<bool> ran{false};
  lastcall::runtime it{quiet()};
  lastcall::detail::the_registry().end_generation(it.generation(), nullptr);
  lastcall::daemon_thread late{"late", "is slow to begin", [&] { ran = true; }};
  EXPECT_TRUE(late.join(deadline::after(long_enough)));
  EXPECT_FALSE(ran);
}

TEST(LateThread, ADaemonThatWaitsForAnotherIsUnwound) {
  static std::atomic<bool> go_on{false};
  std::atomic<bool> came_back{false};
  lastcall::runtime it{quiet()};
  lastcall::daemon_thread spins{"spins", "in code of the program", [] {
                                  while (!go_on) std::this_thread::yield();
                                }};
  lastcall::daemon_thread waits{"waits", "for the other", [&] {
                                  spins.join(deadline::never());
                                  came_back = true;
                                }};
  while (waits.id() == 0 || spins.id() == 0) std::this_thread::yield();
  it.finalize(deadline::after(long_enough));
  EXPECT_TRUE(waits.join(deadline::after(long_enough)));
  EXPECT_FALSE(came_back);
  go_on = true;
  EXPECT_TRUE(spins.join(deadline::after(long_enough)));
}

// Who is parked in a constructor left those who waited for its object waiting for ever, threads of others
// too.
TEST(LateThread, OneThatIsParkedWhileItMakesAStateKeepsNobody) {
  static std::latch begun{1};
  struct never_made {
    never_made() {
      begun.count_down();
      std::error_code error;
      for (;;) lastcall::checkpoint(error);
    }
  };
  static constinit lastcall::module_state<never_made> state{"state"};
  lastcall::runtime it{quiet()};
  lastcall::daemon_thread makes{"makes", "constructs", [] { state.get(); }};
  begun.wait();
  std::optional<std::error_code> seen;
  std::thread foreign{[&] { seen = code_of([] { state.get(); }); }};
  it.finalize(deadline::after(long_enough));
  foreign.join();
  EXPECT_EQ(seen, runtime_errc::over);
}

// Its maker is in the parent: the child waited for it for ever.
TEST(LateThread, AForkedChildMakesAfreshWhatAThreadOfItsParentWasMaking) {
  if (LASTCALL_CONFIG_THREAD_SANITIZER) GTEST_SKIP() << "it allows no new thread in a forked child";
  static std::atomic<bool> begun{false}, go_on{false};
  struct slow {
    slow() {
      begun = true;
      while (!go_on) std::this_thread::yield();
    }
    int value = 42;
  };
  static constinit lastcall::module_state<slow> state{"slow"};
  lastcall::runtime it{quiet()};
  lastcall::thread makes{"makes", [] { state.get(); }};
  while (!begun) std::this_thread::yield();
  const auto child = [] {
    return runtime_test::exit_status_of([] {
      go_on = true;
      return state.get().value;
    });
  };
  EXPECT_EQ(child(), 42);
  // … and in the middle of making one itself, it goes on with that.
  struct forks {
    int status = runtime_test::exit_status_of([] {
      go_on = true;
      return state.get().value - 1;
    });
  };
  static constinit lastcall::module_state<forks> forked{"forks"};
  EXPECT_EQ(forked.get().status, 41);
  go_on = true;
  EXPECT_TRUE(makes.join(deadline::after(long_enough)));
  EXPECT_EQ(state.get().value, 42);
}

TEST(LateThread, AChildThatIsForkedByAConstructorFinishesTheObject) {
  if (LASTCALL_CONFIG_THREAD_SANITIZER) GTEST_SKIP() << "it allows no new thread in a forked child";
  static int in_child = -1;
  struct forks {
    forks() { in_child = ::fork(); }
    int value = 43;
  };
  static constinit lastcall::module_state<forks> state{"forks"};
  lastcall::runtime it{quiet()};
  const int value = state.get().value;
  if (in_child == 0) {
    ::alarm(60);
    ::_exit(value == 43 && &state.get() == &state.get() && it.finalize(deadline::after(long_enough)).clean()
                ? 7
                : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(in_child, &status, 0), in_child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

// The parent's threads do not exist in a child: who let go of a handle there waited for nobody, for seconds.
TEST(LateThread, OneOfAForkedChildsParentNeverEnds) {
  const lastcall::runtime it{quiet()};
  std::latch begun{1}; // a sanitizer's allocator has locks then, which the child would inherit
  lastcall::thread of_parent{"of the parent", [&](lastcall::stop_token stop) {
                               begun.count_down();
                               lastcall::io::sleep_until(deadline::never(), stop);
                             }};
  begun.wait();
  EXPECT_EQ(runtime_test::exit_status_of([&] {
              const auto code = code_of([&] { of_parent.join(deadline::after(long_enough)); });
              return code == runtime_errc::never_ends ? 0 : 1;
            }),
            0);
}

// A cancellation that came while a thread waited was acted upon where nothing may be thrown.
TEST(LateThread, OneThatIsCancelledInAJoinUnwinds) {
  EXPECT_EQ(status_after_exit_of([] {
              static std::latch waits{1};
              static std::atomic<bool> unwound{false};
              static pthread_t self;
              static lastcall::runtime program{quiet()};
              lastcall::thread outer{"outer", [] {
                                       struct witness {
                                         ~witness() { unwound = true; }
                                       } const here;
                                       self = ::pthread_self();
                                       lastcall::thread inner{"inner", [](lastcall::stop_token stop) {
                                                                lastcall::io::sleep_until(deadline::never(),
                                                                                          stop);
                                                                struct slow {
                                                                  ~slow() {
                                                                    for (int i = 0; i < 100; ++i)
                                                                      std::this_thread::yield();
                                                                  }
                                                                };
                                                              }};
                                       waits.count_down();
                                       inner.request_stop();
                                       ::pthread_cancel(self);
                                       inner.join(deadline::after(long_enough));
                                       ::pthread_testcancel();
                                     }};
              waits.wait();
              return outer.join(deadline::after(long_enough)) && unwound ? 0 : 1;
            }),
            0);
}

// It never says that it ends; the finalization is over by its deadline.
TEST(LateThread, OneThatEndsByTheRawSystemCallIsLeftBehindAndNamed) {
  std::atomic<bool> there{false};
  lastcall::runtime it{quiet()};
  const lastcall::daemon_thread raw{"raw", "ends behind everybody's back", [&] {
                                      there = true;
                                      ::syscall(SYS_exit, 0);
                                    }};
  while (!there) std::this_thread::yield();
  EXPECT_EQ(it.finalize(deadline::after(100ms)).daemons_left, 1U);
  EXPECT_FALSE(raw.rests());
}

} // namespace
