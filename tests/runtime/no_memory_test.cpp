// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What happens when memory runs out in a runtime's life: this program's own operator new refuses from the
// N-th request on, N = 0, 1, 2, …, until a whole life needs fewer. What had been begun or registered by then
// is ended and called. (A refused request once ended the program, or left functions to the next runtime.)
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/at_exit.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/finalizer.hpp>
#include <lastcall/runtime/in_flight.hpp>
#include <lastcall/runtime/module_state.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>

#include "runtime/quiet.hpp"
#include "sys/scarce_memory.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <system_error>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using runtime_test::patient;
using runtime_test::quiet;

constexpr auto long_enough = 30s;

struct counts {
  static inline std::atomic<int> live{0};
  counts() { ++live; }
  ~counts() { --live; }
};
constinit lastcall::module_state<counts> state{"state"};

/// What was begun and has not ended; all 0 at the end.
struct tally {
  std::atomic<int> threads{0}, at_exit{0}, finalizers{0}, operations{0};
};

void live(tally& open) {
  lastcall::thread worker{"worker", [&open](lastcall::stop_token stop) {
                            lastcall::io::sleep_until(deadline::never(), stop);
                            --open.threads;
                          }};
  ++open.threads;
  // The handle lets go of it at the end of this function, and asks it to stop.
  const lastcall::daemon_thread daemon{"daemon", "sleeps",
                                       [] { lastcall::io::sleep_until(deadline::never()); }};
  lastcall::at_exit([&open] { --open.at_exit; });
  ++open.at_exit;
  lastcall::at_exit([&open] {
    --open.at_exit;
    throw 7;
  });
  ++open.at_exit;
  const lastcall::finalizer last{[&open] { --open.finalizers; }};
  ++open.finalizers;
  state.get();
}

/// Returns how many requests were not used, at most 0 where memory ran out.
long run_with(long few) {
  ::alarm(60);
  static std::optional<lastcall::in_flight> reading;
  tally open;
  auto options = patient(); // where a daemon is left, state is kept
  const auto token_heard = std::make_unique<std::atomic<bool>>(false);
  scarce_memory::allow(few);
  try {
    lastcall::runtime it{std::move(options)};
    try {
      live(open);
      reading.emplace(
          "read", std::shared_ptr<void>{}, [] {},
          [&open](deadline) {
            --open.operations;
            return true;
          });
      ++open.operations;
    } catch (const std::bad_alloc&) {
    } catch (const std::system_error&) {
    }
    it.finalize(deadline::after(long_enough));
  } catch (const std::bad_alloc&) {
  } catch (const std::system_error&) {
  }
  const long unused = scarce_memory::refill();
  reading.reset();
  EXPECT_EQ(open.threads, 0) << few;
  EXPECT_EQ(open.at_exit, 0) << few;
  EXPECT_EQ(open.finalizers, 0) << few;
  EXPECT_EQ(open.operations, 0) << few;
  EXPECT_EQ(counts::live, 0) << few;
  EXPECT_FALSE(lastcall::runtime::live());
  return unused;
}

TEST(NoMemory, WhereverItRunsOutWhatWasBegunIsEndedAndTheNextRuntimeIsWhole) {
  scarce_memory::until_there_is_enough(10'000, run_with, [](long few) {
    lastcall::runtime next{quiet()};
    int called = 0;
    lastcall::at_exit([&] { ++called; });
    EXPECT_TRUE(next.finalize().clean()) << few;
    EXPECT_EQ(called, 1) << few;
  });
}

} // namespace
