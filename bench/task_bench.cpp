// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What it costs to cancel 10,000 coroutines that sleep: from the call that cancels to the moment at which the
// last one has ended and its frame is gone. All sides sleep until a moment of their own, an hour away.
//
// Ours come in both ways: each sleeper ended by an exception, which runs its handlers, or told by a value.
// Asio's are `asio::awaitable` over a steady_timer each, cancelled by one cancellation_signal each: also an
// exception for each. CPython measures itself: tasks in asyncio.sleep, cancelled and gathered.

#include <lastcall/task/cancel_scope.hpp>
#include <lastcall/task/loop.hpp>
#include <lastcall/task/nursery.hpp>
#include <lastcall/task/sleep.hpp>

#include "comparison.hpp"

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

std::size_t sleepers = 10'000;

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "task: %s\n", why);
  std::_Exit(2);
}

double since(double start) { return (bench::now_ns() - start) / 1e6; }

// --- ours ---

lastcall::task<> by_exception(std::size_t i) {
  co_await lastcall::sleep_for(1h + std::chrono::microseconds{i});
}
lastcall::task<> by_value(std::size_t i) {
  const bool slept = co_await lastcall::try_sleep_for(1h + std::chrono::microseconds{i});
  if (slept) give_up("an hour has passed");
}

template <class Sleeper>
double ours(Sleeper sleeper) {
  double took = 0;
  lastcall::loop loop;
  loop.run([&]() -> lastcall::task<> {
    double start = 0;
    co_await lastcall::with_nursery([&](lastcall::nursery& n) -> lastcall::task<> {
      for (std::size_t i = 0; i < sleepers; ++i) n.start(sleeper, i);
      co_await lastcall::sleep_for(1ms); // all sleep
      if (n.size() != sleepers) give_up("a sleeper is missing");
      start = bench::now_ns();
      n.cancel("enough");
    });
    took = since(start);
  });
  return took;
}

// --- Asio's ---

asio::awaitable<void> asio_sleeper(std::size_t i) {
  asio::steady_timer timer{co_await asio::this_coro::executor, 1h + std::chrono::microseconds{i}};
  co_await timer.async_wait(asio::use_awaitable);
}

double of_asio() {
  asio::io_context io{1};
  std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
  std::size_t ended = 0;
  for (std::size_t i = 0; i < sleepers; ++i) {
    auto& signal = signals.emplace_back(std::make_unique<asio::cancellation_signal>());
    asio::co_spawn(io, asio_sleeper(i),
                   asio::bind_cancellation_slot(signal->slot(), [&](const std::exception_ptr&) { ++ended; }));
  }
  io.run_for(1ms); // all sleep
  io.poll();
  const double start = bench::now_ns();
  for (auto signal = signals.rbegin(); signal != signals.rend(); ++signal)
    (*signal)->emit(asio::cancellation_type::terminal);
  io.run();
  if (ended != sleepers) give_up("a sleeper of Asio's did not end");
  return since(start);
}

// --- CPython's ---

double cpython() {
  const std::string program = "import asyncio, time\n"
                              "async def sleeper(i):\n"
                              "    await asyncio.sleep(3600 + i / 1e6)\n"
                              "async def main():\n"
                              "    tasks = [asyncio.create_task(sleeper(i)) for i in range(" +
                              std::to_string(sleepers) +
                              ")]\n"
                              "    await asyncio.sleep(0.001)\n"
                              "    start = time.perf_counter_ns()\n"
                              "    for task in reversed(tasks): task.cancel()\n"
                              "    await asyncio.gather(*tasks, return_exceptions=True)\n"
                              "    print((time.perf_counter_ns() - start) / 1e6)\n"
                              "asyncio.run(main())\n";
  std::FILE* python = ::popen(("python3 -c \"" + program + "\"").c_str(), "re");
  char said[64]{};
  if (python == nullptr || std::fgets(said, sizeof said, python) == nullptr) give_up("python3 did not run");
  ::pclose(python);
  return std::strtod(said, nullptr);
}

bool there_is_python() { return std::system("python3 -c 'import asyncio' 2>/dev/null") == 0; }

} // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--quick") == 0) sleepers /= 10;
  bench::report report{"task"};
  const auto with_exceptions = [] { return ours(by_exception); };
  const auto with_values = [] { return ours(by_value); };
  report.add({.name = "cancel 10,000, by exception",
              .peer = "Asio, a signal each",
              .unit = "ms",
              .bar = bench::at_most(0.5)},
             with_exceptions, of_asio);
  report.add({.name = "cancel 10,000, by value",
              .peer = "Asio, a signal each",
              .unit = "ms",
              .bar = bench::at_most(0.5)},
             with_values, of_asio);
  if (there_is_python()) {
    report.add({.name = "cancel 10,000, by exception",
                .peer = "asyncio",
                .unit = "ms",
                .bar = bench::at_most(0.5),
                .repetitions = 5},
               with_exceptions, cpython);
    report.add({.name = "cancel 10,000, by value",
                .peer = "asyncio",
                .unit = "ms",
                .bar = bench::at_most(0.5),
                .repetitions = 5},
               with_values, cpython);
  }
  return report.print();
}
