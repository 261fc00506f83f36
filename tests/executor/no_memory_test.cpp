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

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <system_error>

#include <unistd.h>

namespace {

constexpr long plenty = std::numeric_limits<long>::max() / 2;
std::atomic<long> requests_left{plenty};

void* had(std::size_t size, std::size_t alignment = 16) noexcept {
  if (requests_left.fetch_sub(1) <= 0) return nullptr;
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

} // namespace

[[gnu::noinline]] void* operator new(std::size_t size) { // inlined, they look mismatched to the compiler
  if (void* memory = had(size)) return memory;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  if (void* memory = had(size, static_cast<std::size_t>(alignment))) return memory;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return had(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

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
    requests_left = few;
    try {
      live(of);
    } catch (const std::bad_alloc&) {
    } catch (const std::system_error&) {
    }
  } catch (const std::bad_alloc&) {
  } catch (const std::system_error&) {
  }
  const long unused = requests_left.exchange(plenty);
  EXPECT_EQ(of.ran, of.accepted) << few;
  EXPECT_EQ(counted::live, 0) << few;
  return unused;
}

TEST(NoMemory, WhereverItRunsOutWhatAPoolHasAcceptedRunsAndTheNextPoolIsWhole) {
  constexpr long far_too_many = 10'000;
  long few = 0;
  while (run_with(few) <= 0 && few < far_too_many && !HasFailure()) {
    const lastcall::runtime next{quiet()};
    thread_pool pool{{.threads = 2}};
    EXPECT_EQ(pool.submit([] { return 5; }).take(), 5) << few;
    ++few;
  }
  EXPECT_LT(few, far_too_many);
}

} // namespace
