// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What happens when memory runs out in the life of a loop: this program's own operator new refuses from the
// N-th request on, N = 0, 1, 2, …, until a whole life needs fewer. Every child that was started has ended,
// every function that was handed over has come back, what they held is gone, and the next loop is whole.
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/task/async_event.hpp>
#include <lastcall/task/cancel_scope.hpp>
#include <lastcall/task/finally.hpp>
#include <lastcall/task/loop.hpp>
#include <lastcall/task/loop_call.hpp>
#include <lastcall/task/nursery.hpp>
#include <lastcall/task/run_async.hpp>
#include <lastcall/task/sleep.hpp>
#include <lastcall/task/to_thread.hpp>

#include "runtime/quiet.hpp"
#include "sys/scarce_memory.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <new>
#include <system_error>
#include <thread>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::loop;
using lastcall::nursery;
using lastcall::sleep_for;
using lastcall::task;
using lastcall::with_nursery;

struct counted {
  static inline std::atomic<int> live{0};
  counted() noexcept { ++live; }
  counted(const counted&) noexcept { ++live; }
  counted(counted&&) noexcept { ++live; }
  counted& operator=(const counted&) = default;
  counted& operator=(counted&&) noexcept = default;
  ~counted() { --live; }
  std::array<char, 100> large{};
};

struct tally {
  std::atomic<int> begun{0}, ended{0};
};

/// Whether this is what a refused request comes out as, at whatever place.
bool is_want_of_memory(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    return true;
  } catch (const std::system_error& failed) {
    return failed.code() == std::errc::not_enough_memory ||
           failed.code() == std::errc::resource_unavailable_try_again ||
           failed.code() == lastcall::executor_errc::unfinished;
  } catch (const lastcall::failures& several) {
    for (const auto& each : several.each())
      if (!is_want_of_memory(each)) return false;
    return true;
  } catch (...) {
    return false;
  }
}

using life = std::function<void(tally&)>;

/// Returns how many requests were not used, at most 0 where memory ran out.
long run_with(long few, const life& live) {
  ::alarm(60);
  tally of;
  std::exception_ptr error;
  scarce_memory::allow(few);
  try {
    live(of);
  } catch (...) {
    error = std::current_exception();
  }
  const long unused = scarce_memory::refill();
  EXPECT_TRUE(error == nullptr || is_want_of_memory(error)) << few;
  EXPECT_TRUE(error == nullptr || unused <= 0) << few;
  EXPECT_EQ(of.begun, of.ended) << few;
  EXPECT_EQ(counted::live, 0) << few;
  return unused;
}

class NoMemoryForATask : public testing::Test {
  lastcall::runtime program_{runtime_test::quiet()};
};

void wherever_it_runs_out(const life& live) {
  const auto run = [&](long few) { return run_with(few, live); };
  const long enough = scarce_memory::until_there_is_enough(5000, run, [](long few) {
    int ran = 0;
    loop next;
    next.run([&]() -> task<> {
      co_await sleep_for(0ms);
      ++ran;
    });
    EXPECT_EQ(ran, 1) << few;
  });
  EXPECT_GT(enough, 5);
}

/// Counts what holds it in, and out again.
class here {
public:
  explicit here(tally& of) noexcept : of_{of} { ++of_.begun; }
  ~here() { ++of_.ended; }
  here(const here&) = delete;
  here& operator=(const here&) = delete;

private:
  tally& of_;
};

task<> child(tally& of, [[maybe_unused]] counted held) {
  const here inside{of};
  co_await sleep_for(0ms);
  co_await sleep_for(1ms);
}

void children(tally& of, lastcall::cancel_order order) {
  loop it;
  auto body = [&](nursery& n) -> task<> {
    for (int i = 0; i < 3; ++i) n.start(child, std::ref(of), counted{});
    co_await sleep_for(0ms);
    n.cancel("enough");
  };
  it.run([&]() -> task<> { co_await with_nursery({.order = order}, body); });
  EXPECT_EQ(it.running(), 0U);
}

TEST_F(NoMemoryForATask, AllChildrenOfANurseryEnd) {
  wherever_it_runs_out([](tally& of) { children(of, lastcall::cancel_order::newest_first); });
}

TEST_F(NoMemoryForATask, AllChildrenThatAreCancelledOneByOneEnd) {
  wherever_it_runs_out([](tally& of) { children(of, lastcall::cancel_order::one_by_one); });
}

TEST_F(NoMemoryForATask, ABoundIsKeptAndAFinalizerRuns) {
  wherever_it_runs_out([](tally& of) {
    loop it;
    auto waits = [&of]() -> task<> {
      const here inside{of};
      co_await sleep_for(1h);
    };
    auto cleans = [&of]() -> task<> {
      const here inside{of};
      co_await sleep_for(0ms);
    };
    auto bounded = [&]() -> task<> { co_await lastcall::finally(waits, cleans, 10s); };
    it.run([&]() -> task<> { co_await lastcall::move_on_after(1ms, bounded); });
  });
}

TEST_F(NoMemoryForATask, AFunctionThatWasHandedToAThreadComesBack) {
  lastcall::thread_pool pool{{.threads = 1}};
  auto lives = [&](tally& of) {
    loop it;
    auto work = [&of, held = counted{}] {
      const here inside{of};
      return 7;
    };
    it.run([&]() -> task<> {
      const int seven = co_await lastcall::to_thread(pool, "seven", work);
      EXPECT_EQ(seven, 7);
    });
    EXPECT_FALSE(it.expects_others());
  };
  wherever_it_runs_out(lives);
}

TEST_F(NoMemoryForATask, ACallFromAnotherThreadHasAnAnswer) {
  loop there;
  lastcall::async_event over;
  std::thread runs{[&] { there.run([&]() -> task<> { co_await over; }); }};
  lastcall::call_in(there.handle(), []() -> task<> { co_return; }); // it runs by now
  wherever_it_runs_out([&](tally& of) {
    auto work = [&of]() -> task<int> {
      const here inside{of};
      co_await sleep_for(0ms);
      co_return 7;
    };
    EXPECT_EQ(lastcall::call_in(there.handle(), work), 7);
  });
  there.handle().post([&] { over.set(); });
  runs.join();
}

TEST_F(NoMemoryForATask, AProgramOfCoroutinesEndsAndSaysThatItFailed) {
  wherever_it_runs_out([](tally& of) {
    const int status = lastcall::run_async([&of]() -> task<> {
      const here inside{of};
      co_await with_nursery([&of](nursery& n) -> task<> {
        n.start(child, std::ref(of), counted{});
        co_return;
      });
    });
    if (status != 0) throw std::bad_alloc{};
  });
}

} // namespace
