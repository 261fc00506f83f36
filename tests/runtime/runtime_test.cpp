// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/at_exit.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>

#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::finalization_step;
using runtime_test::patient;
using runtime_test::quiet;

TEST(Runtime, TakesAllStepsInTheirOrder) {
  lastcall::runtime it{quiet()};
  const auto report = it.finalize();
  ASSERT_EQ(report.steps.size(), 10U);
  for (std::size_t i = 0; i < report.steps.size(); ++i)
    EXPECT_EQ(report.steps[i].step, static_cast<finalization_step>(i));
  EXPECT_TRUE(report.clean()) << describe(report);
}

TEST(Runtime, BeginsAgainWithAnotherGeneration) {
  std::uint64_t last = 0;
  for (int i = 0; i < 100; ++i) {
    lastcall::runtime it{quiet()};
    EXPECT_GT(it.generation(), last);
    last = it.generation();
    EXPECT_TRUE(lastcall::runtime::live());
    EXPECT_TRUE(it.finalize().clean());
    EXPECT_FALSE(lastcall::runtime::live());
    EXPECT_TRUE(it.finalize().done_before);
  }
}

TEST(Runtime, IsOneAtATime) {
  const lastcall::runtime it{quiet()};
  EXPECT_THROW(
      {
        try {
          const lastcall::runtime second{quiet()};
        } catch (const std::system_error& error) {
          EXPECT_EQ(error.code(), lastcall::runtime_errc::live);
          throw;
        }
      },
      std::system_error);
}

TEST(Runtime, JoinsAThreadWhoseHandleIsStillThere) {
  std::atomic<bool> ended{false};
  lastcall::runtime it{quiet()};
  const lastcall::thread worker{"worker", [&](lastcall::stop_token stop) {
                                  lastcall::io::sleep_until(deadline::never(), stop);
                                  ended = true;
                                }};
  const auto report = it.finalize(deadline::after(30s));
  EXPECT_TRUE(ended);
  EXPECT_TRUE(report.clean()) << describe(report);
}

TEST(Runtime, ADaemonThatReadsAPipeIsUnwound) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  struct witness {
    std::atomic<bool>& gone;
    ~witness() { gone = true; }
  };
  std::atomic<bool> there{false}, gone{false}, came_back{false};
  lastcall::runtime it{patient()};
  lastcall::daemon_thread reader{"reader", "reads what never comes", [&] {
                                   const witness here{gone};
                                   there = true;
                                   char byte = 0;
                                   lastcall::io::read(ends[0], &byte, 1);
                                   came_back = true;
                                 }};
  while (!there) std::this_thread::yield();
  const auto report = it.finalize(deadline::after(30s));
  EXPECT_TRUE(reader.join(deadline::after(30s)));
  EXPECT_TRUE(gone);
  EXPECT_FALSE(came_back);
  EXPECT_EQ(report.daemons_parked, 0U);
  EXPECT_EQ(report.daemons_left, 0U);
}

TEST(Runtime, ADaemonThatSwallowsItsEndIsParkedTheSecondTime) {
  std::atomic<int> caught{0};
  std::atomic<bool> there{false}, came_back{false};
  lastcall::runtime it{patient()};
  lastcall::daemon_thread stubborn{"stubborn", "swallows everything", [&] {
                                     there = true;
                                     try {
                                       for (;;) lastcall::checkpoint();
                                     } catch (...) {
                                       ++caught;
                                     }
                                     lastcall::checkpoint();
                                     came_back = true;
                                   }};
  while (!there) std::this_thread::yield();
  it.finalize(deadline::after(30s));
  EXPECT_THROW(stubborn.join(deadline::after(30s)), std::system_error);
  EXPECT_EQ(caught, 1);
  EXPECT_FALSE(came_back);
}

} // namespace
