// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>

#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::runtime_errc;
using runtime_test::code_of;
using runtime_test::exit_status_of;
using runtime_test::patient;
using runtime_test::quiet;

constexpr auto long_enough = 30s;

TEST(Thread, NeedsARuntime) {
  EXPECT_EQ(code_of([] { lastcall::thread{"early", [] {}}; }), runtime_errc::no_runtime);
  { const lastcall::runtime it{quiet()}; }
  EXPECT_EQ(code_of([] { lastcall::thread{"late", [] {}}; }), runtime_errc::over);
}

TEST(Thread, HasItsNameAndItsCreatorsMask) {
  const lastcall::runtime it{quiet()};
  std::string seen;
  sigset_t mask, blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  lastcall::thread named{"a name longer than the kernel's", [&] {
                           char name[16]{};
                           ::pthread_getname_np(::pthread_self(), name, sizeof name);
                           seen = name;
                           ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
                         }};
  ::pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
  EXPECT_EQ(named.name(), "a name longer than the kernel's");
  EXPECT_TRUE(named.join(deadline::after(long_enough)));
  EXPECT_EQ(seen, "a name longer t");
  EXPECT_TRUE(sigismember(&mask, SIGUSR1));
}

TEST(Thread, JoiningWaitsForItsThreadLocalObjects) {
  struct slow_to_go {
    std::atomic<bool>* gone = nullptr;
    ~slow_to_go() {
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();
      *gone = true;
    }
  };
  std::atomic<bool> gone{false};
  lastcall::runtime it{quiet()};
  lastcall::thread one{"one", [&] {
                         thread_local slow_to_go here;
                         here.gone = &gone;
                       }};
  it.finalize(deadline::after(long_enough));
  EXPECT_TRUE(gone);
}

TEST(Thread, ThatAnotherOneStartsLateIsJoinedToo) {
  std::atomic<bool> ended{false};
  std::latch joining{1};
  lastcall::runtime it{quiet()};
  lastcall::thread first{"first", [&](lastcall::stop_token stop) {
                           lastcall::io::sleep_until(deadline::never(), stop); // the finalization has begun
                           lastcall::thread second{"second", [&] {
                                                     joining.wait();
                                                     ended = true;
                                                   }};
                           joining.count_down();
                           second.join(deadline::after(long_enough));
                         }};
  EXPECT_TRUE(it.finalize(deadline::after(long_enough)).clean());
  EXPECT_TRUE(ended);
}

TEST(Thread, IsRefusedOnceTheRuntimeEnds) {
  std::optional<std::error_code> from_main, daemon;
  lastcall::runtime it{quiet()};
  const lastcall::stop_callback when_it_ends{it.token(), [&](const lastcall::reason&) {
                                               from_main = code_of([] { lastcall::thread{"x", [] {}}; });
                                             }};
  lastcall::thread worker{"worker", [&](lastcall::stop_token stop) {
                            lastcall::io::sleep_until(deadline::never(), stop);
                            daemon = code_of([] { lastcall::daemon_thread{"y", "none", [] {}}; });
                          }};
  it.finalize(deadline::after(long_enough));
  EXPECT_EQ(from_main, runtime_errc::ending);
  EXPECT_EQ(daemon, runtime_errc::ending);
}

TEST(Thread, WhatLeavesItGoesToTheHook) {
  auto options = quiet();
  std::string whose, what;
  options.on_thread_failure = [&](std::string_view thread, std::exception_ptr failure) {
    whose = thread;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      what = error.what();
    }
  };
  const lastcall::runtime it{std::move(options)};
  lastcall::thread one{"unlucky", [] { throw std::runtime_error{"no luck"}; }};
  EXPECT_TRUE(one.join(deadline::after(long_enough)));
  EXPECT_EQ(whose, "unlucky");
  EXPECT_EQ(what, "no luck");
}

TEST(Thread, AFailingHookIsReported) {
  testing::internal::CaptureStderr();
  auto options = quiet();
  options.on_thread_failure = [](std::string_view, std::exception_ptr) { throw std::runtime_error{"hook"}; };
  {
    const lastcall::runtime it{std::move(options)};
    lastcall::thread one{"unlucky", [] { throw 7; }};
    one.join(deadline::after(long_enough));
  }
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("thread \"unlucky\" failed: exception of type int"), std::string::npos) << said;
  EXPECT_NE(said.find("on_thread_failure: hook"), std::string::npos) << said;
}

TEST(Thread, AFailureWithoutStandardErrorIsSurvived) {
  EXPECT_EQ(exit_status_of([] {
              ::close(2);
              lastcall::runtime it{quiet()};
              lastcall::thread one{"unlucky", [] { throw std::runtime_error{"nobody hears it"}; }};
              one.join(deadline::after(long_enough));
              return it.finalize().clean() ? 0 : 1;
            }),
            0);
}

TEST(Thread, OneThatCannotBeHadLeavesNothing) {
  EXPECT_EQ(
      exit_status_of([] {
        lastcall::runtime it{quiet()};
        if (::getuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) return 2; // no limit holds for root
        const rlimit none{1, 1};
        ::setrlimit(RLIMIT_NPROC, &none);
        if (code_of([] { lastcall::thread{"none", [] {}}; }) != std::errc::resource_unavailable_try_again)
          return 3;
        return it.finalize(deadline::after(long_enough)).clean() ? 0 : 1;
      }),
      0);
}

TEST(Thread, ThatEndedUnjoinedIsReapedByTheNext) {
  const lastcall::runtime it{quiet()};
  for (int i = 0; i < 2000; ++i) { // stacks of 8 MiB: unreaped, they would fill any address space limit
    lastcall::daemon_thread one{"brief", "does nothing", [] {}};
    while (!one.rests()) std::this_thread::yield();
  }
  std::ifstream status{"/proc/self/status"};
  std::string line;
  while (std::getline(status, line))
    if (line.starts_with("Threads:")) break;
  EXPECT_LT(std::stoi(line.substr(8)), 20) << line;
}

TEST(Thread, ALateOneIsNamedAndLeftBehind) {
  std::atomic<bool> go_on{true};
  lastcall::finalization_report report;
  {
    lastcall::runtime it{quiet()};
    lastcall::thread deaf{"deaf", [&] {
                            while (go_on) std::this_thread::yield();
                          }};
    report = it.finalize(deadline::after(50ms));
    go_on = false;
    EXPECT_TRUE(deaf.join(deadline::after(long_enough)));
  }
  ASSERT_EQ(report.late.size(), 1U) << describe(report);
  EXPECT_EQ(report.late[0].name, "deaf");
  EXPECT_TRUE(report.was_late());
  EXPECT_FALSE(report.clean());
}

TEST(Thread, HurryShortensTheWait) {
  std::atomic<bool> go_on{true};
  lastcall::runtime it{quiet()};
  lastcall::thread deaf{"deaf", [&] {
                          while (go_on) std::this_thread::yield();
                        }};
  const lastcall::stop_callback second_ctrl_c{
      it.token(), [](const lastcall::reason&) { lastcall::runtime::hurry(deadline::after(10ms)); }};
  EXPECT_TRUE(it.finalize(deadline::never()).was_late());
  go_on = false;
  EXPECT_TRUE(deaf.join(deadline::after(long_enough)));
}

TEST(Thread, MayFinalizeItself) {
  std::optional<lastcall::finalization_report> report;
  std::optional<lastcall::runtime> it{quiet()};
  lastcall::thread one{"one", [&] { report = it->finalize(deadline::after(long_enough)); }};
  EXPECT_TRUE(one.join(deadline::after(long_enough)));
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->clean()) << describe(*report);
}

TEST(Thread, DoesNotWaitForItself) {
  lastcall::runtime it{quiet()};
  std::error_code seen;
  lastcall::thread one;
  std::latch there{1};
  one = lastcall::thread{"one", [&] {
                           there.wait();
                           seen = code_of([&] { one.join(deadline::never()); });
                         }};
  there.count_down();
  it.finalize(deadline::after(long_enough));
  EXPECT_EQ(seen, std::errc::resource_deadlock_would_occur);
}

TEST(Thread, ForcedUnwindingEndsItLikeAnyOther) {
  std::atomic<bool> unwound{false};
  struct witness {
    std::atomic<bool>& unwound;
    ~witness() { unwound = true; }
  };
  lastcall::runtime it{quiet()};
  lastcall::thread one{"one", [&] {
                         const witness here{unwound};
                         ::pthread_exit(nullptr);
                       }};
  EXPECT_TRUE(one.join(deadline::after(long_enough)));
  EXPECT_TRUE(unwound);
}

TEST(Daemon, CarriesItsReasonAndMayBeForbidden) {
  auto options = quiet();
  options.daemons = lastcall::daemon_policy::forbidden;
  {
    const lastcall::runtime strict{options};
    EXPECT_EQ(code_of([] { lastcall::daemon_thread{"d", "why", [] {}}; }), runtime_errc::forbidden);
  }
  const lastcall::runtime lax{quiet()};
  lastcall::daemon_thread one{"d", "why", [] {}};
  EXPECT_EQ(one.reason(), "why");
  EXPECT_TRUE(one.join(deadline::after(long_enough)));
}

TEST(Daemon, InCodeOfTheProgramIsNotWaitedFor) {
  std::atomic<bool> there{false}, go_on{true}, came_back{false};
  lastcall::runtime it{quiet()};
  lastcall::daemon_thread spinner{"spinner", "spins", [&] {
                                    there = true;
                                    while (go_on) std::this_thread::yield();
                                    std::error_code error;
                                    lastcall::checkpoint(error); // must not throw: parked
                                    came_back = true;
                                  }};
  while (!there) std::this_thread::yield();
  const auto report = it.finalize(deadline::after(long_enough));
  EXPECT_EQ(report.daemons_left, 1U);
  EXPECT_TRUE(report.clean());
  EXPECT_FALSE(spinner.rests());
  go_on = false;
  EXPECT_EQ(code_of([&] { spinner.join(deadline::after(long_enough)); }), runtime_errc::never_ends);
  EXPECT_FALSE(came_back);
}

TEST(Daemon, IsParkedByADestructorThatUnwindingRuns) {
  std::atomic<bool> there{false}, came_back{false};
  struct touches {
    std::atomic<bool>& came_back;
    ~touches() {
      lastcall::checkpoint();
      came_back = true;
    }
  };
  lastcall::runtime it{patient()};
  lastcall::daemon_thread one{"one", "touches while unwound", [&] {
                                const touches here{came_back};
                                there = true;
                                for (;;) lastcall::checkpoint();
                              }};
  while (!there) std::this_thread::yield();
  EXPECT_EQ(it.finalize(deadline::after(long_enough)).daemons_parked, 1U);
  EXPECT_FALSE(came_back);
}

TEST(Daemon, OfAnOldGenerationIsEndedInTheNewOne) {
  std::atomic<bool> there{false}, go_on{true}, began_anew{false};
  auto first = std::make_unique<lastcall::runtime>(quiet());
  lastcall::daemon_thread old{"old", "sleeps over", [&] {
                                there = true;
                                while (go_on) std::this_thread::yield();
                                lastcall::thread{"child", [&] { began_anew = true; }};
                              }};
  while (!there) std::this_thread::yield();
  first.reset();
  const lastcall::runtime second{quiet()};
  go_on = false;
  EXPECT_TRUE(old.join(deadline::after(long_enough)));
  EXPECT_FALSE(began_anew);
}

} // namespace
