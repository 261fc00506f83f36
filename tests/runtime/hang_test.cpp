// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Code of the program's that does not return, in each place where the end of a runtime calls some: it is left
// behind, and everything else happens. (Each of these once kept the finalizing thread for ever.)
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/at_exit.hpp>
#include <lastcall/runtime/in_flight.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>

#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::finalization_step;
using runtime_test::quiet;

constexpr auto long_enough = 30s;

// Static: a hand that is left behind still uses it.
class Hang : public testing::Test {
protected:
  void SetUp() override { go_on_ = false; }
  void TearDown() override { go_on_ = true; }
  static void hang() {
    while (!go_on_) std::this_thread::sleep_for(1ms);
  }

private:
  static inline std::atomic<bool> go_on_{false};
};

const lastcall::step_report& step(const lastcall::finalization_report& of, finalization_step which) {
  return of.steps.at(static_cast<std::size_t>(which));
}

TEST_F(Hang, InACallbackOfTheRuntimesTokenStopsTheThreadsAllTheSame) {
  std::atomic<bool> stopped{false};
  lastcall::runtime it{quiet()};
  const auto token = it.token();
  new lastcall::stop_callback{token, [](const lastcall::reason&) { hang(); }}; // who destroys it waits for it
  lastcall::thread worker{"worker", [&](lastcall::stop_token stop) {
                            lastcall::io::sleep_until(deadline::never(), stop);
                            stopped = true;
                          }};
  const auto report = it.finalize(deadline::after(400ms));
  EXPECT_TRUE(worker.join(deadline::after(long_enough)));
  EXPECT_TRUE(stopped);
  EXPECT_TRUE(step(report, finalization_step::stop).late);
  EXPECT_EQ(report.leaked, 1U) << "the thread";
}

TEST_F(Hang, InACallbackOfAThreadsTokenStopsTheOthersAllTheSame) {
  std::atomic<bool> stopped{false}, there{false};
  lastcall::runtime it{quiet()};
  lastcall::thread first{"first", [&](lastcall::stop_token stop) {
                           const lastcall::stop_callback hangs{stop, [](const lastcall::reason&) { hang(); }};
                           there = true;
                           lastcall::io::sleep_until(deadline::never(), stop);
                         }};
  while (!there) std::this_thread::yield();
  lastcall::thread second{"second", [&](lastcall::stop_token stop) {
                            lastcall::io::sleep_until(deadline::never(), stop);
                            stopped = true;
                          }};
  it.finalize(deadline::after(400ms));
  Hang::TearDown(); // so that `first` may end
  EXPECT_TRUE(second.join(deadline::after(long_enough)));
  EXPECT_TRUE(stopped);
}

TEST_F(Hang, InTheCancellingOfAnOperationKeepsTheMemoryOfAllAndSaysSo) {
  auto memory = std::make_shared<int>();
  const std::weak_ptr<int> watch = memory;
  lastcall::runtime it{quiet()};
  {
    const lastcall::in_flight stuck{"stuck", memory, [] { hang(); }, [](deadline) { return true; }};
    const lastcall::in_flight lost{"lost", std::move(memory), [] {}, [](deadline) { return false; }};
    const auto report = it.finalize(deadline::after(100ms));
    EXPECT_TRUE(step(report, finalization_step::in_flight).late);
    EXPECT_GE(report.leaked, 2U);
  }
  EXPECT_FALSE(watch.expired());
}

TEST_F(Hang, InTheWaitForAnOperationKeepsItsMemoryAndWaitsForTheOthers) {
  auto memory = std::make_shared<int>(), others = std::make_shared<int>();
  const std::weak_ptr<int> watch = memory, others_watch = others;
  std::atomic<bool> asked{false};
  lastcall::runtime it{quiet()};
  {
    const lastcall::in_flight stuck{"stuck", std::move(memory), [] {},
                                    [](deadline) {
                                      hang(); // past the deadline it was told
                                      return false;
                                    }};
    const lastcall::in_flight well{"well", std::move(others), [] {},
                                   [&](deadline) { return asked.exchange(true) || true; }};
    const auto report = it.finalize(deadline::after(100ms));
    EXPECT_TRUE(asked);
    EXPECT_EQ(report.leaked, 2U) << "a thread and an operation";
  }
  EXPECT_FALSE(watch.expired());
  EXPECT_TRUE(others_watch.expired());
}

TEST_F(Hang, InTheDestructorOfWhatWasNeverCalledIsLeftBehind) {
  struct hangs {
    ~hangs() { hang(); }
  };
  lastcall::runtime it{quiet()};
  lastcall::at_exit([held = std::make_shared<hangs>()] { ADD_FAILURE() << "called"; });
  for (int i = 0; i < 20; ++i) lastcall::at_exit([] { hang(); }); // more than the time is enough for
  const auto report = it.finalize(deadline::after(0ms));
  const auto& failures = step(report, finalization_step::at_exit).failures;
  EXPECT_TRUE(std::any_of(failures.begin(), failures.end(),
                          [](const std::string& one) { return one.ends_with("were never called"); }));
}

// The hand's end was waited for without a limit.
TEST_F(Hang, InAThreadLocalObjectThatAFunctionHasTouchedKeepsNobody) {
  struct hangs {
    bool touched = false;
    ~hangs() { hang(); }
  };
  static thread_local hangs of_the_hand;
  lastcall::runtime it{quiet()};
  lastcall::at_exit([] { of_the_hand.touched = true; });
  EXPECT_TRUE(it.finalize(deadline::after(100ms)).clean());
  EXPECT_FALSE(lastcall::runtime::live());
}

TEST_F(Hang, ThatIsOverInTheNextRuntimeCallsNothingOfThatOne) {
  std::atomic<int> called{0};
  {
    lastcall::runtime first{quiet()};
    lastcall::at_exit([] { hang(); });
    EXPECT_EQ(first.finalize(deadline::after(0ms)).leaked, 1U);
  }
  lastcall::runtime second{quiet()};
  lastcall::at_exit([&] { ++called; });
  Hang::TearDown(); // the hand of the first comes back
  EXPECT_TRUE(second.finalize(deadline::after(long_enough)).clean());
  EXPECT_EQ(called, 1);
}

// An empty function looked like the end of the list.
TEST(AtExitEmpty, FunctionIsReportedAndTheRestStillRun) {
  bool ran = false;
  lastcall::runtime it{quiet()};
  lastcall::at_exit([&] { ran = true; });
  lastcall::at_exit({});
  const auto report = it.finalize();
  EXPECT_TRUE(ran);
  EXPECT_EQ(step(report, finalization_step::at_exit).failures.size(), 1U);
}

} // namespace
