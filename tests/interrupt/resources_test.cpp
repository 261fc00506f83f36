// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"
#include "sys/fault_plan.hpp"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

auto entries(const char* directory) {
  const std::filesystem::directory_iterator all{directory};
  return std::distance(begin(all), end(all));
}

// One; with an emulator, those of its own.
const std::ptrdiff_t threads_at_start = entries("/proc/self/task");

// A joined thread leaves /proc a moment after the join.
bool threads_become(std::ptrdiff_t count) {
  for (const auto until = deadline::after(10s); !until.expired(); std::this_thread::yield())
    if (entries("/proc/self/task") == count) return true;
  return false;
}

std::ptrdiff_t settled_threads() {
#if defined(__SANITIZE_THREAD__)
  const std::ptrdiff_t ever = 2;
#else
  const std::ptrdiff_t ever = threads_at_start;
#endif
  threads_become(ever);
  return ever;
}

// Sanitizers start a thread of their own beside the first one of the program; it is not ours to count.
void warm_up() { const signal_scope scope; }

bool by_default(int signal) {
  struct sigaction now {};
  ::sigaction(signal, nullptr, &now);
  return now.sa_handler == SIG_DFL;
}

} // namespace

TEST(Resources, EveryFailingCallOfTheConstructionIsNamedAndEverythingGivenBack) {
  warm_up();
  const auto threads = settled_threads(), descriptors = entries("/proc/self/fd");
  int failures = 0;
  for (int nth = 1;; ++nth) {
    fault_plan::fail_nth(nth, EAGAIN);
    bool made = false;
    std::string text;
    try {
      const signal_scope scope;
      made = true;
      fault_plan::disarm(); // the destruction has a test of its own
    } catch (const std::system_error& failure) {
      EXPECT_EQ(failure.code().value(), EAGAIN);
      text = failure.what();
    }
    const bool fired = fault_plan::disarm();
    EXPECT_TRUE(threads_become(threads)) << nth;
    EXPECT_EQ(entries("/proc/self/fd"), descriptors) << nth;
    EXPECT_TRUE(by_default(SIGINT) && by_default(SIGTERM)) << nth;
    EXPECT_FALSE(interrupt_pending());
    if (!fired) {
      EXPECT_TRUE(made);
      break;
    }
    if (!made) {
      ++failures;
      EXPECT_NE(text.find(lastcall::sys::name_of(fault_plan::failed())), std::string::npos) << text;
    }
  }
  EXPECT_EQ(failures, 5) << "the herald, and looking at and installing two signals";
}

namespace {

int told = 0;

// Raises SIGINT when its handler is installed, and lets the installation for SIGTERM fail.
void fail_half_way() {
  fault_plan::fail_nth(4, EIO, [] {
    ::raise(SIGINT);
    ::raise(SIGINT);
  });
}

bool construction_fails(found_handler found) {
  try {
    fail_half_way();
    const signal_scope scope{{.found = found}};
    return false;
  } catch (const std::system_error&) {
    return true;
  }
}

} // namespace

// The scope was never there, and the program does not die of a signal it was sent.
TEST(Resources, ASignalDuringAConstructionThatFailsActsAsItWouldHave) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a forked child shows the sanitizer's handlers (docs/limits.md)";
#endif
  const int status = testing_child::run([]() -> int {
    construction_fails(found_handler::chain);
    return 1;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGINT)) << status;
}

TEST(Resources, ASignalDuringAConstructionThatFailsReachesTheOldHandler) {
  warm_up();
  std::signal(SIGINT, [](int) { ++told; });
  EXPECT_TRUE(construction_fails(found_handler::chain));
  EXPECT_EQ(told, 2) << "called by ours, and not again";
  EXPECT_TRUE(construction_fails(found_handler::replace));
  EXPECT_EQ(told, 4) << "handed over";
  EXPECT_FALSE(interrupt_pending());
}

TEST(Resources, EveryFailingCallOfTheDestructionIsSurvivedAndEverythingGivenBack) {
  warm_up();
  const auto threads = settled_threads();
  bool fired = true;
  for (int nth = 1; fired; ++nth) {
    signal_scope scope;
    ::raise(SIGTERM);
    fault_plan::fail_nth(nth, EIO);
    const auto end = scope.close();
    fired = fault_plan::disarm();
    EXPECT_EQ(end.pending.size(), 1U) << nth;
    EXPECT_TRUE(end.herald_ended) << nth;
    EXPECT_TRUE(by_default(SIGINT) && by_default(SIGTERM)) << nth;
    EXPECT_TRUE(threads_become(threads)) << nth;
  }
}

TEST(Resources, EveryFailingCallOfTheHandlerIsSurvivedAndTheHeraldHears) {
  for (int nth = 1; nth <= 3; ++nth) {
    signal_scope scope;
    fault_plan::fail_nth(nth, EIO);
    ::raise(SIGTERM);
    fault_plan::disarm();
    while (!scope.token().stop_requested()) std::this_thread::yield();
    EXPECT_TRUE(interrupt_pending());
  }
}

TEST(Resources, AScopeNeedsNoDescriptor) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer looks at memory through a pipe";
#endif
  const int status = testing_child::run([]() -> int {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_NOFILE, &none);
    signal_scope scope;
    ::raise(SIGINT);
    while (!scope.token().stop_requested()) std::this_thread::yield();
    return scope.close().pending.size() == 1 ? 7 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(Resources, ClosingEveryDescriptorAsDaemonsDoHarmsNothing) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope;
    for (int fd = 3; fd < 1024; ++fd) ::close(fd);
    ::raise(SIGINT);
    while (!scope.token().stop_requested()) std::this_thread::yield();
    return 7;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(Resources, WithoutAThreadForTheHeraldTheErrorNamesItAndNothingChanges) {
  const int status = testing_child::run([]() -> int {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_NPROC, &none);
    if (::geteuid() == 0 && ::setuid(65534) != 0) return 77; // root is not limited
    try {
      const signal_scope scope;
      return 1;
    } catch (const std::system_error& failure) {
      const bool named = std::string{failure.what()}.find("pthread_create") != std::string::npos;
      return named && by_default(SIGINT) && by_default(SIGTERM) ? 7 : 2;
    }
  });
  if (testing_child::exited_with(status, 77)) GTEST_SKIP() << "cannot become an ordinary user";
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(Resources, ThreadsOfTheUserKeepTheirMask) {
  signal_scope scope;
  std::jthread{[] {
    sigset_t here;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &here);
    EXPECT_EQ(sigismember(&here, SIGINT), 0);
    EXPECT_EQ(sigismember(&here, SIGTERM), 0);
  }}.join();
}
