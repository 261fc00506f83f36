// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What the counting without contention could get wrong: threads that end, gates and threads in numbers,
// passes that wander. Built three times: as it is, without membarrier, and with a shared library.
#include <lastcall/scope/gate.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include <pthread.h>
#include <unistd.h>

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::gate;
using lastcall::pass;

namespace {

pid_t enter_on_a_thread_that_ends(gate& door, pass& inside) {
  pid_t thread = 0;
  std::thread{[&] {
    inside = door.enter();
    thread = ::gettid();
  }}.join();
  return thread;
}

} // namespace

TEST(Gate, APassWithoutANameIsKnownByItsThreadAlsoWhenThatHasEnded) {
  gate door;
  pass inside;
  const pid_t thread = enter_on_a_thread_that_ends(door, inside);
  pass another;
  ASSERT_NE(enter_on_a_thread_that_ends(door, another), thread);
  another.leave();
  const auto who = door.holders();
  ASSERT_EQ(who.size(), 1U);
  EXPECT_EQ(who[0].name, "");
  EXPECT_EQ(who[0].thread, thread);
  EXPECT_EQ(who[0].since, lastcall::time_point{});
  door.close();
  EXPECT_FALSE(door.wait_until(deadline::after(-1s)));
  inside.leave();
  EXPECT_TRUE(door.wait_until(deadline::after(30s)));
}

TEST(Gate, CountsAreExactWhereverPassesAreGivenBack) {
  gate door;
  std::vector<pass> inside;
  for (int round = 0; round < 100; ++round) {
    std::thread{[&] {
      for (int i = 0; i < 3; ++i) inside.push_back(i == 1 ? door.enter("named") : door.enter());
      inside.erase(inside.begin());
    }}.join();
    ASSERT_EQ(door.size(), inside.size());
    ASSERT_EQ(door.holders().size(), inside.size());
  }
  std::thread{[&] { inside.resize(50); }}.join();
  EXPECT_EQ(door.size(), 50U);
  inside.clear();
  EXPECT_EQ(door.size(), 0U);
}

TEST(Gate, MoreGatesThanColumnsWorkAlike) {
  std::deque<gate> doors(600);
  std::vector<pass> inside;
  for (gate& door : doors) inside.push_back(door.enter());
  std::thread{[&] {
    for (gate& door : doors) inside.push_back(door.enter("named"));
  }}.join();
  for (std::size_t i = 0; i < doors.size(); ++i) {
    ASSERT_EQ(doors[i].size(), 2U) << i;
    doors[i].close();
    ASSERT_FALSE(doors[i].try_enter());
    ASSERT_EQ(doors[i].holders().size(), 2U);
    inside[i].leave();
    ASSERT_FALSE(doors[i].wait_until(deadline::after(-1s)));
    std::jthread last{[&, i] { inside[doors.size() + i].leave(); }};
    ASSERT_TRUE(doors[i].wait_until(deadline::after(30s)));
  }
}

TEST(Gate, ColumnsAndRowsAreUsedAgainAndAreEmptyThen) {
  for (int round = 0; round < 1000; ++round) {
    gate one, two;
    ASSERT_EQ(one.size() + two.size(), 0U);
    std::jthread guest{[&] {
      const auto in_one = one.enter();
      const auto in_two = two.enter("named");
    }};
    const auto inside = two.enter();
  }
}

TEST(Gate, HundredsOfThreadsAtOnce) {
  constexpr int threads = 200;
  gate door;
  std::barrier<> all_in{threads + 1}, closed{threads + 1};
  std::vector<std::jthread> guests;
  for (int t = 0; t < threads; ++t)
    guests.emplace_back([&] {
      const auto inside = door.enter();
      all_in.arrive_and_wait();
      closed.arrive_and_wait();
    });
  all_in.arrive_and_wait();
  EXPECT_EQ(door.size(), static_cast<std::size_t>(threads));
  door.close();
  closed.arrive_and_wait();
  EXPECT_TRUE(door.wait_until(deadline::after(30s)));
}

TEST(Gate, MayBeEnteredWhileAThreadEnds) {
  static gate door;
  // thread_local objects and the values of keys are destroyed after the thread's function; either may be what
  // enters last.
  struct guest {
    ~guest() { const auto inside = door.enter(); }
  };
  pthread_key_t key{};
  ASSERT_EQ(::pthread_key_create(&key, [](void*) { const auto inside = door.enter(); }), 0);
  for (int round = 0; round < 100; ++round)
    std::thread{[&] {
      ::pthread_setspecific(key, &door);
      thread_local guest late;
      [[maybe_unused]] const guest& used = late;
      const auto inside = door.enter();
    }}.join();
  EXPECT_EQ(door.size(), 0U);
  door.close();
  EXPECT_TRUE(door.wait_until(deadline::after(30s)));
}

TEST(Gate, OpensAgainAndCountsWhoIsStillInsideFromBefore) {
  gate door;
  auto old = door.enter("of the first opening");
  door.close();
  EXPECT_FALSE(door.wait_until(deadline::after(-1s)));
  door.reopen();
  EXPECT_FALSE(door.closed());
  auto fresh = door.enter();
  EXPECT_EQ(door.size(), 2U);
  door.close();
  fresh.leave();
  EXPECT_FALSE(door.wait_until(deadline::after(-1s)));
  const auto who = door.holders();
  ASSERT_EQ(who.size(), 1U);
  EXPECT_EQ(who[0].name, "of the first opening");
  old.leave();
  EXPECT_TRUE(door.wait_until(deadline::after(30s)));
  door.reopen();
  EXPECT_TRUE(door.try_enter());
}

TEST(Gate, WaitingDoesNotCloseIt) {
  gate door;
  std::atomic<bool> waited{false};
  std::atomic<bool> go_on{true};
  auto held = door.enter();
  std::jthread waiter{[&] {
    EXPECT_TRUE(door.wait_until(deadline::never()));
    waited = true;
  }};
  std::jthread guest{[&] {
    while (go_on) EXPECT_TRUE(door.try_enter());
  }};
  EXPECT_FALSE(waited);
  held.leave();
  while (!waited) std::this_thread::yield(); // there are moments with nobody inside, and one is seen
  go_on = false;
}
