// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/interrupt/with.hpp>
#include <lastcall/scope/gate.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <mutex>
#include <stdexcept>

using namespace lastcall;

namespace {

// A resource whose ends are full of checkpoints, with a request pending.
struct turnstile {
  int inside = 0;
  void enter() {
    ::raise(SIGINT);
    checkpoint();
    ++inside;
    checkpoint();
  }
  void leave() {
    checkpoint();
    --inside;
    checkpoint();
  }
};

} // namespace

TEST(With, EnterAndLeaveAreWholeAndTheBodyIsNot) {
  signal_scope scope;
  turnstile stile;
  bool body_began = false;
  EXPECT_THROW(with(stile,
                    [&] {
                      body_began = true;
                      EXPECT_EQ(stile.inside, 1);
                      checkpoint();
                      FAIL() << "the body is not shielded";
                    }),
               interrupted);
  EXPECT_TRUE(body_began);
  EXPECT_EQ(stile.inside, 0);
}

TEST(With, UnlocksAMutexWhenTheBodyIsInterrupted) {
  signal_scope scope;
  std::mutex mutex;
  EXPECT_THROW(with(mutex,
                    [] {
                      ::raise(SIGINT);
                      for (;;) checkpoint();
                    }),
               interrupted);
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

TEST(With, ReturnsWhatTheBodyReturns) {
  std::mutex mutex;
  int value = 5;
  int& reference = with(mutex, [&]() -> int& { return value; });
  EXPECT_EQ(&reference, &value);
  EXPECT_EQ(*with(mutex, [] { return std::make_unique<int>(7); }), 7);
}

TEST(With, HoldsWhatAFactoryMakes) {
  signal_scope scope;
  gate door;
  EXPECT_THROW(with(
                   [&] {
                     ::raise(SIGINT);
                     checkpoint();
                     return door.enter("import");
                   },
                   [&](pass& inside) {
                     EXPECT_TRUE(inside);
                     EXPECT_EQ(door.size(), 1U);
                     checkpoint();
                   }),
               interrupted);
  EXPECT_EQ(door.size(), 0U);
}

TEST(With, AnExceptionFromEnteringLeavesNothingBehind) {
  signal_scope scope;
  struct broken {
    bool left = false;
    void enter() { throw std::runtime_error{"no room"}; }
    void leave() { left = true; }
  } room;
  EXPECT_THROW(with(room, [] { FAIL(); }), std::runtime_error);
  EXPECT_FALSE(room.left);
  gate closed;
  closed.close();
  EXPECT_THROW(with([&] { return closed.enter(); }, [](pass&) { FAIL(); }), gate_closed);
  ::raise(SIGINT);
  EXPECT_THROW(checkpoint(), interrupted) << "no shield was left up";
}
