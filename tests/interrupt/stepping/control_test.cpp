// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// What the library is there to replace, to show that this proof finds what is wrong.

#include "interrupt/stepping/proof.hpp"

#include <gtest/gtest.h>

#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <mutex>

#include <signal.h>
#include <unistd.h>

using namespace stepping;

namespace {

volatile std::sig_atomic_t asked = 0;
sigjmp_buf way_out;

void install(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler; // without SA_RESTART: a call that has begun does end
  ::sigaction(SIGINT, &action, nullptr);
}

// The flag that every program starts with. A signal between the look and the kernel's entry is not noticed.
void flag_then_read(stretch& s) {
  install([](int) { asked = 1; });
  int ends[2];
  s.require(::pipe(ends) == 0, "pipe");
  char byte = 0;
  s.begin();
  if (asked == 0) [[maybe_unused]]
    const auto got = ::read(ends[0], &byte, 1);
  s.end();
  s.require(asked == 1, "not asked");
}

// Delivery at any instruction, as an interpreter has it between any two of its own: lock.acquire(); try: …
void jump_out_of_the_handler(stretch& s) {
  install([](int) { siglongjmp(way_out, 1); });
  std::mutex lock;
  volatile bool entered_try = false;
  if (sigsetjmp(way_out, 1) == 0) {
    s.begin();
    lock.lock();
    entered_try = true;
    s.at(1);
    lock.unlock();
    entered_try = false;
    s.end();
  } else if (entered_try) {
    lock.unlock();
  }
  s.require(lock.try_lock(), "the lock was left held");
}

} // namespace

TEST(SteppingFinds, TheGapBetweenAFlagAndARead) {
  if (const std::string why = impossible_here(); !why.empty()) GTEST_SKIP() << why;
  const tally sum = prove({.run = flag_then_read, .sleeps = true, .patience = 1, .enough = 1});
  std::printf("%s\n", sum.text("a flag, then a read").c_str());
  ASSERT_FALSE(sum.failures.empty());
  EXPECT_NE(sum.failures.front().find("it hung"), std::string::npos) << sum.failures.front();
}

TEST(SteppingFinds, TheGapBetweenAcquireAndTry) {
  if (const std::string why = impossible_here(); !why.empty()) GTEST_SKIP() << why;
  const tally sum = prove({.run = jump_out_of_the_handler, .enough = 1});
  std::printf("%s\n", sum.text("lock, then try, interrupted asynchronously").c_str());
  ASSERT_FALSE(sum.failures.empty());
  EXPECT_NE(sum.failures.front().find("left held"), std::string::npos) << sum.failures.front();
}
