// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/executor/pool_report.hpp>
#include <lastcall/wait/deadline.hpp>

#include "runtime/thread_registry.hpp"

#include <chrono>
#include <cstdint>
#include <latch>
#include <set>
#include <string>
#include <thread>

namespace executor_test {

/// Later than any test ends that does not hang.
inline lastcall::deadline soon() { return lastcall::deadline::after(std::chrono::seconds{30}); }

/// A task that says that it has begun and returns when it is told to.
class blocker {
public:
  std::latch begun{1}, ended{1};
  void release() { go_on_.count_down(); }
  /// What is posted: refers to this.
  auto task() {
    return [this] { run(); };
  }
  void run() {
    begun.count_down();
    go_on_.wait();
    ended.count_down();
  }

private:
  std::latch go_on_{1};
};

/// After its task was released: waits until no thread of that runtime runs any more, and joins them, so that
/// a thread that was left behind is no leak.
inline void reap_those_left(blocker& stuck, std::uint64_t generation) {
  stuck.ended.wait();
  auto& all = lastcall::detail::the_registry();
  while (all.count(generation, nullptr).running != 0) std::this_thread::yield();
  all.reap_ended(soon());
}

/// The labels of those that did not end, sorted.
inline std::string names(const lastcall::pool_report& report) {
  std::set<std::string> sorted;
  for (const auto& one : report.unfinished) sorted.insert(one.label);
  std::string all;
  for (const auto& one : sorted) all += (all.empty() ? "" : ", ") + one;
  return all;
}

} // namespace executor_test
