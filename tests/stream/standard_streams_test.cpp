// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/stream/standard_streams.hpp>

#include "runtime/big_lock_gate.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <thread>

namespace {

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
