// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

std::atomic<int> own_count{0};
void own_handler(int) { own_count.fetch_add(1, std::memory_order_relaxed); }

} // namespace

// `raise` returns after its handler, so every one of these is a delivery of its own.
TEST(Storm, NoneOfTwentyThousandSignalsOnFourThreadsIsLostInTheCount) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  std::uint64_t told = 0; // the herald's
  const auto listening = scope.subscribe(SIGINT, [&](const request& r) { told += r.count; });
  {
    const shield whole;
    std::vector<std::jthread> senders;
    for (int t = 0; t < 4; ++t)
      senders.emplace_back([] {
        for (int i = 0; i < 5000; ++i) ::raise(SIGINT);
      });
    io::sleep_for(1ms);
  }
  EXPECT_THROW(checkpoint(), interrupted);
  EXPECT_EQ(scope.delivered(SIGINT), 20'000U);
  const auto end = scope.close();
  EXPECT_EQ(told, 20'000U) << "each reached the listener, alone or merged with its equals";
  EXPECT_LE(end.pending.size(), 1024U);
  EXPECT_GE(end.pending.size() + scope.lost(), 20'000U);
  EXPECT_LE(scope.lost(), scope.delivered()) << "what is merged and then finds no room is lost once";
  EXPECT_EQ(scope.delivered(), 20'000U);
}

TEST(Storm, SignalsRaisedInHandlersAreAllCounted) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  std::signal(SIGUSR2, [](int) {
    ::raise(SIGINT);
    ::raise(SIGTERM);
  });
  for (int i = 0; i < 500; ++i) ::raise(SIGUSR2);
  EXPECT_EQ(scope.delivered(SIGINT), 500U);
  EXPECT_EQ(scope.delivered(SIGTERM), 500U);
}

// A handler whose delivery began before its scope closed finds no scope and gives the signal back.
TEST(Storm, EachSignalGoesToTheScopeOrToTheOldHandlerWhileScopesComeAndGo) {
  std::signal(SIGINT, own_handler);
  constexpr int per_thread = 3000;
  std::atomic<int> busy{3};
  std::vector<std::jthread> senders;
  for (int t = 0; t < 3; ++t)
    senders.emplace_back([&] {
      for (int i = 0; i < per_thread; ++i) ::raise(SIGINT);
      busy.fetch_sub(1);
    });
  std::uint64_t ours = 0;
  while (busy.load() != 0) {
    signal_scope scope{{.ladder = ladder_policy::patient}};
    std::this_thread::yield();
    scope.close();
    ours += scope.delivered(SIGINT);
  }
  senders.clear();
  EXPECT_EQ(ours + static_cast<std::uint64_t>(own_count.load()), 3U * per_thread);
}

TEST(Storm, ARestartableReadOfOtherCodeIsRestarted) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pthread_t reader = ::pthread_self();
  std::jthread writer{[&] {
    for (int i = 0; i < 100; ++i) ::pthread_kill(reader, SIGINT);
#if !defined(__SANITIZE_THREAD__) // there the handler waits until the read is over (docs/limits.md)
    while (scope.delivered(SIGINT) == 0) std::this_thread::yield();
#endif
    EXPECT_EQ(::write(ends[1], "x", 1), 1);
  }};
  char byte = 0;
  const auto got = ::read(ends[0], &byte, 1); // as code does that knows nothing of EINTR
  EXPECT_EQ(got, 1) << errno;
  EXPECT_EQ(byte, 'x');
  EXPECT_TRUE(io::wait_for_request(deadline::after(10s)));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Storm, SleepsAndLocksOfTheLibraryGoOnUnderAShield) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  const pthread_t owner = ::pthread_self();
  std::atomic<bool> over{false};
  std::jthread sender{[&] {
    while (!over.load()) ::pthread_kill(owner, SIGINT);
  }};
  {
    const shield whole;
    const auto start = clock::now();
    io::sleep_for(30ms);
    EXPECT_GE(clock::now() - start, 30ms);
  }
  over = true;
}
