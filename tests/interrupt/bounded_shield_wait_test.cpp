// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// An owner that waits under a shield with a bound, and one that is forced through it.
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/busy_listener.hpp"
#include "interrupt/child.hpp"

#include <csignal>
#include <semaphore>
#include <thread>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

// Where a library call is left because a bound has passed there is nobody to jump for it: the bound is short.
constexpr auto soon = 20ms;

} // namespace

// The herald wakes it: nobody else comes by while the owner sleeps.
TEST(BoundedShield, ASleepingOwnerIsWokenWhenItRunsOut) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope;
    const shield up{soon};
    ::raise(SIGINT);
    try {
      io::sleep_until(deadline::never());
    } catch (const interrupted&) {
      return 7;
    }
    return 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(BoundedShield, ASleepingOwnerIsWokenWhenTheRequestComesDuringTheSleep) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope;
    std::binary_semaphore heard{0};
    const auto delays = scope.on_delayed([&](const request&) { heard.release(); });
    const shield up{soon};
    const shield another{2 * soon};
    std::jthread sender{[] { ::kill(::getpid(), SIGINT); }};
    std::error_code error;
    io::sleep_until(deadline::never(), error);
    heard.acquire();
    return error == stop_errc::interrupted ? 7 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(BoundedShield, PutUpAfterTheRequestItRunsOutInASleepAsWell) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope;
    ::raise(SIGINT);
    const shield up{soon};
    std::error_code error;
    io::sleep_until(deadline::never(), error);
    return error == stop_errc::interrupted ? 7 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

// A thread in a call of the kernel looks at no word: the herald nudges it.
TEST(BoundedShield, AReadOnAnEmptyPipeEndsWhenItRunsOut) {
  const int status = testing_child::run([]() -> int {
    int ends[2];
    if (::pipe(ends) != 0) return 1;
    signal_scope scope;
    const shield up{soon};
    const shield longer{2 * soon};
    ::raise(SIGINT);
    char byte = 0;
    try {
      io::read(ends[0], &byte, 1);
    } catch (const interrupted&) {
      return 7;
    }
    return 2;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

// The bit that wakes the sleeper stayed set without a request, and the wait span.
TEST(BoundedShield, AWaitForRequestGoesToSleepAgainAfterABoundHasPassed) {
  signal_scope scope;
  const shield up{1ns};
  ::raise(SIGINT);
  while (scope.requests().empty()) {
  }
  io::sleep_until(deadline::after(5ms), std::stop_token{});
  scope.acknowledge();
  EXPECT_FALSE(io::wait_for_request(deadline::after(20ms)));
}

TEST(BoundedShield, AProgramThatNeverLooksIsForcedThroughItAndThroughNestedOnes) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope{{.coalesce = 0ms}};
    std::counting_semaphore<> climbed{0};
    const auto steps = scope.on_ladder([&](ladder_step, const request&) { climbed.release(); });
    const shield outer{1h};
    const shield plain;
    const shield inner{1h};
    for (int presses = 0; presses < 3; ++presses) {
      ::raise(SIGINT);
      climbed.acquire();
      checkpoint();
    }
    io::sleep_until(deadline::never());
    return 1;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGINT)) << status;
}

TEST(BoundedShield, TheHandlerForcesThroughItWhenTheHeraldIsStuck) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope{{.coalesce = 0ms}};
    busy_listener forever;
    const auto listening = forever.listen(scope, SIGTERM);
    const shield outer;
    const shield inner{1h};
    ::raise(SIGTERM);
    forever.entered.acquire();
    ::raise(SIGTERM);
    ::raise(SIGTERM);
    return 1;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGTERM)) << status;
}
