// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/interrupted.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/sys/config.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include <pthread.h>

/// Interrupting a call again and again, each time at another moment around its beginning.
namespace random_moments {

/// `full` rounds; a hundredth of them in builds that are that much slower, as is a call that is nudged again;
/// no more than LASTCALL_ROUNDS, where the environment has that.
inline int rounds(int full) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) || !LASTCALL_CONFIG_CALL_SEQUENCE
  return full / 100;
#else
  const char* most = std::getenv("LASTCALL_ROUNDS");
  return most != nullptr ? std::min(full, std::atoi(most)) : full;
#endif
}

/// Calls `again` on another thread once for each round, a random moment after the round has begun. Rounds
/// begin by `next`, which waits for the call of the round before.
template <class Again>
class ticker {
public:
  // No jthread: GCC 12 takes its stop state for uninitialized in sanitizer builds.
  ticker(int rounds, Again again) : thread_{[this, rounds, again] { run(rounds, again); }} {}
  ~ticker() {
    gone_.store(true, std::memory_order_relaxed);
    thread_.join();
  }
  ticker(const ticker&) = delete;
  ticker& operator=(const ticker&) = delete;
  void next() {
    wait_for_last();
    begun_.fetch_add(1, std::memory_order_release);
  }
  void wait_for_last() {
    while (done_.load(std::memory_order_acquire) != begun_.load(std::memory_order_relaxed)) wait();
  }

private:
  static void wait() { std::this_thread::yield(); }
  void run(int rounds, Again again) {
    std::minstd_rand random{static_cast<std::minstd_rand::result_type>(rounds)};
    for (int round = 1; round <= rounds; ++round) {
      while (begun_.load(std::memory_order_acquire) != round) {
        if (gone_.load(std::memory_order_relaxed)) return;
        wait();
      }
      // Most moments near the entry, some when the call is long blocked.
      const auto most = random() % 16 == 0 ? 40'000U : 2'000U;
      for (auto spins = random() % most; spins > 0; --spins) asm volatile("");
      again(round);
      done_.store(round, std::memory_order_release);
    }
  }

  std::atomic<int> begun_{0}, done_{0};
  std::atomic<bool> gone_{false};
  std::thread thread_; // last: it uses the others
};

/// `rounds` times: calls `fn`, which would wait for ever, on the owner (the calling thread), and has a SIGINT
/// sent by `send` on another thread. Every signal must end the `fn` of its round.
template <class Send, class Fn>
void interrupt_by(Send&& send, lastcall::signal_scope& scope, int rounds, Fn&& fn) {
  ticker sender{rounds, [&send](int) { send(); }};
  for (int round = 0; round < rounds; ++round) {
    sender.next();
    ASSERT_THROW(fn(), lastcall::interrupted);
    ASSERT_EQ(scope.acknowledge().size(), 1U);
  }
}

/// The signal hits the owner.
template <class Fn>
void interrupt_owner(lastcall::signal_scope& scope, int rounds, Fn&& fn) {
  const pthread_t owner = ::pthread_self();
  interrupt_by([owner] { ::pthread_kill(owner, SIGINT); }, scope, rounds, fn);
}

/// The signal hits another thread.
template <class Fn>
void interrupt_from_elsewhere(lastcall::signal_scope& scope, int rounds, Fn&& fn) {
  interrupt_by([] { ::raise(SIGINT); }, scope, rounds, fn);
}

} // namespace random_moments
