// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/wait/asymmetric_barrier.hpp>

#include "sys/fault_plan.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

using lastcall::wait::asymmetric_barrier;

namespace {

constexpr int marks = 1'000'000;

// One thread writes 1, 2, 3 … into its word as fast as it can and looks at the other's after each; the other
// does the same, with what is given between write and look. A look of the second that shows m has not seen
// mark m + 1, so whoever wrote that must have seen the second's word. Returns how often it had not: without
// barriers (tried) some ten thousand times a million marks.
template <class Barrier>
int times_both_missed(int marks, Barrier barrier_of_second) {
  struct alignas(64) word : std::atomic<int> {};
  word first, second, started;
  std::vector<int> seen_by_first(static_cast<std::size_t>(marks) + 2);
  std::vector<int> seen_by_second(1); // [k]: what was seen after writing k
  seen_by_second.reserve(static_cast<std::size_t>(marks));
  std::jthread other{[&] {
    started.store(1);
    for (int k = 1, seen = 0; k < marks && seen < marks; ++k) {
      second.store(k, std::memory_order_relaxed);
      barrier_of_second();
      seen = first.load(std::memory_order_relaxed);
      seen_by_second.push_back(seen);
    }
  }};
  while (started.load() == 0) std::this_thread::yield();
  for (int mark = 1; mark <= marks; ++mark) {
    first.store(mark, std::memory_order_relaxed);
    asymmetric_barrier::light();
    seen_by_first[static_cast<std::size_t>(mark)] = second.load(std::memory_order_relaxed);
  }
  other.join();
  int missed = 0;
  for (std::size_t k = 1; k < seen_by_second.size(); ++k)
    if (const int next = seen_by_second[k] + 1; next <= marks)
      missed += seen_by_first[static_cast<std::size_t>(next)] < static_cast<int>(k) ? 1 : 0;
  return missed;
}

int status_of(pid_t child) {
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace

TEST(AsymmetricBarrier, OneOfTheTwoSeesTheOther) {
  EXPECT_EQ(times_both_missed(marks, [] { asymmetric_barrier::heavy(); }), 0);
}

TEST(AsymmetricBarrier, OneOfTheTwoSeesTheOtherWhereTheKernelHasNone) {
  fault_plan::fail_nth(1, ENOSYS);
  EXPECT_FALSE(asymmetric_barrier::light_is_free());
  fault_plan::disarm();
  EXPECT_EQ(times_both_missed(marks, [] { asymmetric_barrier::heavy(); }), 0);
  EXPECT_FALSE(asymmetric_barrier::light_is_free()) << "decided once";
}

TEST(AsymmetricBarrier, OneOfTheTwoSeesTheOtherWhereTheKernelRefusesLater) {
  if (!asymmetric_barrier::light_is_free()) GTEST_SKIP() << "fences from the beginning";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(times_both_missed(10 * marks,
                              [] {
                                fault_plan::fail_nth(1, EINVAL);
                                asymmetric_barrier::heavy();
                                EXPECT_TRUE(fault_plan::disarm());
                              }),
            0);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds{10});
  EXPECT_TRUE(asymmetric_barrier::light_is_free());
}

TEST(AsymmetricBarrier, ALostRegistrationIsMadeAgain) {
  if (!asymmetric_barrier::light_is_free()) GTEST_SKIP() << "fences from the beginning";
  fault_plan::fail_nth(1, EPERM);
  asymmetric_barrier::heavy();
  EXPECT_TRUE(fault_plan::disarm());
  EXPECT_EQ(times_both_missed(100'000, [] { asymmetric_barrier::heavy(); }), 0);
}

TEST(AsymmetricBarrier, AForkedChildGoesOnWithIt) {
  const bool free = asymmetric_barrier::light_is_free();
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(30);
    const bool same = asymmetric_barrier::light_is_free() == free;
    ::_exit(same && times_both_missed(100'000, [] { asymmetric_barrier::heavy(); }) == 0 ? 0 : 1);
  }
  EXPECT_EQ(status_of(child), 0);
}
