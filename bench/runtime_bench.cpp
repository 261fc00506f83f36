// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What the end of a runtime costs.
//
// With a thousand daemons that are blocked in reads: against the least that a program can do about a thousand
// threads of its own, which is to end all their reads by one call (it closes the other end of their pipe) and
// to join them. With ten thousand finalizers: against calling as many functions, and the two milliseconds
// that everything else may cost.
//
// Only the ends are timed. Before one begins every thread is asleep, by the word of the kernel.

#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/finalizer.hpp>
#include <lastcall/runtime/runtime.hpp>

#include "comparison.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

namespace {

constexpr double ns_per_ms = 1e6;
constexpr double allowance_ms = 2;

std::size_t threads = 1'000;
std::size_t functions = 10'000;

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "runtime: %s\n", why);
  std::_Exit(2);
}

struct empty_pipe {
  int ends[2] = {-1, -1};
  empty_pipe() {
    if (::pipe(ends) != 0) give_up("no pipe");
  }
  ~empty_pipe() {
    close_writer();
    ::close(ends[0]);
  }
  empty_pipe(const empty_pipe&) = delete;
  empty_pipe& operator=(const empty_pipe&) = delete;
  void close_writer() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
};

// How many threads of this process sleep: the state follows the name, which is in brackets.
std::size_t asleep() {
  std::size_t count = 0;
  for (const auto& one : std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::string line;
    std::getline(std::ifstream{one.path() / "stat"}, line);
    const auto at = line.rfind(')');
    if (at != std::string::npos && line.compare(at, 3, ") S") == 0) ++count;
  }
  return count;
}

void wait_until_all_sleep() {
  while (asleep() < threads) std::this_thread::yield();
}

lastcall::runtime_options quiet() {
  lastcall::runtime_options options;
  options.on_report = [](const lastcall::finalization_report& report) {
    if (!report.clean()) give_up(describe(report).c_str());
  };
  return options;
}

double end_daemons() {
  const empty_pipe never;
  lastcall::runtime it{quiet()};
  std::vector<lastcall::daemon_thread> daemons;
  daemons.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i)
    daemons.emplace_back("reader", "reads what never comes", [&never] {
      char byte = 0;
      lastcall::io::read(never.ends[0], &byte, 1);
    });
  wait_until_all_sleep();
  const double from = bench::now_ns();
  it.finalize();
  for (auto& one : daemons) one.join(lastcall::deadline::never()); // on a busy machine some are late
  return (bench::now_ns() - from) / ns_per_ms;
}

double wake_and_join_threads() {
  empty_pipe shared;
  std::vector<std::thread> all;
  all.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i)
    all.emplace_back([&shared] {
      char byte = 0;
      if (::read(shared.ends[0], &byte, 1) != 0) give_up("a plain thread read something");
    });
  wait_until_all_sleep();
  const double from = bench::now_ns();
  shared.close_writer();
  for (auto& one : all) one.join();
  return (bench::now_ns() - from) / ns_per_ms;
}

struct counted {
  std::size_t* calls;
  void operator()() const { ++*calls; }
};

// A neighbour that has the processor for a moment takes longer than all of this does.
template <class Fn>
double best_of_five(Fn fn) {
  double best = fn();
  for (int i = 1; i < 5; ++i) best = std::min(best, fn());
  return best;
}

double end_with_finalizers() {
  std::size_t calls = 0;
  lastcall::runtime it{quiet()};
  for (std::size_t i = 0; i < functions; ++i) lastcall::finalizer{counted{&calls}};
  const double from = bench::now_ns();
  it.finalize();
  const double took = (bench::now_ns() - from) / ns_per_ms;
  if (calls != functions) give_up("a finalizer was not called");
  return took;
}

double call_functions() {
  std::size_t calls = 0;
  std::vector<std::function<void()>> all;
  all.reserve(functions);
  for (std::size_t i = 0; i < functions; ++i) all.emplace_back(counted{&calls});
  const double from = bench::now_ns();
  while (!all.empty()) {
    all.back()();
    all.pop_back();
  }
  const double took = (bench::now_ns() - from) / ns_per_ms;
  if (calls != functions) give_up("a function was not called");
  return took;
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--quick") == 0) threads = 50, functions = 500;
  bench::report report{"runtime"};
  report.add({.name = "the end of 1,000 daemons in reads",
              .peer = "wake and join plain threads",
              .unit = "ms",
              .bar = bench::at_most(3)},
             end_daemons, wake_and_join_threads);
  report.add(
      {.name = "the end with 10,000 finalizers",
       .peer = "calling as many functions, + 2 ms",
       .unit = "ms",
       .bar = bench::at_most(1),
       .repetitions = 25},
      [] { return best_of_five(end_with_finalizers); },
      [] { return best_of_five(call_functions) + allowance_ms; });
  return report.print();
}
