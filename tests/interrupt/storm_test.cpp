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
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

std::atomic<int> own_count{0};
void own_handler(int) { own_count.fetch_add(1, std::memory_order_relaxed); }

constexpr std::uint64_t few = 20'000;
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t many = 40'000;
constexpr long most_kib = 100'000; // a sanitizer keeps books of its own
#else
constexpr std::uint64_t many = 1'000'000;
constexpr long most_kib =
    8192; // the arrivals alone, kept, would take tens of thousands; an emulator has some
#endif

// What the process holds in memory at this moment, in KiB.
long resident_kib() {
  std::ifstream status{"/proc/self/status"};
  for (std::string word; status >> word;)
    if (long kib = 0; word == "VmRSS:" && status >> kib) return kib;
  return -1;
}

} // namespace

// `raise` returns after its handler, so every one of these is a delivery of its own.
TEST(Storm, NoneOfAMillionSignalsOnFourThreadsIsLostAndMemoryStaysAsItWas) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  std::uint64_t told = 0; // the herald's
  const auto listening = scope.subscribe(SIGINT, [&](const request& r) { told += r.count; });
  const auto storm = [](std::uint64_t signals) {
    std::vector<std::jthread> senders;
    for (int t = 0; t < 4; ++t)
      senders.emplace_back([signals] {
        for (std::uint64_t i = 0; i < signals / 4; ++i) ::raise(SIGINT);
      });
  };
  storm(few); // fills what has a bound
  const long before = resident_kib();
  storm(many);
  const long after = resident_kib();
  EXPECT_THROW(checkpoint(), interrupted);
  EXPECT_EQ(scope.delivered(SIGINT), few + many);
  const auto end = scope.close();
  EXPECT_EQ(told, few + many) << "each reached the listener, alone or merged with its equals";
  EXPECT_LE(end.pending.size(), 1024U);
  EXPECT_GE(end.pending.size() + scope.lost(), few + many);
  EXPECT_LE(scope.lost(), scope.delivered()) << "what is merged and then finds no room is lost once";
  EXPECT_EQ(scope.delivered(), few + many);
  EXPECT_LE(after - before, most_kib);
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

namespace {

// How many of so many signals a scope counted, while scopes come and go.
std::uint64_t raise_among_scopes(int threads, int per_thread, found_handler found) {
  own_count = 0;
  std::signal(SIGINT, own_handler);
  std::atomic<int> busy{threads};
  std::vector<std::jthread> senders;
  for (int t = 0; t < threads; ++t)
    senders.emplace_back([&] {
      for (int i = 0; i < per_thread; ++i) ::raise(SIGINT);
      busy.fetch_sub(1);
    });
  std::uint64_t ours = 0;
  while (busy.load() != 0) {
    signal_scope scope{{.ladder = ladder_policy::patient, .found = found}};
    std::this_thread::yield();
    scope.close();
    ours += scope.delivered(SIGINT);
  }
  return ours;
}

} // namespace

// A handler whose delivery began before its scope closed finds no scope and gives the signal back.
TEST(Storm, EachSignalGoesToTheScopeOrToTheOldHandlerWhileScopesComeAndGo) {
  const auto ours = raise_among_scopes(3, 3000, found_handler::replace);
  EXPECT_EQ(ours + static_cast<std::uint64_t>(own_count.load()), 9000U);
}

TEST(Storm, AChainedHandlerGetsEachSignalOnceWhileScopesComeAndGo) {
  EXPECT_LE(raise_among_scopes(3, 3000, found_handler::chain), 9000U);
  EXPECT_EQ(own_count.load(), 9000);
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
