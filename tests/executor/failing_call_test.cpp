// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A pool's life, with the N-th system call of the thread that makes and ends it refused, N = 1, 2, …
#include <lastcall/executor/thread_pool.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/runtime.hpp>

#include "executor/blocked_pool.hpp"
#include "runtime/quiet.hpp"
#include "sys/fault_plan.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <latch>
#include <string>
#include <system_error>

namespace {

using executor_test::soon;
using lastcall::deadline;
using lastcall::thread_pool;
using runtime_test::exit_status_of;
using runtime_test::quiet;

enum outcome { whole = 0, refused = 10, no_such_call = 20, wrong = 1 };

int live_with_failing(int nth, int error) {
  std::atomic<int> accepted{0}, ran{0};
  bool was_refused = false;
  {
    const lastcall::runtime it{quiet()};
    fault_plan::fail_nth(nth, error);
    try {
      thread_pool pool{{.name = "p", .threads = 2, .grow_to = 4}};
      for (int i = 0; i < 3; ++i) {
        pool.post("sleeps", [&](lastcall::stop_token stop) {
          ++ran;
          lastcall::io::sleep_until(deadline::never(), stop);
        });
        ++accepted;
      }
      if (pool.submit_final("seven", [] { return 7; }).take() != 7) return wrong;
      const auto report = pool.drop(soon());
      if (report.late()) return wrong + 1;
      if (static_cast<std::size_t>(ran) + report.dropped != static_cast<std::size_t>(accepted))
        return wrong + 2;
    } catch (const std::system_error& failure) {
      was_refused = true;
      if (std::string{failure.what()}.empty()) return wrong + 3;
    }
  }
  if (!fault_plan::disarm()) return no_such_call;
  const lastcall::runtime next{quiet()}; // nothing is left of it
  thread_pool again{{.threads = 2}};
  if (again.submit([] { return 1; }).take() != 1 || !again.drain(soon()).clean()) return wrong + 4;
  return was_refused ? refused : whole;
}

TEST(FailingCall, OfAPoolLeavesNothingBehindAndLosesNothing) {
  for (const int error : {EAGAIN, ENOMEM, EPERM}) {
    int nth = 1, refusals = 0;
    for (; nth < 1000; ++nth) {
      const int how = exit_status_of([&] { return live_with_failing(nth, error); });
      if (how == no_such_call) break;
      EXPECT_TRUE(how == whole || how == refused) << how << " with call " << nth << " failing by " << error;
      if (how == refused) ++refusals;
    }
    EXPECT_LT(nth, 1000);
    EXPECT_GE(refusals, 3) << "the reserve and two threads at least";
  }
}

TEST(FailingCall, WithoutThreadsThePoolIsRefusedAndSaysWhichCall) {
  const lastcall::runtime it{quiet()};
  thread_pool first{{.threads = 1}}; // so that what is made once is there
  int nth = 1;
  for (; nth < 100; ++nth) {
    fault_plan::fail_nth(nth, EAGAIN);
    try {
      thread_pool pool{{.name = "p", .threads = 3}};
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::resource_unavailable_try_again);
      EXPECT_NE(std::string{error.what()}.find("pthread_create"), std::string::npos) << error.what();
    }
    if (!fault_plan::disarm()) break;
  }
  EXPECT_GT(nth, 4);
  EXPECT_EQ(first.submit([] { return 1; }).take(), 1);
}

TEST(FailingCall, APoolThatCannotGrowGoesOnWithWhatItHas) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 1, .grow_to = 2}};
  executor_test::blocker stuck;
  pool.post("stuck", stuck.task());
  stuck.begun.wait();
  auto answer = [&] {
    for (int nth = 1; nth < 100; ++nth) {
      fault_plan::fail_nth(nth, EAGAIN);
      auto result = pool.submit("answer", [] { return 1; });
      if (!fault_plan::disarm()) break;
      if (fault_plan::failed() == lastcall::sys::call::thread_create) return result;
    }
    return lastcall::future<int>{};
  }();
  ASSERT_TRUE(answer.valid()) << "it has not tried to grow";
  stuck.release();
  EXPECT_EQ(answer.take(), 1);
  EXPECT_TRUE(pool.drain(soon()).clean());
}

} // namespace
