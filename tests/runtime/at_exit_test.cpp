// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/at_exit.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/finalizer.hpp>
#include <lastcall/runtime/immortal.hpp>
#include <lastcall/runtime/in_flight.hpp>
#include <lastcall/runtime/module_state.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>

#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::finalization_report;
using lastcall::finalization_step;
using lastcall::runtime_errc;
using runtime_test::code_of;
using runtime_test::quiet;

constexpr auto long_enough = 30s;

const lastcall::step_report& step(const finalization_report& of, finalization_step which) {
  return of.steps.at(static_cast<std::size_t>(which));
}

TEST(AtExit, RunsLastInFirstOutAndOnce) {
  std::string order;
  {
    lastcall::runtime it{quiet()};
    for (const char name : {'a', 'b', 'c'}) lastcall::at_exit([&order, name] { order += name; });
    it.finalize();
  }
  EXPECT_EQ(order, "cba");
}

TEST(AtExit, OneThatThrowsIsReportedAndTheRestStillRun) {
  std::string order;
  lastcall::runtime it{quiet()};
  lastcall::at_exit([&] { order += 'a'; });
  lastcall::at_exit([] { throw std::runtime_error{"no"}; });
  lastcall::at_exit([&] { order += 'c'; });
  const auto report = it.finalize();
  EXPECT_EQ(order, "ca");
  EXPECT_EQ(step(report, finalization_step::at_exit).failures, std::vector<std::string>{"no"});
  EXPECT_TRUE(report.failed());
}

TEST(AtExit, CanBeTakenBackAlsoFromInsideACallback) {
  std::string order;
  lastcall::runtime it{quiet()};
  auto first = lastcall::at_exit([&] { order += 'a'; });
  auto second = lastcall::at_exit([&] { order += 'b'; });
  lastcall::registration third;
  third = lastcall::at_exit([&] {
    order += 'c';
    EXPECT_FALSE(third.cancel()) << "it is being called";
    EXPECT_TRUE(first.cancel());
  });
  EXPECT_TRUE(second.cancel());
  EXPECT_FALSE(second.cancel());
  EXPECT_TRUE(first.waits());
  it.finalize();
  EXPECT_EQ(order, "c");
  EXPECT_FALSE(first.waits());
}

TEST(AtExit, OneRegisteredFromACallbackIsCalledNext) {
  std::string order;
  lastcall::runtime it{quiet()};
  lastcall::at_exit([&] { order += 'a'; });
  lastcall::at_exit([&] {
    order += 'b';
    lastcall::at_exit([&] { order += 'c'; });
  });
  EXPECT_TRUE(it.finalize().clean());
  EXPECT_EQ(order, "bca");
}

TEST(AtExit, IsRefusedOnceItsStepIsOver) {
  EXPECT_EQ(code_of([] { lastcall::at_exit([] {}); }), runtime_errc::no_runtime);
  std::optional<std::error_code> seen;
  {
    lastcall::runtime it{quiet()};
    const lastcall::finalizer late{[&] { seen = code_of([] { lastcall::at_exit([] {}); }); }};
    it.finalize();
  }
  EXPECT_EQ(seen, runtime_errc::ending);
  EXPECT_EQ(code_of([] { lastcall::at_exit([] {}); }), runtime_errc::over);
}

TEST(AtExit, StopsAPoolWhoseThreadsAreJoinedAtExitToo) {
  std::atomic<bool> stop{false};
  lastcall::runtime it{quiet()};
  // In CPython the joins come first and wait for ever; here the token tells the threads, and `at_exit` what
  // is left.
  lastcall::thread worker{"worker", [&](lastcall::stop_token token) {
                            while (!token.stop_requested() && !stop) lastcall::io::sleep_for(1h, token);
                          }};
  lastcall::at_exit([&] { stop = true; });
  EXPECT_TRUE(it.finalize(deadline::after(long_enough)).clean());
  EXPECT_TRUE(stop);
}

TEST(AtExit, OneThatHangsIsLeftBehindAndTheRestStillRun) {
  static std::atomic<bool> go_on{true}, ran{false}; // used by the thread that is left behind
  lastcall::runtime it{quiet()};
  lastcall::at_exit([] { ran = true; });
  lastcall::at_exit([] {
    while (go_on) std::this_thread::yield();
  });
  const auto report = it.finalize(deadline::after(50ms));
  EXPECT_TRUE(ran);
  EXPECT_TRUE(step(report, finalization_step::at_exit).late);
  EXPECT_EQ(report.leaked, 1U) << "the thread";
  go_on = false;
}

TEST(AtExit, FinalizingFromACallbackDoesNothing) {
  std::optional<finalization_report> inner;
  lastcall::runtime it{quiet()};
  lastcall::at_exit([&] { inner = it.finalize(deadline::never()); });
  EXPECT_TRUE(it.finalize(deadline::after(long_enough)).clean());
  ASSERT_TRUE(inner);
  EXPECT_TRUE(inner->done_before);
}

TEST(Runtime, FinalizedTwiceAtOnceIsFinalizedOnce) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> done{0}, calls{0};
    lastcall::runtime it{quiet()};
    lastcall::at_exit([&] { ++calls; });
    std::vector<std::thread> all;
    for (int i = 0; i < 4; ++i)
      all.emplace_back([&] {
        const auto report = it.finalize(deadline::after(long_enough));
        if (!report.done_before) ++done;
        EXPECT_FALSE(lastcall::runtime::live()) << "who comes second waits for the first";
      });
    for (auto& one : all) one.join();
    EXPECT_EQ(done, 1);
    EXPECT_EQ(calls, 1);
  }
}

TEST(Finalizer, RunsInReverseAndAtMostOnceAndEarlyByHand) {
  std::string order;
  lastcall::runtime it{quiet()};
  lastcall::finalizer a{[&] { order += 'a'; }};
  lastcall::finalizer b{[&] { order += 'b'; }};
  lastcall::finalizer c{[&] { order += 'c'; }};
  {
    const lastcall::finalizer dropped{[&] { order += 'd'; }};
  }
  EXPECT_TRUE(b());
  EXPECT_FALSE(b());
  EXPECT_TRUE(a.waits());
  EXPECT_TRUE(c.detach());
  lastcall::at_exit([&] { order += '|'; });
  it.finalize();
  EXPECT_EQ(order, "b|da");
  EXPECT_FALSE(a());
}

TEST(Finalizer, OfAnObjectIsCalledWithItIfItStillExists) {
  lastcall::runtime it{quiet()};
  auto stays = std::make_shared<int>(1), goes = std::make_shared<int>(2);
  int sum = 0;
  const lastcall::finalizer one{stays, [&](int& value) { sum += value; }};
  const lastcall::finalizer two{goes, [&](int& value) { sum += value; }};
  goes.reset();
  it.finalize();
  EXPECT_EQ(sum, 1);
}

struct noisy {
  static inline std::string log;
  char name = '?';
  ~noisy() { log += name; }
};

TEST(ModuleState, IsMadeAtFirstUseAndClearedInReverseInEachRuntime) {
  static constinit lastcall::module_state<noisy> one{"one"}, two{"two"};
  EXPECT_EQ(code_of([] { one.get(); }), runtime_errc::no_runtime);
  for (int round = 0; round < 2; ++round) {
    noisy::log.clear();
    lastcall::runtime it{quiet()};
    one.get().name = '1';
    two.get().name = '2';
    EXPECT_EQ(one.get().name, '1');
    EXPECT_TRUE(it.finalize().clean());
    EXPECT_EQ(noisy::log, "21");
    EXPECT_EQ(code_of([] { one.get(); }), runtime_errc::over);
  }
}

TEST(ModuleState, IsMadeOnceHoweverManyAskAtOnce) {
  struct counted {
    counted() { ++made(); }
    static std::atomic<int>& made() {
      static std::atomic<int> count{0};
      return count;
    }
  };
  static constinit lastcall::module_state<counted> state{"state"};
  const lastcall::runtime it{quiet()};
  std::vector<std::jthread> all;
  for (int i = 0; i < 8; ++i) all.emplace_back([] { state.get(); });
  all.clear();
  EXPECT_EQ(counted::made(), 1);
}

TEST(ModuleState, OneThatFailsToBeMadeIsMadeByTheNext) {
  struct choosy {
    choosy() {
      if (!std::exchange(tried(), true)) throw std::runtime_error{"not yet"};
    }
    static bool& tried() {
      static bool value = false;
      return value;
    }
  };
  static constinit lastcall::module_state<choosy> state{"state"};
  const lastcall::runtime it{quiet()};
  EXPECT_THROW(state.get(), std::runtime_error);
  EXPECT_NO_THROW(state.get());
}

// A daemon that was slow in a constructor left its object to the next runtime, which listed the state twice:
// the end of that one went round in circles, or destroyed an object of which nothing was left.
TEST(ModuleState, OneThatIsMadeTooLateIsNobodysAndDelaysNobody) {
  static std::latch begun{1}, go_on{1};
  static std::atomic<int> made{0}, gone{0};
  struct slow {
    slow() {
      if (made++ != 0) return;
      begun.count_down();
      go_on.wait();
    }
    ~slow() { ++gone; }
  };
  static constinit lastcall::module_state<slow> state{"state"};
  std::atomic<bool> had_it{false};
  lastcall::runtime first{quiet()};
  lastcall::daemon_thread late{"late", "constructs", [&] {
                                 state.get();
                                 had_it = true;
                               }};
  begun.wait();
  EXPECT_EQ(first.finalize().daemons_left, 1U);
  lastcall::runtime second{quiet()};
  const slow* const mine = &state.get();
  go_on.count_down();
  EXPECT_TRUE(late.join(deadline::after(long_enough)));
  EXPECT_FALSE(had_it);
  EXPECT_EQ(gone, 1);
  EXPECT_EQ(&state.get(), mine);
  EXPECT_TRUE(second.finalize().clean());
  EXPECT_EQ(made, 2);
  EXPECT_EQ(gone, 2);
}

TEST(InFlight, IsCancelledAndAwaited) {
  bool cancelled = false;
  lastcall::runtime it{quiet()};
  const lastcall::in_flight one{"a read", std::make_shared<int>(), [&] { cancelled = true; },
                                [&](deadline) { return cancelled; }};
  const auto report = it.finalize();
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(report.leaked, 0U);
  EXPECT_TRUE(report.clean());
}

TEST(InFlight, OneThatDoesNotComeBackKeepsItsMemoryAndIsCounted) {
  auto memory = std::make_shared<int>();
  const std::weak_ptr<int> watch = memory;
  lastcall::runtime it{quiet()};
  {
    const lastcall::in_flight one{"a read", std::move(memory), [] {}, [](deadline) { return false; }};
    const auto report = it.finalize(deadline::after(10ms));
    EXPECT_EQ(report.leaked, 1U);
    EXPECT_EQ(step(report, finalization_step::in_flight).failures.size(), 1U);
  }
  EXPECT_FALSE(watch.expired());
}

TEST(InFlight, OneThatIsOverIsLeftAlone) {
  lastcall::runtime it{quiet()};
  auto memory = std::make_shared<int>();
  const std::weak_ptr<int> watch = memory;
  {
    lastcall::in_flight one{"a read", std::move(memory), [] { FAIL() << "cancelled"; },
                            [](deadline) { return false; }};
    one.over();
  }
  EXPECT_TRUE(watch.expired());
  EXPECT_TRUE(it.finalize().clean());
}

struct shouts {
  ~shouts() { ADD_FAILURE() << "destroyed"; }
  int value = 1;
};

TEST(Immortal, IsNeverDestroyed) {
  {
    lastcall::immortal<shouts> one;
    one->value = 2;
    EXPECT_EQ((*one).value, 2);
  }
  static constinit lastcall::immortal<std::mutex> lock;
  const std::scoped_lock guard{*lock};
}

} // namespace
