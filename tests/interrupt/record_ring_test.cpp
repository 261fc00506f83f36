// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/record_ring.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

using lastcall::detail::arrival;
using lastcall::detail::record_ring;

namespace {

arrival numbered(int number) { return {.signal = number, .sender_pid = 0, .sender_uid = 0, .when_ns = 0}; }

std::vector<int> all_of(record_ring& ring) {
  std::vector<int> found;
  for (arrival next; ring.pop(next);) found.push_back(next.signal);
  return found;
}

} // namespace

TEST(RecordRing, YieldsWhatWasPushedInOrderLapAfterLap) {
  const auto ring = std::make_unique<record_ring>();
  for (int lap = 0; lap < 5; ++lap) {
    std::vector<int> expected;
    for (int i = 0; i < 700; ++i) {
      EXPECT_TRUE(ring->push(numbered(i)));
      expected.push_back(i);
    }
    EXPECT_EQ(all_of(*ring), expected);
  }
  EXPECT_TRUE(all_of(*ring).empty());
}

// A handler is kept between claim and publication: what came after it used to wait for it.
TEST(RecordRing, AHoleHidesNothingThatCameAfterIt) {
  const auto ring = std::make_unique<record_ring>();
  ring->push(numbered(1));
  const auto first = ring->claim();
  ring->push(numbered(3));
  const auto second = ring->claim();
  ring->push(numbered(5));
  EXPECT_EQ(all_of(*ring), (std::vector{1, 3, 5}));
  EXPECT_TRUE(all_of(*ring).empty());
  ring->push(numbered(6));
  ring->publish(second, numbered(4));
  EXPECT_EQ(all_of(*ring), (std::vector{4, 6}));
  ring->publish(first, numbered(2));
  EXPECT_EQ(all_of(*ring), std::vector{2});
  for (int i = 0; i < 1024; ++i) EXPECT_TRUE(ring->push(numbered(i))) << i << ": every place is free again";
  EXPECT_FALSE(ring->push(numbered(0)));
  EXPECT_EQ(all_of(*ring).size(), 1024U);
}

TEST(RecordRing, AHoleHoldsUpNoMoreThanOneLap) {
  const auto ring = std::make_unique<record_ring>();
  const auto hole = ring->claim();
  int taken = 0;
  for (int i = 1; i < 1024; ++i) {
    EXPECT_TRUE(ring->push(numbered(i)));
    taken += static_cast<int>(all_of(*ring).size());
  }
  EXPECT_EQ(taken, 1023);
  EXPECT_EQ(ring->claim(), record_ring::full) << "the next place is the hole's";
  ring->publish(hole, numbered(7));
  EXPECT_EQ(all_of(*ring), std::vector{7});
  EXPECT_NE(ring->claim(), record_ring::full);
}

TEST(RecordRing, WritersAndTheReaderAtOnceLoseAndDoubleNothing) {
  const auto ring = std::make_unique<record_ring>();
  constexpr int writers = 3, each = 20'000;
  std::atomic<int> busy{writers};
  std::vector<int> last(writers, -1);
  int taken = 0;
  {
    std::vector<std::jthread> all;
    for (int w = 0; w < writers; ++w)
      all.emplace_back([&, w] {
        for (int i = 0; i < each; ++i)
          while (!ring->push({.signal = w, .sender_pid = i, .sender_uid = 0, .when_ns = 0}))
            std::this_thread::yield();
        --busy;
      });
    for (bool last_look = false;;) {
      last_look = busy == 0;
      for (arrival next; ring->pop(next); ++taken) {
        const auto writer = static_cast<std::size_t>(next.signal);
        EXPECT_EQ(next.sender_pid, last[writer] + 1) << "of one writer, in order";
        last[writer] = next.sender_pid;
      }
      if (last_look) break;
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(taken, writers * each);
}
