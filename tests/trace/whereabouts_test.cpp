// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/fault_plan.hpp"
#include "sys/thread_files.hpp"

#include <lastcall/trace/whereabouts.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

using lastcall::deadline;
using lastcall::kernel_whereabouts_of;
using lastcall::whereabouts_of;

namespace {

// A thread that reads from a pipe until the end of the test.
class reader {
public:
  reader() {
    EXPECT_EQ(::pipe(ends_), 0);
    running_ = std::thread{[this] {
      ::pthread_setname_np(::pthread_self(), "a \x1b) reader");
      id_ = static_cast<pid_t>(::syscall(SYS_gettid));
      id_.notify_one();
      char byte = 0;
      while (::read(ends_[0], &byte, 1) < 0) {
      }
    }};
    id_.wait(0);
    // Nothing says that it sleeps but its state itself.
    while (kernel_whereabouts_of(id_).find("asleep") == std::string::npos) std::this_thread::yield();
  }
  ~reader() {
    ::close(ends_[1]);
    running_.join();
    ::close(ends_[0]);
  }
  pid_t id() const { return id_; }
  int fd() const { return ends_[0]; }

private:
  int ends_[2]{};
  std::atomic<pid_t> id_{0};
  std::thread running_;
};

using texts = std::vector<std::string>;

int looks = 0;
texts never(std::span<const pid_t>, deadline) { throw std::runtime_error{"no debug information here"}; }
texts other(std::span<const pid_t> threads, deadline) {
  ++looks;
  texts all;
  for (const pid_t each : threads) all.push_back("thread " + std::to_string(each) + " is at home");
  return all;
}
texts too_few(std::span<const pid_t>, deadline) { return {"the first"}; }

} // namespace

TEST(Whereabouts, AThreadIsShownByNameStateAndSystemCall) {
  const reader sleeping;
  const std::string text = whereabouts_of(sleeping.id());
  const std::string begins = "\"a ?) reader\" (" + std::to_string(sleeping.id()) + "): asleep in read(fd " +
                             std::to_string(sleeping.fd()) + ")";
  EXPECT_EQ(text.substr(0, begins.size()), begins) << text;
  EXPECT_NE(whereabouts_of(::getpid()).find("running"), std::string::npos) << whereabouts_of(::getpid());
}

TEST(Whereabouts, AFutexIsShownWithItsWord) {
  std::atomic<std::uint32_t> word{0};
  std::atomic<pid_t> id{0};
  std::thread waiting{[&] {
    id = static_cast<pid_t>(::syscall(SYS_gettid));
    id.notify_one();
    while (word == 0) ::syscall(SYS_futex, &word, 0, 0, nullptr, nullptr, 0);
  }};
  id.wait(0);
  char expected[64];
  std::snprintf(expected, sizeof expected, "asleep in futex(%p)", static_cast<void*>(&word));
  while (whereabouts_of(id).find(expected) == std::string::npos) std::this_thread::yield();
  word = 1;
  ::syscall(SYS_futex, &word, 1, 1, nullptr, nullptr, 0);
  waiting.join();
}

TEST(Whereabouts, AThreadThatHasEndedIsNoFailure) {
  pid_t id = 0;
  std::thread{[&] { id = static_cast<pid_t>(::syscall(SYS_gettid)); }}.join();
  while (whereabouts_of(id) != "(" + std::to_string(id) + "): no such thread any more")
    std::this_thread::yield(); // join returns a moment before the kernel has let it go
}

TEST(Whereabouts, EachCallThatIsRefusedLeavesItsPartOut) {
  const reader sleeping;
  const std::string whole = whereabouts_of(sleeping.id());
  int nth = 1;
  for (bool fired = true; fired; ++nth) {
    fault_plan::fail_nth(nth, EACCES);
    const std::string text = whereabouts_of(sleeping.id());
    fired = fault_plan::disarm();
    EXPECT_EQ(text == whole, !fired) << text;
    EXPECT_NE(text.find("(" + std::to_string(sleeping.id()) + ")"), std::string::npos) << text;
    EXPECT_EQ(text.find("no such thread"), std::string::npos) << text;
  }
  EXPECT_GT(nth, 8); // an open and a read of each of four files
}

TEST(Whereabouts, TheSourceThatIsRegisteredIsAsked) {
  EXPECT_EQ(lastcall::exchange_stack_source(&other), nullptr);
  EXPECT_EQ(whereabouts_of(12), "thread 12 is at home");
  EXPECT_EQ(lastcall::exchange_stack_source(nullptr), &other);
  EXPECT_EQ(whereabouts_of(::getpid()).find("at home"), std::string::npos);
}

TEST(Whereabouts, ASourceThatFailsIsNamedBesideWhatTheKernelShows) {
  lastcall::exchange_stack_source(&never);
  const std::string text = whereabouts_of(::getpid());
  EXPECT_EQ(text.front(), '"') << text;
  EXPECT_NE(text.find("\n    no stack: no debug information here"), std::string::npos) << text;
}

// Each of a report's late threads was once asked for alone, and each look took its time.
TEST(Whereabouts, OfSeveralThreadsAreHadByOneLook) {
  lastcall::exchange_stack_source(&other);
  const std::vector<pid_t> ids{3, 1, 2};
  looks = 0;
  EXPECT_EQ(whereabouts_of(ids, deadline::never()),
            (texts{"thread 3 is at home", "thread 1 is at home", "thread 2 is at home"}));
  EXPECT_EQ(looks, 1);
  EXPECT_TRUE(whereabouts_of(std::span<const pid_t>{}, deadline::never()).empty());
  lastcall::exchange_stack_source(nullptr);
}

TEST(Whereabouts, WithoutTimeTheKernelsWordsAreAllThereIs) {
  lastcall::exchange_stack_source(&other);
  looks = 0;
  const pid_t self = ::getpid();
  const texts all = whereabouts_of(std::span{&self, 1}, deadline::after({}));
  EXPECT_EQ(looks, 0);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_NE(all.front().find("running"), std::string::npos) << all.front();
  lastcall::exchange_stack_source(nullptr);
}

TEST(Whereabouts, ASourceThatSaysTooLittleIsMadeUpFor) {
  lastcall::exchange_stack_source(&too_few);
  const std::vector<pid_t> ids{1, ::getpid()};
  const texts all = whereabouts_of(ids, deadline::never());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all.front(), "the first");
  EXPECT_NE(all.back().find("running"), std::string::npos) << all.back();
  lastcall::exchange_stack_source(nullptr);
}

TEST(ThreadFiles, AllThreadsAreListedAndCountedBeyondTheRoom) {
  const reader one;
  std::vector<pid_t> ids(64);
  const int all = lastcall::sys::list_threads(ids.data(), ids.size());
  ASSERT_GE(all, 2);
  ids.resize(static_cast<std::size_t>(all));
  EXPECT_NE(std::find(ids.begin(), ids.end(), one.id()), ids.end());
  EXPECT_NE(std::find(ids.begin(), ids.end(), ::getpid()), ids.end());
  pid_t only = 0;
  EXPECT_EQ(lastcall::sys::list_threads(&only, 1), all);
  EXPECT_EQ(only, ids.front());
  for (int nth = 1; nth <= 2; ++nth) {
    fault_plan::fail_nth(nth, EMFILE);
    EXPECT_EQ(lastcall::sys::list_threads(&only, 1), -EMFILE);
    EXPECT_TRUE(fault_plan::disarm());
  }
}
