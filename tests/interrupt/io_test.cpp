// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <future>
#include <random>
#include <thread>

#include <pthread.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

TEST(Sleep, ASignalBeforeItEndsIt) {
  signal_scope scope;
  ::raise(SIGINT);
  EXPECT_THROW(io::sleep_for(1h), interrupted);
  std::error_code error;
  io::sleep_for(1h, error);
  EXPECT_EQ(error, stop_errc::interrupted);
}

TEST(Sleep, SignalsAtAnyMomentEndItWhicheverThreadTheyHit) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  const pthread_t owner = ::pthread_self();
  std::promise<void> go[200];
  std::jthread sender{[&] {
    std::minstd_rand random{1};
    for (int i = 0; i < 200; ++i) {
      go[i].get_future().wait();
      for (auto spins = random() % 20'000; spins > 0; --spins) asm volatile("");
      if (i % 2 == 0)
        ::pthread_kill(owner, SIGINT); // lands on the sleeper
      else
        ::raise(SIGINT); // lands here; the herald has to wake the sleeper
    }
  }};
  for (int i = 0; i < 200; ++i) {
    go[i].set_value();
    EXPECT_THROW(io::sleep_for(1h), interrupted);
    EXPECT_EQ(scope.acknowledge().size(), 1U);
  }
}

// The herald alone woke the owner, and a listener held up the herald.
TEST(Sleep, ASignalOnAnotherThreadEndsItAlsoWhenAListenerHangs) {
  signal_scope scope{{.listen = {SIGHUP}}};
  std::promise<void> entered, let_go;
  const auto stuck = scope.subscribe(SIGHUP, [&](const request&) {
    entered.set_value();
    let_go.get_future().wait();
  });
  ::raise(SIGHUP);
  entered.get_future().wait();
  std::jthread other{[] { ::raise(SIGINT); }};
  std::error_code error;
  io::sleep_for(20s, error);
  EXPECT_EQ(error, stop_errc::interrupted);
  let_go.set_value();
}

TEST(Sleep, EndsByItselfAtItsDeadline) {
  signal_scope scope;
  const auto start = clock::now();
  io::sleep_for(20ms);
  EXPECT_GE(clock::now() - start, 20ms);
  std::error_code error = stop_errc::interrupted;
  io::sleep_until(deadline::after(1ms), error);
  EXPECT_FALSE(error);
  io::sleep_for(0s);
  io::sleep_for(-5s);
}

TEST(Sleep, ASpanThatIsNotPositiveIsACheckpoint) {
  signal_scope scope;
  ::raise(SIGINT);
  EXPECT_THROW(io::sleep_for(0s), interrupted);
}

TEST(Sleep, UnderAShieldItSleepsToTheEnd) {
  signal_scope scope;
  const shield whole;
  ::raise(SIGINT);
  const auto start = clock::now();
  io::sleep_for(20ms);
  EXPECT_GE(clock::now() - start, 20ms);
  EXPECT_TRUE(io::wait_for_request(deadline::after(10s)));
}

TEST(Sleep, OtherThreadsSleepOnAndEndByTheirToken) {
  signal_scope scope;
  std::promise<bool> slept, stopped;
  std::jthread plain{[&] {
    io::sleep_for(20ms);
    slept.set_value(true);
  }};
  std::jthread with_token{[&] { stopped.set_value(!io::sleep_for(1h, scope.token())); }};
  ::raise(SIGTERM);
  EXPECT_TRUE(slept.get_future().get());
  EXPECT_TRUE(stopped.get_future().get());
  EXPECT_TRUE(io::sleep_for(1ms, std::stop_token{}));
}

TEST(WaitForRequest, EndsAtItsDeadlineWithoutOne) {
  signal_scope scope;
  EXPECT_FALSE(io::wait_for_request(deadline::after(5ms)));
  EXPECT_FALSE(io::wait_for_request(deadline::after(-1s)));
}

TEST(Post, RunsOnTheSleepingOwnerInOrderAndTheSleepGoesOn) {
  signal_scope scope;
  std::vector<int> ran;
  const auto owner = std::this_thread::get_id();
  std::jthread other{[&] {
    for (int i = 0; i < 3; ++i)
      EXPECT_TRUE(scope.post([&, i] {
        EXPECT_EQ(std::this_thread::get_id(), owner);
        ran.push_back(i);
        if (i == 2) scope.request_stop("all ran");
      }));
  }};
  EXPECT_THROW(io::sleep_for(1h), interrupted);
  EXPECT_EQ(ran, (std::vector{0, 1, 2}));
}

TEST(Post, AThrowIsContainedAndTheRestRuns) {
  timeline log;
  signal_scope scope{{.log = &log}};
  bool ran = false;
  scope.post([] { throw 5; });
  scope.post([&] { ran = true; });
  io::sleep_for(0s);
  EXPECT_TRUE(ran);
  EXPECT_EQ(log.events().size(), 1U);
}

TEST(Post, IsHeldBackByAShieldBoundedAndCountedAtTheEnd) {
  signal_scope scope;
  int ran = 0;
  {
    const shield whole;
    scope.post([&] { ++ran; });
    io::sleep_for(1ms);
    EXPECT_EQ(ran, 0);
  }
  io::sleep_for(0s);
  EXPECT_EQ(ran, 1);
  for (int i = 0; i < 256; ++i) EXPECT_TRUE(scope.post([&] { ++ran; }));
  EXPECT_FALSE(scope.post([] {}));
  EXPECT_EQ(scope.close().dropped_posts, 256U);
  EXPECT_FALSE(scope.post([] {}));
  EXPECT_EQ(ran, 1);
}

TEST(Post, ACallThatPostsItselfDoesNotHoldTheCheckpoint) {
  signal_scope scope;
  int ran = 0;
  std::function<void()> again = [&] {
    ++ran;
    scope.post(again);
  };
  scope.post(again);
  io::sleep_for(20ms);
  EXPECT_GE(ran, 1);
}

TEST(Post, ACallMayCloseTheScope) {
  auto scope = std::make_unique<signal_scope>();
  scope->post([&] { scope.reset(); });
  scope->post([] { FAIL(); });
  io::sleep_for(0s);
  EXPECT_EQ(scope, nullptr);
}
