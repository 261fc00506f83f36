// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Close against enter, again and again. What is guarded is a plain object that exists only while the gate is
// open: whoever gets in after it is torn down, or is missed by who tears it down, is seen in it.
#include <lastcall/scope/gate.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::gate;

namespace {

// LASTCALL_ROUNDS=1000000 has been run, too; it takes a quiet machine.
int rounds() {
  const char* asked = std::getenv("LASTCALL_ROUNDS");
  return asked != nullptr ? std::atoi(asked) : 20'000;
}

struct guarded {
  gate door;
  std::atomic<bool> exists{true};
  int plain = 0; // changed while nobody is inside, read inside: a race would be ThreadSanitizer's
  std::atomic<std::uint64_t> visits{0};
  std::atomic<std::uint64_t> wrong{0};

  void visit() {
    if (!exists.load(std::memory_order_relaxed) || plain < 0) wrong.fetch_add(1);
    visits.fetch_add(1, std::memory_order_relaxed);
    if (!exists.load(std::memory_order_relaxed)) wrong.fetch_add(1);
  }
};

// One of the ways in and out; which one is up to the seed.
void come_and_go(guarded& what, std::minstd_rand& dice) {
  switch (dice() % 8) {
  case 0:
    if (const auto inside = what.door.try_enter("by name")) what.visit();
    break;
  case 1:
    if (auto inside = what.door.try_enter()) {
      what.visit();
      auto moved = *std::move(inside);
      what.visit();
    }
    break;
  default:
    if (const auto inside = what.door.try_enter())
      what.visit();
    else if (dice() % 4 == 0)
      std::this_thread::yield();
  }
}

// One guest for each of two processors, or more than can run.
unsigned guests_of(unsigned seed) { return seed % 10 == 0 ? 3 : 1; }

void tear_down_and_make_again(guarded& what, int times, unsigned seed) {
  std::atomic<bool> go_on{true};
  std::vector<std::jthread> guests;
  for (unsigned t = 0; t < guests_of(seed); ++t)
    guests.emplace_back([&, t] {
      std::minstd_rand dice{seed + t};
      while (go_on.load(std::memory_order_relaxed)) come_and_go(what, dice);
    });
  std::minstd_rand dice{seed};
  for (int round = 0; round < times; ++round) {
    what.door.close();
    if (!what.door.wait_until(deadline::after(30s))) {
      ADD_FAILURE() << "not empty, round " << round;
      break;
    }
    what.exists.store(false, std::memory_order_relaxed);
    what.plain = -1;
    if (dice() % 64 == 0) std::this_thread::yield();
    what.plain = round;
    what.exists.store(true, std::memory_order_relaxed);
    what.door.reopen();
    if (dice() % 16 == 0)
      for (auto before = what.visits.load(); what.visits.load() == before;) std::this_thread::yield();
  }
  go_on = false;
}

} // namespace

class GateRace : public testing::TestWithParam<unsigned> {};
TEST_P(GateRace, NobodyIsInsideOnceTheWaitHasSaidSo) {
  guarded what;
  tear_down_and_make_again(what, guests_of(GetParam()) == 1 ? rounds() : rounds() / 20, GetParam());
  EXPECT_EQ(what.wrong.load(), 0U);
  EXPECT_GT(what.visits.load(), 0U);
}
INSTANTIATE_TEST_SUITE_P(Seeds, GateRace, testing::Values(1U, 2U, 30U, 400U));

// The pass goes out on another thread than the one that waits, at the very moment at which that goes to
// sleep. A wake-up that is missed would be the deadline of the wait.
TEST(GateRace, TheLastOneToLeaveWakesTheWaiterEachTime) {
  gate door;
  std::atomic<int> turn{0};
  const int times = rounds() / 10;
  lastcall::pass inside;
  std::jthread other{[&] {
    for (int round = 1; round <= times; ++round) {
      while (turn.load(std::memory_order_acquire) != round) std::this_thread::yield();
      inside.leave();
    }
  }};
  for (int round = 1; round <= times; ++round) {
    inside = door.enter();
    door.close();
    turn.store(round, std::memory_order_release);
    ASSERT_TRUE(door.wait_until(deadline::after(30s)));
    door.reopen();
  }
}
