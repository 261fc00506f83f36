// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A pool against those that a program would otherwise take: what it costs to have a small task run, with and
// without its result, and what it costs to stop threads that are blocked.
//
// Each sample makes a pool of two threads, posts from one thread, and ends when all has run. The last row
// holds the end of a pool against the least that any design can do: closing the pipe on which a thousand
// plain threads are blocked, and joining them.

#include <lastcall/executor/thread_pool.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/runtime.hpp>

#include "comparison.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#ifdef BENCH_TBB
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>
#endif

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <latch>
#include <thread>
#include <vector>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::thread_pool;

constexpr std::size_t threads = 2, tasks = 200'000, at_once = 2'000;

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "executor: %s\n", why);
  std::_Exit(2);
}

template <class Fn>
double tasks_per_second(Fn fn) {
  const double start = bench::now_ns();
  fn();
  return 1e9 * static_cast<double>(tasks) / (bench::now_ns() - start);
}

lastcall::pool_options roomy() { return {.name = "bench", .threads = threads, .capacity = 2 * tasks}; }

void finish(thread_pool& pool) {
  if (!pool.drain(deadline::after(60s)).clean()) give_up("the pool did not drain");
}

double post_with(std::size_t count) {
  return tasks_per_second([count] {
    auto options = roomy();
    options.threads = count;
    thread_pool pool{std::move(options)};
    for (std::size_t i = 0; i < tasks; ++i) pool.post([i] { bench::keep(i); });
    finish(pool);
  });
}

double post_ours() { return post_with(threads); }

double post_asio() {
  return tasks_per_second([] {
    boost::asio::thread_pool pool{threads};
    for (std::size_t i = 0; i < tasks; ++i) boost::asio::post(pool, [i] { bench::keep(i); });
    pool.join();
  });
}

double submit_ours() {
  return tasks_per_second([] {
    thread_pool pool{roomy()};
    std::vector<lastcall::future<std::size_t>> results;
    results.reserve(at_once);
    for (std::size_t done = 0; done < tasks; done += at_once) {
      for (std::size_t i = 0; i < at_once; ++i) results.push_back(pool.submit([i] { return i; }));
      for (auto& one : results) bench::keep(one.take());
      results.clear();
    }
    finish(pool);
  });
}

double submit_asio() {
  return tasks_per_second([] {
    boost::asio::thread_pool pool{threads};
    std::vector<std::future<std::size_t>> results;
    results.reserve(at_once);
    for (std::size_t done = 0; done < tasks; done += at_once) {
      for (std::size_t i = 0; i < at_once; ++i)
        results.push_back(boost::asio::post(pool, boost::asio::use_future([i] { return i; })));
      for (auto& one : results) bench::keep(one.get());
      results.clear();
    }
    pool.join();
  });
}

#ifdef BENCH_TBB
// Two threads in all: the one that posts takes part in oneTBB's work, and does not in a pool's.
double per_task_ours() { return 1e9 / post_with(threads - 1); }

double per_task_tbb() {
  return 1e9 / tasks_per_second([] {
           oneapi::tbb::task_arena arena{static_cast<int>(threads)};
           arena.execute([] {
             oneapi::tbb::task_group group;
             for (std::size_t i = 0; i < tasks; ++i) group.run([i] { bench::keep(i); });
             group.wait();
           });
         });
}
#endif

// --- a thousand blocked threads ---

constexpr std::size_t blocked = 1000;

struct channel {
  int read = -1, write = -1;
  channel() {
    int both[2];
    if (::pipe(both) != 0) give_up("no pipe");
    read = both[0], write = both[1];
  }
  ~channel() {
    ::close(read);
    if (write >= 0) ::close(write);
  }
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
};

double stop_ours() {
  const channel never;
  std::latch begun{blocked};
  thread_pool pool{{.name = "blocked", .threads = blocked}};
  for (std::size_t i = 0; i < blocked; ++i)
    pool.post("read", [&](const lastcall::stop_token& stop) {
      char byte = 0;
      begun.count_down();
      lastcall::io::read(never.read, &byte, 1, stop);
    });
  begun.wait();
  std::this_thread::sleep_for(20ms); // the last of them are asleep as well
  const double start = bench::now_ns();
  if (!pool.drop(deadline::after(60s)).clean()) give_up("the pool did not end");
  return (bench::now_ns() - start) / 1e6;
}

double stop_plain() {
  channel pipe;
  std::latch begun{blocked};
  std::vector<std::thread> all;
  for (std::size_t i = 0; i < blocked; ++i)
    all.emplace_back([&] {
      char byte = 0;
      begun.count_down();
      if (::read(pipe.read, &byte, 1) != 0) give_up("a byte that nobody wrote");
    });
  begun.wait();
  std::this_thread::sleep_for(20ms);
  const double start = bench::now_ns();
  ::close(std::exchange(pipe.write, -1));
  for (auto& one : all) one.join();
  return (bench::now_ns() - start) / 1e6;
}

// The least that ending blocked calls one by one can cost.
double stop_by_signals() {
  const channel never;
  struct ::sigaction action {};
  action.sa_handler = [](int) {}; // and no SA_RESTART
  ::sigaction(SIGUSR1, &action, nullptr);
  std::latch begun{blocked};
  std::vector<std::thread> all;
  for (std::size_t i = 0; i < blocked; ++i)
    all.emplace_back([&] {
      char byte = 0;
      begun.count_down();
      if (::read(never.read, &byte, 1) >= 0) give_up("a byte that nobody wrote");
    });
  begun.wait();
  std::this_thread::sleep_for(100ms); // one that is not in its read would miss its signal
  const double start = bench::now_ns();
  for (auto& one : all) ::pthread_kill(one.native_handle(), SIGUSR1);
  for (auto& one : all) one.join();
  return (bench::now_ns() - start) / 1e6;
}

} // namespace

int main() {
  const lastcall::runtime program{{.name = "bench"}};
  bench::report report{"executor"};
  report.add({.name = "post", .peer = "Boost.Asio post", .unit = "tasks/s", .bar = bench::at_least(1.5)},
             post_ours, post_asio);
  report.add({.name = "submit, take",
              .peer = "Boost.Asio use_future",
              .unit = "tasks/s",
              .bar = bench::at_least(1.4)},
             submit_ours, submit_asio);
#ifdef BENCH_TBB
  report.add({.name = "post", .peer = "oneTBB task_group", .unit = "ns", .bar = bench::at_most(1.5)},
             per_task_ours, per_task_tbb);
#endif
  report.add({.name = "drop, 1000 threads blocked",
              .peer = "close a pipe, join 1000 threads",
              .unit = "ms",
              .bar = bench::at_most(1.3)},
             stop_ours, stop_plain);
  report.add({.name = "drop, 1000 threads blocked",
              .peer = "1000 signals, join 1000 threads",
              .unit = "ms",
              .bar = bench::at_most(1.4)},
             stop_ours, stop_by_signals);
  return report.print();
}
