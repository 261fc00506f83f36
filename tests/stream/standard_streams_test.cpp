// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/stream/standard_streams.hpp>

#include "interrupt/child.hpp"
#include "runtime/big_lock_gate.hpp"
#include "runtime/last_words.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <semaphore>
#include <thread>

#include <pthread.h>

namespace {

using namespace lastcall;

// Called at a fork after the library's own handlers, which have the list of streams then: registered before
// them. Another thread makes a stream at that moment.
std::atomic<bool> at_work{false};
void make_a_stream() {
  if (!at_work) return;
  std::binary_semaphore begun{0};
  std::thread{[&begun] {
    begun.release();
    err().write("");
  }}.detach();
  begun.acquire();
  while (!detail::awaits_last_words()) std::this_thread::yield(); // in there, until the fork is over
}
const bool registered = ::pthread_atfork(make_a_stream, nullptr, nullptr) == 0;

// The thread had the lock of the function's static, and in the child nobody gave it back.
TEST(StandardStreams, AreMadeInAChildThatWasForkedWhileAnotherThreadMadeThem) {
  ASSERT_TRUE(registered);
  const int status = testing_child::run([]() -> int {
    out().write("");
    at_work = true;
    const int of_child = testing_child::run(
        [] {
          err().write("");
          in();
          return 7;
        },
        10);
    return testing_child::exited_with(of_child, 7) ? 0 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 0)) << status;
}

// The one that made the stream gave the big lock up for a moment; the other got it, and waited for the static
// to be constructed without giving it up: each had what the other needed.
TEST(StandardStreams, AreMadeByOneThreadWhileAnotherWaitsForTheBigLock) {
  const lastcall::runtime it;
  std::unique_lock turn{lastcall::the_big_lock()};
  std::jthread other{[] {
    const std::scoped_lock mine{lastcall::the_big_lock()};
    lastcall::out().write("");
  }};
  while (lastcall::detail::the_lock_queue().waiters() == 0) std::this_thread::yield();
  lastcall::out().write("");
  EXPECT_TRUE(lastcall::the_big_lock().is_mine());
  turn.unlock(); // before the other is joined
}

} // namespace
