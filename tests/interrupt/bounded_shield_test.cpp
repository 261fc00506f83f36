// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Shields with a bound. Time is never measured: a bound that matters has either passed for certain or is an
/// hour.
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/busy_listener.hpp"

#include <atomic>
#include <csignal>
#include <optional>
#include <semaphore>
#include <thread>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

// A steady clock that jumps when told so. The kernel's clock goes on beside it.
std::atomic<std::int64_t> jumped{0};

time_point jumping_clock() noexcept {
  return std::chrono::steady_clock::now() + std::chrono::nanoseconds{jumped.load()};
}

struct jumps {
  jumps() { clock::exchange_source(&jumping_clock); }
  ~jumps() { clock::exchange_source(nullptr); }
  void by(duration span) const { jumped += span.count(); }
  void after_a_request_by(duration span) const {
    ::raise(SIGINT);
    checkpoint(); // held back
    by(span);
  }
};

bool delivers() {
  std::error_code error;
  checkpoint(error);
  return error == stop_errc::interrupted;
}

} // namespace

TEST(BoundedShield, HoldsBackUntilItsBoundAndDeliversInsideAfterIt) {
  const jumps time;
  signal_scope scope;
  const shield up{5s};
  ::raise(SIGINT);
  EXPECT_FALSE(delivers());
  time.by(6s);
  EXPECT_TRUE(delivers());
  EXPECT_TRUE(delivers()) << "until it is acknowledged";
  scope.acknowledge();
  EXPECT_FALSE(delivers());
}

TEST(BoundedShield, ItsTimeDoesNotRunBeforeARequestIsHeldBack) {
  const jumps time;
  signal_scope scope;
  const shield up{5s};
  time.by(1h);
  checkpoint();
  ::raise(SIGINT);
  EXPECT_FALSE(delivers());
}

TEST(BoundedShield, ItsTimeRunsFromItsOwnBeginningForARequestThatCameBefore) {
  const jumps time;
  signal_scope scope;
  scope.request_stop("an hour ago");
  time.by(1h);
  const shield up{5s};
  EXPECT_FALSE(delivers());
  time.by(6s);
  EXPECT_TRUE(delivers());
}

TEST(BoundedShield, AnAcknowledgedRequestDoesNotCount) {
  const jumps time;
  signal_scope scope;
  const shield up{5s};
  ::raise(SIGINT);
  EXPECT_FALSE(delivers());
  scope.acknowledge();
  EXPECT_FALSE(delivers());
  time.by(1h);
  ::raise(SIGINT);
  EXPECT_FALSE(delivers());
}

TEST(BoundedShield, OnceRunOutItHoldsNothingBackAnyMore) {
  const jumps time;
  signal_scope scope;
  const shield up{5s};
  time.after_a_request_by(6s);
  EXPECT_TRUE(delivers());
  scope.acknowledge();
  ::raise(SIGINT);
  EXPECT_TRUE(delivers());
}

TEST(BoundedShield, DeliveryIsHeldBackAsLongAsOneHasNotRunOut) {
  const jumps time;
  signal_scope scope;
  const shield outer{10s};
  {
    const shield inner{1s};
    time.after_a_request_by(2s);
    EXPECT_FALSE(delivers()) << "the outer one is up";
    {
      const shield plain;
      time.by(1h);
      EXPECT_FALSE(delivers()) << "a plain one never runs out";
    }
    EXPECT_TRUE(delivers());
  }
  EXPECT_TRUE(delivers());
}

TEST(BoundedShield, ThatRanOutLeavesTheOthersAsTheyAre) {
  const jumps time;
  signal_scope scope;
  {
    const shield outer{1h};
    {
      const shield inner{1s};
      time.after_a_request_by(2s);
      checkpoint();
    }
    EXPECT_FALSE(delivers());
  }
  EXPECT_TRUE(delivers());
  scope.acknowledge();
  const shield fresh;
  ::raise(SIGINT);
  EXPECT_FALSE(delivers());
}

TEST(BoundedShield, ABoundThatIsNotPositiveHoldsNothingBack) {
  signal_scope scope;
  const shield none{0s};
  const shield less{-1h};
  ::raise(SIGINT);
  EXPECT_TRUE(delivers());
}

TEST(BoundedShield, AHugeBoundIsNone) {
  const jumps time;
  signal_scope scope;
  const shield up{duration::max()};
  const shield nearly{duration::max() - 1ns};
  ::raise(SIGINT);
  time.by(24h);
  EXPECT_FALSE(delivers());
}

// Heap and optional: nothing obliges shields to end in the reverse order.
TEST(BoundedShield, TheyMayEndInAnyOrder) {
  const jumps time;
  signal_scope scope;
  std::optional<shield> first, second, third;
  first.emplace(1s);
  second.emplace(1h);
  third.emplace(1s);
  time.after_a_request_by(2s);
  checkpoint();
  first.reset();
  EXPECT_FALSE(delivers());
  second.reset();
  EXPECT_TRUE(delivers());
  third.reset();
  EXPECT_TRUE(delivers());
}

TEST(BoundedShield, FromBeforeTheScopeIsBoundedInIt) {
  const jumps time;
  const shield up{5s};
  {
    signal_scope scope;
    ::raise(SIGINT);
    EXPECT_FALSE(delivers());
    time.by(6s);
    EXPECT_TRUE(delivers());
  }
  signal_scope another;
  ::raise(SIGINT);
  EXPECT_TRUE(delivers()) << "it has run out";
}

TEST(BoundedShield, OfAnotherThreadHoldsNothingBackHere) {
  signal_scope scope;
  std::binary_semaphore up{0}, over{0};
  std::jthread other{[&] {
    const shield whole{1h};
    up.release();
    over.acquire();
    checkpoint();
  }};
  up.acquire();
  ::raise(SIGINT);
  EXPECT_TRUE(delivers());
  over.release();
}

// Whoever computes and looks now and then needs no herald: a listener may hold it up.
TEST(BoundedShield, RunsOutAlsoWhileTheHeraldIsStuck) {
  const jumps time;
  signal_scope scope;
  busy_listener busy;
  const auto listening = busy.listen(scope, SIGINT);
  {
    const shield up{5s};
    ::raise(SIGINT);
    busy.entered.acquire();
    EXPECT_FALSE(delivers());
    time.by(6s);
    EXPECT_TRUE(delivers());
  }
  busy.let_go.release();
}

// Owner and herald look at the same shields at the same time; the bounds pass under their hands.
TEST(BoundedShield, ComesAndGoesWhileItsBoundPasses) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  for (int i = 0; i < 300; ++i) {
    {
      const shield outer{std::chrono::microseconds{i}};
      ::raise(SIGINT);
      const shield inner{std::chrono::microseconds{300 - i}};
      std::error_code error;
      checkpoint(error);
    }
    EXPECT_TRUE(delivers());
    scope.acknowledge();
    const shield whole;
    ::raise(SIGINT);
    EXPECT_FALSE(delivers()) << "the count is as it was";
    scope.acknowledge();
  }
}
