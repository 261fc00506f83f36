// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What the big lock costs: alone, against a std::mutex; handed over between two threads that both want it,
// against the least that a hand-over can cost, a word and two futex calls; and how long the last of eight
// waits.

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/runtime/runtime.hpp>

#include "comparison.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::the_big_lock;

constexpr auto interval = 5ms;
std::size_t calls = 5'000'000;
std::size_t hand_overs = 20'000;
lastcall::duration taking_turns = 400ms;

lastcall::runtime_options handed_on_after(lastcall::duration span) {
  lastcall::runtime_options options;
  options.interval = span;
  return options;
}

template <class Lockable>
double alone(Lockable& lock) {
  return bench::ns_per_call(calls, [&] {
    lock.lock();
    lock.unlock();
  });
}

// Both sides run on two threads, and each of their turns is one hand-over.
template <class Fn>
double ns_per_turn(Fn turns_of) {
  std::latch there{2};
  const auto run = [&](unsigned which) {
    there.arrive_and_wait();
    turns_of(which);
  };
  std::thread other{run, 1U};
  const double start = bench::now_ns();
  run(0);
  other.join();
  return (bench::now_ns() - start) / static_cast<double>(hand_overs);
}

double handed_over() {
  const lastcall::runtime turns{handed_on_after(0ns)}; // asked at once
  std::size_t done = 0;                                // guarded by the lock, as is the next
  unsigned last = 2;
  return ns_per_turn([&](unsigned which) {
    const std::unique_lock turn{the_big_lock()};
    for (; done < hand_overs; lastcall::checkpoint()) {
      done += static_cast<std::size_t>(last != which);
      last = which;
    }
  });
}

void futex(std::atomic<unsigned>& word, int what, unsigned value) {
  ::syscall(SYS_futex, &word, what | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr, 0);
}

double bare_futex() {
  std::atomic<unsigned> turn{0};
  return ns_per_turn([&](unsigned which) {
    for (std::size_t i = 0; i < hand_overs / 2; ++i) {
      while (turn.load(std::memory_order_acquire) != which) futex(turn, FUTEX_WAIT, 1 - which);
      turn.store(1 - which, std::memory_order_release);
      futex(turn, FUTEX_WAKE, 1);
    }
  });
}

// In milliseconds: the longest wait of eight takers, none of which ever gives it up of its own accord.
double longest_of_eight() {
  const lastcall::runtime turns{handed_on_after(interval)};
  std::atomic<bool> over{false};
  std::atomic<int> in{0};
  std::array<double, 8> longest{};
  std::vector<std::thread> takers;
  takers.reserve(longest.size());
  for (auto& mine : longest)
    takers.emplace_back([&] {
      double since = bench::now_ns();
      const std::unique_lock turn{the_big_lock()};
      ++in;
      while (!over) {
        // A turn of others in between shows as a checkpoint that takes long.
        lastcall::checkpoint();
        const double now = bench::now_ns();
        if (in == 8) mine = std::max(mine, now - since);
        since = now;
      }
    });
  std::this_thread::sleep_for(taking_turns);
  over = true;
  for (auto& one : takers) one.join();
  return *std::max_element(longest.begin(), longest.end()) / 1e6;
}

// The same by the clock: eight threads in a ring, each of which keeps a word for an interval. On a loaded
// machine both sides wait for the processor, too.
double ring_of_eight() {
  std::array<std::atomic<unsigned>, 8> mine{};
  std::atomic<bool> over{false};
  std::array<double, 8> longest{};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      double since = 0;
      for (;;) {
        while (mine[t].load(std::memory_order_acquire) == 0) futex(mine[t], FUTEX_WAIT, 0);
        const double began = bench::now_ns();
        if (since != 0) longest[t] = std::max(longest[t], began - since);
        while (!over &&
               bench::now_ns() - began < std::chrono::duration<double, std::nano>{interval}.count()) {
        }
        since = bench::now_ns();
        mine[t].store(0, std::memory_order_relaxed);
        auto& next = mine[(t + 1) % 8];
        next.store(1, std::memory_order_release);
        futex(next, FUTEX_WAKE, 1);
        if (over) return;
      }
    });
  mine[0].store(1, std::memory_order_release);
  futex(mine[0], FUTEX_WAKE, 1);
  std::this_thread::sleep_for(taking_turns);
  over = true;
  for (auto& one : threads) one.join();
  return *std::max_element(longest.begin(), longest.end()) / 1e6;
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--quick") == 0) {
    calls /= 20;
    hand_overs /= 20;
    taking_turns /= 4;
  }
  bench::report report{"big_lock"};
  {
    // A second thread: alone in its process, a std::mutex does without locked instructions.
    std::latch end{1};
    const std::jthread second{[&] { end.wait(); }};
    const lastcall::runtime turns;
    std::mutex plain;
    report.add(
        {.name = "take and give up, nobody else wants it",
         .peer = "std::mutex",
         .unit = "ns",
         .bar = bench::at_most(1.3),
         .repetitions = 31},
        [] { return alone(the_big_lock()); }, [&] { return alone(plain); });
    end.count_down();
  }
  report.add({.name = "handed over between two that both want it",
              .peer = "a word and two futex calls",
              .unit = "ns",
              .bar = bench::at_most(1.5),
              .repetitions = 21},
             handed_over, bare_futex);
  report.add({.name = "longest wait of eight that keep it",
              .peer = "a ring that keeps the interval",
              .unit = "ms",
              .bar = bench::at_most(1.29), // nine intervals against seven
              .repetitions = 11},
             longest_of_eight, ring_of_eight);
  return report.print();
}
