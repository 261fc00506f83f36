// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What happens when memory runs out in a pool's life: this program's own operator new refuses from the N-th
// request on, N = 0, 1, 2, …, until a whole life needs fewer. Each task that was accepted has run or been
// dropped and told so, and nothing that was refused is left.
#include <lastcall/executor/queue.hpp>
#include <lastcall/executor/thread_pool.hpp>
#include <lastcall/runtime/runtime.hpp>

#include "executor/blocked_pool.hpp"
#include "runtime/quiet.hpp"
#include "sys/scarce_memory.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <new>
#include <optional>
#include <system_error>

#include <unistd.h>

namespace {

using executor_test::soon;
using lastcall::thread_pool;
using runtime_test::quiet;

struct counted {
  static inline std::atomic<int> live{0};
  counted() { ++live; }
  counted(counted&&) noexcept { ++live; }
  counted& operator=(counted&&) noexcept = default;
  ~counted() { --live; }
  std::array<char, 100> large{};
};

struct tally {
  std::atomic<int> accepted{0}, ran{0};
  int kept = 0; ///< promises that were not broken
};

void live(tally& of) {
  thread_pool pool{{.name = "p", .threads = 2, .grow_to = 3}};
  for (int i = 0; i < 40; ++i) { // more than one string of slots
    pool.post("one that does not fit into its slot", [&of, large = counted{}] { ++of.ran; });
    ++of.accepted;
  }
  auto answer = pool.submit("answer", [&of, large = counted{}] {
    ++of.ran;
    return std::make_unique<int>(7);
  });
  ++of.accepted;
  auto last = pool.submit_final("last", [&of] { ++of.ran; });
  ++of.accepted;
  lastcall::queue<counted> jobs;
  jobs.put(counted{});
  last.take();
  EXPECT_TRUE(pool.drain(soon()).unfinished.empty());
  EXPECT_TRUE(answer.ready());
  EXPECT_EQ(*answer.take(), 7);
}

/// Returns how many requests were not used, at most 0 where memory ran out.
long run_with(long few) {
  ::alarm(60);
  tally of;
  try {
    const lastcall::runtime it{quiet()};
    scarce_memory::allow(few);
    try {
      live(of);
    } catch (const std::bad_alloc&) {
    } catch (const std::system_error&) {
    }
  } catch (const std::bad_alloc&) {
  } catch (const std::system_error&) {
  }
  const long unused = scarce_memory::refill();
  EXPECT_EQ(of.ran, of.accepted) << few;
  EXPECT_EQ(counted::live, 0) << few;
  return unused;
}

TEST(NoMemory, WhereverItRunsOutWhatAPoolHasAcceptedRunsAndTheNextPoolIsWhole) {
  scarce_memory::until_there_is_enough(10'000, run_with, [](long few) {
    const lastcall::runtime next{quiet()};
    thread_pool pool{{.threads = 2}};
    EXPECT_EQ(pool.submit([] { return 5; }).take(), 5) << few;
  });
}

} // namespace
