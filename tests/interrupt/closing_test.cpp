// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// What happens to a scope from several sides while it is closed.

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"

#include <atomic>
#include <csignal>
#include <semaphore>
#include <thread>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

// One that came after the herald's last look was pending, and the token never fired.
TEST(Closing, ARequestByCallIsActedOnOrRefused) {
  for (int i = 0; i < 300; ++i) {
    signal_scope scope;
    const stop_token token = scope.token();
    std::atomic<bool> started{false};
    std::size_t accepted = 0;
    scope_end end;
    {
      std::jthread asking{[&] {
        while (scope.request_stop("now")) {
          ++accepted;
          started = true;
        }
      }};
      while (!started) std::this_thread::yield();
      end = scope.close();
    }
    EXPECT_EQ(end.pending.size() + scope.lost(), accepted);
    EXPECT_TRUE(token.stop_requested());
    EXPECT_FALSE(scope.request_stop("too late"));
    EXPECT_EQ(scope.requests().size(), end.pending.size());
  }
}

namespace {

struct slow_to_go {
  std::binary_semaphore* wait = nullptr;
  ~slow_to_go() {
    if (wait != nullptr) wait->acquire();
  }
};
thread_local slow_to_go kept;

std::atomic<bool> gone{false};
struct mark {
  bool made = false;
  ~mark() {
    if (made) gone = true;
  }
};
thread_local mark left;

} // namespace

// The herald's function had ended, and the join waited without limit for what a listener had left in its
// thread.
TEST(Closing, AThreadLocalObjectOfAListenerThatDoesNotEndIsLeftBehindAtTheDeadline) {
  const int status = testing_child::run([]() -> int {
    static std::binary_semaphore never{0};
    signal_scope scope;
    const auto listening = scope.subscribe(SIGINT, [](const request&) { kept.wait = &never; });
    ::raise(SIGINT);
    const auto end = scope.close(deadline::after(50ms));
    ::_exit(!end.herald_ended && end.pending.size() == 1 ? 7 : 1);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(Closing, AThreadLocalObjectOfAListenerThatEndsInTimeIsWaitedFor) {
  signal_scope scope;
  const auto listening = scope.subscribe(SIGINT, [](const request&) { left.made = true; });
  ::raise(SIGINT);
  EXPECT_TRUE(scope.close(deadline::never()).herald_ended);
  EXPECT_TRUE(gone);
}
