// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/task/nursery.hpp>
#include <lastcall/task/run_async.hpp>
#include <lastcall/task/sleep.hpp>

#include <chrono>
#include <iostream>

using namespace std::chrono_literals;

int main() {
  return lastcall::run_async([]() -> lastcall::task<int> {
    int ticks = 0;
    co_await lastcall::with_nursery([&](lastcall::nursery& n) -> lastcall::task<> {
      for (int i = 1; i <= 3; ++i)
        n.start([&ticks, i]() -> lastcall::task<> {
          co_await lastcall::sleep_for(i * 1ms);
          ++ticks;
        });
      co_return;
    });
    std::cout << ticks << " ticks\n";
    co_return 7;
  });
}
