// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// What a program spawns is as if there were no scope: it can be asked to end, wherever it was spawned from.
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"
#include "interrupt/signal_mask.hpp"

#include <csignal>
#include <cstdio>
#include <semaphore>
#include <string>
#include <thread>

#include <spawn.h>

using namespace std::chrono_literals;
using namespace lastcall;

extern char** environ;

namespace {

// Whoever spawns: a `sleep` that ends by SIGTERM, or by SIGKILL where it cannot hear that. Its status.
int terminated_sleep() {
  pid_t child = 0;
  const char* const arguments[]{"sleep", "60", nullptr};
  if (::posix_spawnp(&child, "sleep", nullptr, nullptr, const_cast<char**>(arguments), environ) != 0)
    return -1;
  ::kill(child, SIGTERM);
  int status = -1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

bool terminated() { return testing_child::ended_by(terminated_sleep(), SIGTERM); }

// The masks and dispositions a spawned program finds, as its kernel tells them.
std::string found_by_popen() {
  std::string all;
  std::FILE* out = ::popen("grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status", "r");
  if (out == nullptr) return "no popen";
  char line[128];
  while (std::fgets(line, sizeof line, out) != nullptr) all += line;
  ::pclose(out);
  return all;
}

// A wait that never ends is ended here, where the test cannot do it.
struct last_resort {
  last_resort() { ::alarm(40); }
  ~last_resort() { ::alarm(0); }
};

} // namespace

TEST(Spawn, AChildOfTheOwnerCanBeTerminated) {
  const last_resort guard;
  const signal_scope scope;
  EXPECT_TRUE(terminated());
}

TEST(Spawn, AChildOfAShieldedOwnerCanBeTerminated) {
  const last_resort guard;
  const signal_scope scope;
  const shield plain;
  const shield inherited{{.bound = 1h, .forked = in_child::inherit}};
  EXPECT_TRUE(terminated());
}

TEST(Spawn, AChildOfAnotherThreadCanBeTerminated) {
  const last_resort guard;
  const signal_scope scope;
  std::jthread{[] {
    EXPECT_TRUE(terminated());
    const shield whole;
    EXPECT_TRUE(terminated());
  }}.join();
}

// The herald blocked all signals for its whole life, and with it whatever a listener spawned.
TEST(Spawn, AChildOfAListenerCanBeTerminated) {
  const last_resort guard;
  signal_scope scope{{.listen = {SIGUSR1}}};
  std::binary_semaphore done{0};
  bool fine = false;
  const auto telling = scope.subscribe(SIGUSR1, [&](const request&) {
    fine = terminated();
    done.release();
  });
  ::raise(SIGUSR1);
  done.acquire();
  EXPECT_TRUE(fine);
}

TEST(Spawn, AChildOfAStopCallbackCanBeTerminated) {
  const last_resort guard;
  signal_scope scope;
  std::binary_semaphore done{0};
  bool fine = false;
  const std::stop_callback callback{scope.token(), [&] {
                                      fine = terminated();
                                      done.release();
                                    }};
  ::raise(SIGTERM);
  done.acquire();
  EXPECT_TRUE(fine);
}

TEST(Spawn, AListenersChildFindsWhatAnyOtherFinds) {
  const last_resort guard;
  const std::string before = found_by_popen();
  signal_scope scope{{.listen = {SIGUSR1}}};
  EXPECT_EQ(found_by_popen(), before);
  std::binary_semaphore done{0};
  std::string found;
  const auto telling = scope.subscribe(SIGUSR1, [&](const request&) {
    found = found_by_popen();
    done.release();
  });
  ::raise(SIGUSR1);
  done.acquire();
  EXPECT_EQ(found, before);
}

TEST(Spawn, SystemInAShieldEndsByTheSignalItGets) {
  const last_resort guard;
  const signal_scope scope;
  const shield whole;
  const int status = std::system("kill -TERM $$; exit 3");
  EXPECT_TRUE(testing_child::ended_by(status, SIGTERM)) << status;
}

// Somebody's own mask is his own: it is neither widened nor narrowed.
TEST(Spawn, AListenerRunsWithTheMaskOfWhoeverMadeTheScope) {
  const auto before = signal_mask::block({SIGHUP});
  signal_scope scope{{.listen = {SIGUSR1}}};
  signal_mask::restore(before);
  std::binary_semaphore done{0};
  sigset_t seen;
  const auto telling = scope.subscribe(SIGUSR1, [&](const request&) {
    ::pthread_sigmask(SIG_SETMASK, nullptr, &seen);
    done.release();
  });
  ::raise(SIGUSR1);
  done.acquire();
  EXPECT_EQ(::sigismember(&seen, SIGHUP), 1);
  EXPECT_EQ(::sigismember(&seen, SIGTERM), 0);
  EXPECT_EQ(::sigismember(&seen, SIGINT), 0);
}
