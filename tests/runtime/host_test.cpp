// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A host program: threads that we did not start call into us, through frames that cannot be unwound, before,
// during and after a finalization and in the next runtime.
//
// This test gates every change of the order of a finalization, and of what happens to who takes the big lock
// in it. CPython 2.7.8 took such a change over from 3.2: the lock was no longer destroyed at the end, and a
// thread that came late was ended where it stood, in pthread_exit. Ceph embedded that Python; its threads
// came through frames of C++, which the unwinding of pthread_exit took down, and the process with them. 2.7.9
// had to take the change back. So: whoever is not ours and comes too late never returns. It is not unwound,
// not ended, not freed, does not run in the next runtime, and nothing waits for it.
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/runtime/runtime.hpp>

#include "runtime/big_lock_gate.hpp"
#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <unistd.h>

using namespace std::chrono_literals;
using lastcall::big_lock;
using lastcall::deadline;
using lastcall::the_big_lock;
using runtime_test::exit_status_of;
using runtime_test::quiet;

namespace {

// What a thread of the host has come to.
struct guest {
  std::atomic<bool> came{false}, got_it{false}, came_back{false}, unwound{false};
  std::atomic<pid_t> thread{0};
  std::latch go_on{1};

  // Asleep for ever, and in the library: neither in the queue nor on its way.
  bool is_parked() const {
    while (!came) std::this_thread::yield();
    const std::string path = "/proc/self/task/" + std::to_string(thread.load()) + "/stat";
    for (int in_a_row = 0; in_a_row < 20;) {
      std::array<char, 256> text{};
      std::FILE* file = std::fopen(path.c_str(), "r");
      if (file == nullptr) return false; // ended
      const auto size = std::fread(text.data(), 1, text.size() - 1, file);
      std::fclose(file);
      const std::string_view all{text.data(), size};
      in_a_row = all.substr(all.rfind(')') + 2, 1) == "S" ? in_a_row + 1 : 0;
      std::this_thread::yield();
    }
    return !came_back && !unwound;
  }
};

struct frame {
  guest* whose;
  ~frame() {
    if (!whose->came_back) whose->unwound = true;
  }
};

// No exception and no pthread_exit gets through here.
template <class Call>
void through_a_callback(guest& it, Call call) noexcept {
  const frame here{&it};
  it.thread = ::gettid();
  it.came = true;
  call(it);
  it.came_back = true;
}

template <class Call>
guest& comes(Call call) {
  // Never destroyed: threads that never end look at them.
  static auto& all = *new std::list<guest>; // NOLINT(cppcoreguidelines-owning-memory)
  guest& it = all.emplace_back();
  std::thread{[&it, call] { through_a_callback(it, call); }}.detach();
  return it;
}

void takes(guest& it) {
  the_big_lock().lock();
  it.got_it = true;
  the_big_lock().unlock();
}

// So that nobody in the queue gets it before it is closed: who finalizes gives it up in its waits.
void holds_it_to_the_end(guest& it) {
  the_big_lock().lock();
  it.got_it = true;
  while (!lastcall::detail::the_lock_queue().is_closed()) std::this_thread::yield();
  the_big_lock().unlock();
}

void wait_for_waiters(std::size_t count) {
  while (lastcall::detail::the_lock_queue().waiters() != count) std::this_thread::yield();
}
void wait_for(const std::atomic<bool>& what) {
  while (!what) std::this_thread::yield();
}

struct Host : testing::Test {
  std::optional<lastcall::runtime> runtime{quiet()};
  void next() {
    EXPECT_TRUE(runtime->finalize(deadline::after(30s)).clean());
    runtime.reset();
    runtime.emplace(quiet());
  }
};

} // namespace

TEST_F(Host, BeforeTheEndItsThreadsTakeTurns) {
  auto& one = comes(takes);
  auto& two = comes(takes);
  wait_for(one.came_back);
  wait_for(two.came_back);
  EXPECT_TRUE(one.got_it && two.got_it);
}

TEST_F(Host, AThreadThatWaitsAtTheEndIsParkedAlsoInTheNext) {
  auto& holder = comes(holds_it_to_the_end);
  wait_for(holder.got_it);
  auto& it = comes(takes);
  wait_for_waiters(1);
  runtime->finalize(deadline::after(30s));
  EXPECT_TRUE(it.is_parked());
  runtime.reset();
  runtime.emplace(quiet());
  auto& later = comes(takes);
  wait_for(later.came_back);
  EXPECT_TRUE(it.is_parked());
  EXPECT_FALSE(it.got_it);
}

TEST_F(Host, AThreadThatComesAfterTheEndIsParkedAlsoInTheNext) {
  runtime->finalize(deadline::after(30s));
  auto& it = comes(takes);
  EXPECT_TRUE(it.is_parked());
  runtime.reset();
  runtime.emplace(quiet());
  EXPECT_TRUE(it.is_parked());
  EXPECT_FALSE(it.got_it);
}

TEST_F(Host, AThreadThatComesBackFromAWaitAfterTheEndIsParked) {
  auto& it = comes([](guest& me) {
    the_big_lock().lock();
    {
      const big_lock::released outside;
      me.got_it = true;
      me.go_on.wait();
    }
    the_big_lock().unlock();
  });
  wait_for(it.got_it);
  next(); // it may sleep through everything
  it.go_on.count_down();
  EXPECT_TRUE(it.is_parked());
  const std::unique_lock turn{the_big_lock()}; // and has nothing of the next
}

TEST_F(Host, AThreadInAnIoCallWithItIsParkedAfterIt) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  auto& it = comes([&](guest& me) {
    char byte = 0;
    the_big_lock().lock();
    me.got_it = true;
    lastcall::io::read(ends[0], &byte, 1); // throws for others, and on this thread it cannot
    the_big_lock().unlock();
  });
  wait_for(it.got_it);
  next();
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  EXPECT_TRUE(it.is_parked());
}

TEST_F(Host, AHolderAtACheckpointIsParkedThere) {
  auto& it = comes([](guest& me) {
    the_big_lock().lock();
    me.got_it = true;
    for (;;) lastcall::checkpoint();
  });
  wait_for(it.got_it);
  next();
  EXPECT_TRUE(it.is_parked());
}

TEST_F(Host, AHolderThatGivesItUpDuringTheEndGoesOn) {
  auto& it = comes(holds_it_to_the_end);
  wait_for(it.got_it);
  EXPECT_TRUE(runtime->finalize(deadline::after(30s)).clean());
  wait_for(it.came_back);
}

TEST_F(Host, ATryComesBackWithoutIt) {
  runtime->finalize(deadline::after(30s));
  auto& it = comes([](guest& me) {
    me.got_it = the_big_lock().try_lock() || the_big_lock().try_lock_until(deadline::after(1ms));
  });
  wait_for(it.came_back);
  EXPECT_FALSE(it.got_it);
}

TEST_F(Host, AThreadThatComesInTheNextGetsIt) {
  next();
  auto& it = comes(takes);
  wait_for(it.came_back);
  EXPECT_TRUE(it.got_it);
}

TEST_F(Host, ParkedThreadsDoNotKeepTheProcessFromItsEnd) {
  EXPECT_EQ(exit_status_of([&]() -> int {
              std::vector<guest*> parked;
              for (int i = 0; i < 8; ++i) {
                runtime->finalize(deadline::after(30s));
                parked.push_back(&comes(takes));
                if (!parked.back()->is_parked()) return 1;
                runtime.reset();
                runtime.emplace(quiet());
              }
              std::exit(0);
            }),
            0);
}

// Threads of the host come when they like, in every phase; each way of coming is up to the seed.
class HostSeeds : public testing::TestWithParam<unsigned> {};
TEST_P(HostSeeds, NobodyRunsInAnotherRuntimeThanItCameIn) {
  const char* asked = std::getenv("LASTCALL_ROUNDS");
  const long rounds = asked != nullptr ? std::strtol(asked, nullptr, 10) : 50;
  std::optional<lastcall::runtime> runtime{quiet()};
  static std::atomic<std::uint64_t> now{0}; // 0 between runtimes
  static std::atomic<std::uint64_t> wrong, turns;
  static int plain; // guarded by the lock
  now = runtime->generation();
  std::minstd_rand dice{GetParam()};
  for (int round = 0; round < rounds; ++round) {
    for (int t = 0; t < 4; ++t)
      comes([seed = dice()](guest&) {
        std::minstd_rand own{static_cast<unsigned>(seed)};
        // Once it has held the lock it belongs to that runtime until it gives it up.
        for (int i = 0; i < 200; ++i) {
          if (own() % 8 == 0) {
            if (!the_big_lock().try_lock()) continue;
          } else {
            the_big_lock().lock();
          }
          const auto mine = now.load();
          ++plain;
          turns.fetch_add(1, std::memory_order_relaxed);
          if (own() % 4 == 0) lastcall::checkpoint();
          if (own() % 4 == 0) big_lock::released_while([] { std::this_thread::yield(); });
          if (now.load() != mine && mine != 0 && now.load() != 0) ++wrong;
          ++plain;
          the_big_lock().unlock();
        }
      });
    if (dice() % 2 == 0) {
      const auto before = turns.load();
      for (int i = 0; i < 1'000 && turns.load() == before; ++i) std::this_thread::yield();
    }
    const auto report = runtime->finalize(deadline::after(30s));
    ASSERT_TRUE(report.clean()) << describe(report);
    now = 0;
    EXPECT_FALSE(the_big_lock().holder());
    ++plain; // nobody has it
    runtime.reset();
    runtime.emplace(quiet());
    now = runtime->generation();
  }
  EXPECT_EQ(wrong.load(), 0U);
  EXPECT_GT(turns.load(), 0U);
}
INSTANTIATE_TEST_SUITE_P(Seeds, HostSeeds, testing::Values(1U, 2U, 3U));
