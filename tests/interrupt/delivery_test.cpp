// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// When a request is delivered, and when not: Trio's rules for the keyboard interrupt, restated for threads,
/// and what unwinding adds to them.
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/interrupt/with.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"

#include <csignal>
#include <exception>
#include <memory>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <thread>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

bool delivers() {
  std::error_code error;
  checkpoint(error);
  return error == stop_errc::interrupted;
}

// Runs `fn` in a destructor, while an exception is on its way.
template <class Fn>
void while_unwinding(Fn fn) {
  struct closer {
    Fn fn;
    ~closer() { fn(); }
  };
  try {
    const closer at_end{fn};
    throw std::runtime_error{"on its way"};
  } catch (const std::runtime_error&) {
  }
}

} // namespace

// Delivery: it has priority over an ordinary cancellation; the cancellation still comes afterwards.
TEST(Delivery, ARequestComesBeforeAnOrdinaryStopWhichStillComesAfterwards) {
  signal_scope scope;
  std::stop_source ordinary;
  ordinary.request_stop();
  ::raise(SIGINT);
  const auto step = [&] {
    checkpoint();
    return io::sleep_for(1h, ordinary.get_token());
  };
  EXPECT_THROW(step(), interrupted);
  scope.acknowledge();
  EXPECT_FALSE(step()) << "the token still stands";
}

// Delivery: protection does not leak into callbacks … that were not protected.
TEST(Delivery, TheShieldOfTheOwnerDoesNotLeakIntoListenersAndCallbacksOfTheHerald) {
  signal_scope scope;
  std::binary_semaphore told{0};
  bool leaked = true;
  const auto telling = scope.subscribe(SIGINT, [&](const request&) {
    leaked = detail::here().shielded();
    told.release();
  });
  const shield whole;
  ::raise(SIGINT);
  told.acquire();
  EXPECT_FALSE(leaked);
}

// … and the shield a posted call runs under ends with it, also when it throws.
TEST(Delivery, TheShieldOfAPostedCallEndsWithIt) {
  signal_scope scope;
  scope.post([] {
    ::raise(SIGINT);
    checkpoint();
    throw std::runtime_error{"contained"};
  });
  EXPECT_THROW(checkpoint(), interrupted) << "the call was not cut, what is after it is";
}

// Delivery: a protected one gets it at its next checkpoint after the protection ends, here the lock's.
TEST(Delivery, EnteringAndLeavingALockAreProtectedAndTheBodyIsNot) {
  signal_scope scope;
  std::mutex lock;
  ::raise(SIGINT);
  EXPECT_THROW(with(lock, [] { checkpoint(); }), interrupted);
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

// Delivery: just after main returned it is still seen by whoever ran it.
TEST(Delivery, WhatAShieldHeldBackToTheLastMomentIsInTheResult) {
  signal_scope scope;
  const shield whole{1h};
  ::raise(SIGTERM);
  checkpoint();
  EXPECT_EQ(scope.close().pending.size(), 1U);
}

// A wait in a destructor that runs because of an exception goes to its end.
TEST(Unwinding, ACallOfTheLibraryIsNotCutShort) {
  signal_scope scope;
  bool whole = false;
  while_unwinding([&] {
    ::raise(SIGINT);
    const auto until = deadline::after(5ms);
    io::sleep_until(until);
    std::error_code error;
    io::sleep_for(1ms, error);
    whole = until.expired() && !error;
  });
  EXPECT_TRUE(whole);
  EXPECT_THROW(io::sleep_for(1h), interrupted) << "the first one after the catch";
}

// An exception that is thrown and caught inside the destructor changes nothing: the outer one is still on its
// way, and what this frame could catch its caller could not.
TEST(Unwinding, ACatchInsideADestructorDeliversNothingWhileTheOuterExceptionIsOnItsWay) {
  signal_scope scope;
  ::raise(SIGINT);
  bool inside = true;
  while_unwinding([&] {
    try {
      inside = delivers();
      throw 1;
    } catch (int) {
      inside = inside || delivers();
    }
  });
  EXPECT_FALSE(inside);
  EXPECT_TRUE(delivers());
}

TEST(Unwinding, ACatchBlockIsNoUnwinding) {
  signal_scope scope;
  ::raise(SIGINT);
  try {
    throw std::runtime_error{"caught"};
  } catch (const std::runtime_error&) {
    EXPECT_THROW(checkpoint(), interrupted);
  }
}

TEST(Unwinding, PostedCallsWaitForItsEnd) {
  signal_scope scope;
  int ran = 0;
  scope.post([&] { ++ran; });
  while_unwinding([&] {
    checkpoint();
    EXPECT_EQ(ran, 0);
  });
  checkpoint();
  EXPECT_EQ(ran, 1);
}

// A scope that was made while unwinding counts from there. When it outlived that, the next unwinding looked
// like none, and a checkpoint in a destructor ended the program.
TEST(Unwinding, AScopeMadeInADestructorMayOutliveTheUnwinding) {
  const int status = testing_child::run([]() -> int {
    std::unique_ptr<signal_scope> scope;
    while_unwinding([&] { scope = std::make_unique<signal_scope>(); });
    ::raise(SIGINT);
    if (!delivers()) return 1;
    bool held_back = false;
    while_unwinding([&] { held_back = !delivers(); });
    return held_back ? 7 : 2;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

// A bounded shield that has run out is one thing, the way of an exception another.
TEST(Unwinding, AShieldThatRanOutDoesNotOpenIt) {
  signal_scope scope;
  ::raise(SIGINT);
  const shield none{0s};
  bool inside = true;
  while_unwinding([&] { inside = delivers(); });
  EXPECT_FALSE(inside);
  EXPECT_TRUE(delivers());
}

TEST(Interrupted, PassesCatchOfStdExceptionAndComesAgainWhenSwallowed) {
  signal_scope scope;
  ::raise(SIGINT);
  int swallowed = 0;
  for (int i = 0; i < 3; ++i) try {
      try {
        io::sleep_for(1h);
      } catch (const std::exception&) {
        FAIL();
      }
    } catch (...) {
      ++swallowed;
    }
  EXPECT_EQ(swallowed, 3);
  scope.acknowledge();
  checkpoint();
}

// InterruptMainTests: any handled signal; nothing where it is ignored or at its default; from inside a
// shield.
TEST(Interrupted, InterruptMainDoesNothingWhereTheSignalIsIgnored) {
  std::signal(SIGTERM, SIG_IGN);
  signal_scope scope;
  interrupt_main(SIGTERM);
  EXPECT_FALSE(interrupt_pending());
  EXPECT_EQ(scope.delivered(), 0U);
  interrupt_main(SIGINT);
  EXPECT_TRUE(interrupt_pending());
  EXPECT_THROW(interrupt_main(-1), std::invalid_argument);
}
