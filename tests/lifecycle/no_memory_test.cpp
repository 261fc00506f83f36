// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What happens when memory runs out in the middle of a run: this program's own operator new refuses from the
// N-th request on, N = 0, 1, 2, …, until the run asks for fewer. Whatever N is, what was started is stopped,
// and run() returns. (A refused allocation once left it by bad_alloc, with everything running.)
#include <lastcall/lifecycle/application.hpp>
#include <lastcall/lifecycle/run.hpp>

#include <lastcall/interrupt/checkpoint.hpp>

#include "sys/scarce_memory.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <new>
#include <stdexcept>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;

enum class ends { well, failing };

/// Neither its start nor its stop asks for memory.
struct frugal {
  std::atomic<int>& running;
  ends start_ends;
  ends stop_ends;
  void (*at_start)();

  void start() {
    at_start();
    if (start_ends == ends::failing) throw std::logic_error{reason};
    ++running;
  }
  void stop(lastcall::context&) {
    --running;
    if (stop_ends == ends::failing) throw std::logic_error{reason};
  }
  inline static const std::logic_error reason{"no room for this sentence, which is long"};
};

struct story {
  ends last_start = ends::well;
  ends last_stop = ends::well;
  bool main_fails = false;
};

/// Runs an application that has `few` allocations left from its first start on. Returns how many were not
/// used, at most 0 where memory ran out.
long run_with(long few, const story& how, int expected) {
  alarm(30);
  static long allowed;
  allowed = few;
  std::atomic<int> running = 0;
  lastcall::application app{"shop", {.statuses = {.by_signal = {}}, .on_report = [](const auto&) {}}};
  app.add<frugal>("db", running, ends::well, ends::well, [] { scarce_memory::allow(allowed); });
  app.add<frugal>("http", running, how.last_start, how.last_stop, [] {});
  int status = -1;
  try {
    status = app.run([&] {
      if (how.main_fails) throw frugal::reason;
      std::raise(SIGINT);
      lastcall::checkpoint();
    });
  } catch (...) {
    scarce_memory::refill();
    ADD_FAILURE() << "run() threw with " << few << " allocations left";
  }
  const long unused = scarce_memory::refill();
  EXPECT_EQ(running, 0) << "with " << few << " allocations left";
  EXPECT_EQ(status, expected) << "with " << few << " allocations left";
  return unused;
}

void run_out_of_memory_everywhere(const story& how, int expected) {
  const auto run = [&](long few) { return run_with(few, how, expected); };
  scarce_memory::until_there_is_enough(10'000, run, [](long) {});
}

TEST(NoMemory, ARequestStillStopsEverything) { run_out_of_memory_everywhere({}, 0); }

TEST(NoMemory, AFailedStartIsStillRolledBack) {
  run_out_of_memory_everywhere({.last_start = ends::failing}, 70);
}

TEST(NoMemory, AFailedStopIsStillAFailure) { run_out_of_memory_everywhere({.last_stop = ends::failing}, 70); }

TEST(NoMemory, AFailedMainFunctionIsStillAFailure) { run_out_of_memory_everywhere({.main_fails = true}, 70); }

TEST(NoMemory, TheStatusStillTellsOfASigint) {
  std::atomic<int> running = 0;
  lastcall::application app{"shop"};
  app.add<frugal>("db", running, ends::well, ends::well, [] { scarce_memory::allow(0); });
  const int status = app.run([] { std::raise(SIGINT); });
  scarce_memory::refill();
  EXPECT_EQ(status, 130);
  std::_Exit(testing::Test::HasFailure() ? 1 : 0); // not by the signal
}

TEST(NoMemory, ALoopStillEndsWithItsStatus) {
  for (const int expected : {0, 3, 70}) {
    const int status = lastcall::run([&] {
      scarce_memory::allow(0);
      if (expected == 70) throw frugal::reason;
      return expected;
    });
    scarce_memory::refill();
    EXPECT_EQ(status, expected);
  }
}

} // namespace
