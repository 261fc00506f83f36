// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Every wait of the library gives the big lock up. In each of these tests the one who ends the wait first
// needs the lock: a wait that kept it would never end.
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>
#include <lastcall/scope/gate.hpp>
#include <lastcall/trace/timeline.hpp>
#include <lastcall/wait/futex.hpp>

#include "interrupt/a_pipe.hpp"
#include "runtime/big_lock_gate.hpp"
#include "runtime/quiet.hpp"
#include "wait/lock_around_waits.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <mutex>
#include <thread>

#include <poll.h>
#include <unistd.h>

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::the_big_lock;
using runtime_test::quiet;
namespace io = lastcall::io;

namespace {

struct BigLockWaits : testing::Test {
  lastcall::runtime runtime{quiet()};
  int ends[2] = {-1, -1};
  BigLockWaits() { EXPECT_EQ(::pipe(ends), 0); }
  ~BigLockWaits() override {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  void send() const { EXPECT_EQ(::write(ends[1], "x", 1), 1); }
};

// Waits with the lock held for what somebody does who must have the lock for it.
void ended_by(const std::function<void()>& wait, const std::function<void()>& end) {
  const std::unique_lock turn{the_big_lock()};
  std::jthread other{[&] {
    const std::unique_lock its_turn{the_big_lock()};
    end();
  }};
  wait();
  EXPECT_TRUE(the_big_lock().is_mine());
}

} // namespace

TEST_F(BigLockWaits, Read) {
  char byte = 0;
  std::error_code error;
  std::stop_source never;
  ended_by([&] { EXPECT_EQ(io::read(ends[0], &byte, 1), 1U); }, [&] { send(); });
  ended_by([&] { EXPECT_EQ(io::read(ends[0], &byte, 1, error), 1U); }, [&] { send(); });
  ended_by([&] { EXPECT_EQ(io::read(ends[0], &byte, 1, never.get_token()), 1U); }, [&] { send(); });
  ended_by([&] { EXPECT_EQ(io::read(ends[0], &byte, 1, never.get_token(), error), 1U); }, [&] { send(); });
}

TEST_F(BigLockWaits, ReadOfAnOwner) {
  const lastcall::signal_scope scope;
  char byte = 0;
  ended_by([&] { EXPECT_EQ(io::read(ends[0], &byte, 1), 1U); }, [&] { send(); });
}

TEST_F(BigLockWaits, Poll) {
  ::pollfd watched{ends[0], POLLIN, 0};
  ended_by([&] { EXPECT_EQ(io::poll({&watched, 1}, deadline::never()), 1U); }, [&] { send(); });
}

TEST_F(BigLockWaits, SleepOfAnOwnerThatIsInterrupted) {
  lastcall::signal_scope scope;
  ended_by([&] { EXPECT_THROW(io::sleep_until(deadline::never()), lastcall::interrupted); },
           [&] { ::kill(::getpid(), SIGTERM); });
  scope.acknowledge();
  std::error_code error;
  ended_by([&] { io::sleep_until(deadline::never(), error); }, [&] { ::kill(::getpid(), SIGTERM); });
  EXPECT_EQ(error, lastcall::stop_errc::interrupted);
  scope.acknowledge();
  ended_by([&] { EXPECT_TRUE(io::wait_for_request(deadline::never())); },
           [&] { ::kill(::getpid(), SIGTERM); });
  scope.acknowledge();
}

TEST_F(BigLockWaits, SleepWithAStopToken) {
  std::stop_source stop;
  ended_by([&] { EXPECT_FALSE(io::sleep_until(deadline::never(), stop.get_token())); },
           [&] { stop.request_stop(); });
}

TEST_F(BigLockWaits, Futex) {
  std::atomic<std::uint32_t> word{0};
  const auto set = [&] {
    word = 1;
    lastcall::wait::futex_wake_all(word);
  };
  ended_by(
      [&] {
        auto until = deadline::never();
        while (word == 0) lastcall::wait::futex_wait(word, 0, until);
      },
      set);
  word = 0;
  ended_by(
      [&] {
        while (word == 0) io::futex_wait(word, 0, deadline::never());
      },
      set);
}

TEST_F(BigLockWaits, Gate) {
  lastcall::gate door;
  auto inside = door.enter();
  door.close();
  ended_by([&] { EXPECT_TRUE(door.wait_until(deadline::never())); }, [&] { inside.leave(); });
}

TEST_F(BigLockWaits, Join) {
  const std::unique_lock turn{the_big_lock()};
  lastcall::thread one{"one", [] { const std::unique_lock its_turn{the_big_lock()}; }};
  EXPECT_TRUE(one.join());
  EXPECT_TRUE(the_big_lock().is_mine());
  lastcall::daemon_thread two{"two", "a test", [] { const std::unique_lock its_turn{the_big_lock()}; }};
  EXPECT_TRUE(two.join(deadline::never()));
  EXPECT_TRUE(the_big_lock().is_mine());
}

TEST_F(BigLockWaits, JoinInAFinalization) {
  const std::unique_lock turn{the_big_lock()};
  const lastcall::thread one{"one", [](const lastcall::stop_token& stop) {
                               io::sleep_until(deadline::never(), std::stop_token{stop});
                               const std::unique_lock its_turn{the_big_lock()};
                             }};
  EXPECT_TRUE(runtime.finalize(deadline::after(30s)).clean());
  EXPECT_TRUE(the_big_lock().is_mine());
}

TEST_F(BigLockWaits, EndOfASubscription) {
  lastcall::signal_scope scope;
  std::latch called{1};
  auto subscribed = scope.subscribe(SIGTERM, [&](const lastcall::request&) {
    called.count_down();
    const std::unique_lock its_turn{the_big_lock()};
  });
  {
    const std::unique_lock turn{the_big_lock()};
    ::kill(::getpid(), SIGTERM);
    called.wait();
    EXPECT_TRUE(subscribed.reset(deadline::never()));
    EXPECT_TRUE(the_big_lock().is_mine());
  }
  scope.acknowledge();
}

// Somebody has the other lock and wants the big one: whoever has the big one and wants the other must not
// wait with it. With `other.lock()` in its place this test does not end.
TEST_F(BigLockWaits, AnotherLockWhoseHolderWantsTheBigOne) {
  std::mutex other;
  std::latch locked{1};
  std::jthread has_the_other{[&] {
    const std::scoped_lock guard{other};
    locked.count_down();
    const std::unique_lock its_turn{the_big_lock()};
  }};
  {
    const std::unique_lock turn{the_big_lock()};
    lastcall::big_lock::released_while([&] { locked.wait(); });
    lastcall::wait::lock_with_big_lock_set_aside(other);
    EXPECT_TRUE(the_big_lock().is_mine());
    other.unlock();
  }
}

TEST_F(BigLockWaits, ASinkThatWantsTheBigLock) {
  lastcall::timeline line;
  std::latch in_the_sink{1};
  const auto sink = line.add_sink([&](const lastcall::event& what) {
    if (what.name.view() != "first") return;
    in_the_sink.count_down();
    const std::unique_lock its_turn{the_big_lock()};
  });
  const std::unique_lock turn{the_big_lock()};
  std::jthread other{[&] { line.record(lastcall::event_kind::request, "first"); }};
  lastcall::big_lock::released_while([&] { in_the_sink.wait(); });
  line.record(lastcall::event_kind::request, "second");
  EXPECT_EQ(line.events().size(), 2U);
}
