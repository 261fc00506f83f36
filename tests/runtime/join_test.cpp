// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A join is a wait like any other: a request ends it on the owner of a signal_scope. (It once heard nothing,
// and by default has no deadline.)
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>
#include <lastcall/trace/whereabouts.hpp>

#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <system_error>
#include <thread>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::interrupted;
using lastcall::stop_errc;
using runtime_test::quiet;

constexpr auto long_enough = 30s;

void wait_for_stop(const lastcall::stop_token& stop) { lastcall::io::sleep_until(deadline::never(), stop); }

/// Sends SIGINT to the process, from another thread, once this one is asleep in the kernel.
class ctrl_c {
public:
  ctrl_c()
      : thread_{[asleep = ::getpid()] {
          while (lastcall::kernel_whereabouts_of(asleep).find("asleep in futex") == std::string::npos)
            std::this_thread::yield();
          ::kill(::getpid(), SIGINT);
        }} {}

private:
  std::jthread thread_;
};

class Join : public testing::Test {
protected:
  lastcall::signal_scope scope_;
  lastcall::runtime runtime_{quiet()};
  lastcall::thread waits_{"waits", wait_for_stop};
  lastcall::daemon_thread daemon_{"waits", "for a test", wait_for_stop};

  void end() {
    scope_.acknowledge();
    waits_.request_stop();
    daemon_.request_stop();
    EXPECT_TRUE(waits_.join(deadline::after(long_enough)));
    EXPECT_TRUE(daemon_.join(deadline::after(long_enough)));
  }
};

TEST_F(Join, EndsByARequestThatComesMeanwhile) {
  {
    const ctrl_c comes;
    EXPECT_THROW(waits_.join(), interrupted);
  }
  EXPECT_TRUE(waits_.joinable());
  scope_.acknowledge();
  {
    const ctrl_c comes;
    EXPECT_THROW(daemon_.join(deadline::never()), interrupted);
  }
  end();
}

TEST_F(Join, WithACodeReportsTheRequest) {
  std::error_code error;
  {
    const ctrl_c comes;
    EXPECT_FALSE(waits_.join(deadline::never(), error));
  }
  EXPECT_EQ(error, stop_errc::interrupted);
  scope_.acknowledge();
  {
    const ctrl_c comes;
    EXPECT_FALSE(daemon_.join(deadline::never(), error));
  }
  EXPECT_EQ(error, stop_errc::interrupted);
  scope_.acknowledge();
  EXPECT_FALSE(waits_.join(deadline::after(1ms), error));
  EXPECT_FALSE(error) << "late is no error";
  end();
}

TEST_F(Join, EndsByARequestThatCameBefore) {
  std::raise(SIGINT);
  EXPECT_THROW(waits_.join(), interrupted);
  end();
}

TEST_F(Join, OfAThreadThatHasEndedWinsOverARequest) {
  daemon_.request_stop();
  waits_.request_stop();
  while (!daemon_.rests()) std::this_thread::yield();
  std::raise(SIGINT);
  EXPECT_TRUE(daemon_.join(deadline::never()));
  std::error_code error;
  EXPECT_TRUE(daemon_.join(deadline::never(), error));
  EXPECT_FALSE(error);
  end();
}

TEST_F(Join, UnderAShieldWaitsOn) {
  {
    const lastcall::shield whole;
    std::raise(SIGINT);
    waits_.request_stop();
    EXPECT_TRUE(waits_.join());
  }
  EXPECT_TRUE(lastcall::interrupt_pending());
  end();
}

TEST_F(Join, OnAnotherThreadHearsOfNoRequest) {
  lastcall::thread joins{"joins", [&] { EXPECT_TRUE(daemon_.join(deadline::after(long_enough))); }};
  std::raise(SIGINT);
  daemon_.request_stop();
  while (!daemon_.rests()) std::this_thread::yield();
  scope_.acknowledge();
  EXPECT_TRUE(joins.join(deadline::after(long_enough)));
  end();
}

} // namespace
