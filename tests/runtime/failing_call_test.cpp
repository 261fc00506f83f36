// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A runtime's life, with the N-th system call of the thread that makes and ends it refused, N = 1, 2, …
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/at_exit.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>

#include "runtime/quiet.hpp"
#include "sys/fault_plan.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using runtime_test::exit_status_of;
using runtime_test::quiet;

enum outcome { whole = 0, refused = 10, no_such_call = 20, wrong = 1 };

int live_with_failing(int nth, int error) {
  std::atomic<int> threads{0};
  int registered = 0, called = 0;
  bool was_refused = false;
  fault_plan::fail_nth(nth, error);
  try {
    lastcall::runtime it{quiet()};
    try {
      lastcall::at_exit([&] { ++called; });
      ++registered;
      lastcall::thread worker{"worker", [&](lastcall::stop_token stop) {
                                lastcall::io::sleep_until(deadline::never(), stop);
                                --threads;
                              }};
      ++threads;
      const lastcall::daemon_thread reads{"sleeps", "for ever",
                                          [] { lastcall::io::sleep_until(deadline::never()); }};
    } catch (const std::system_error&) {
      was_refused = true;
    }
    it.finalize(deadline::after(30s));
  } catch (const std::system_error&) {
    was_refused = true;
  }
  if (!fault_plan::disarm()) return no_such_call;
  if (threads != 0 || called != registered || lastcall::runtime::live()) return wrong;
  lastcall::runtime next{quiet()}; // nothing is left of it
  lastcall::thread again{"again", [] {}};
  if (!again.join(deadline::after(30s)) || !next.finalize().clean()) return wrong;
  return was_refused ? refused : whole;
}

TEST(FailingCall, WhicheverItIsWhatWasBegunIsEndedAndTheNextRuntimeIsWhole) {
  for (const int error : {EAGAIN, ENOMEM, EPERM}) {
    int nth = 1, refusals = 0;
    for (; nth < 1000; ++nth) {
      const int how = exit_status_of([&] { return live_with_failing(nth, error); });
      if (how == no_such_call) break;
      EXPECT_TRUE(how == whole || how == refused) << how << " with call " << nth << " failing by " << error;
      if (how == refused) ++refusals;
    }
    EXPECT_LT(nth, 1000);
    EXPECT_GE(refusals, 3) << "at_fork, the key and a thread at least";
  }
}

} // namespace
