// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "process/open_descriptors.hpp"
#include "process/subject.hpp"
#include "sys/fault_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/// For tests in which the N-th system call of a manager, a zygote or a worker is refused.
///
/// A plan counts in one thread, and goes on in what that thread forks; so whether it has come is written
/// where all of them see it.
namespace process_test {

class shared_plan {
public:
  static void arm(int nth, int error) {
    page().came = 0;
    fault_plan::fail_nth(nth, error, [] {
      const int at = page().came++; // a worker may meet its copy of the plan after its zygote did
      page().which[static_cast<std::size_t>(at) % page().which.size()] =
          static_cast<int>(fault_plan::failed());
    });
  }
  /// The N-th call is held up where a child of this process makes it, so that the others go on meanwhile; it
  /// does not fail.
  static void hold_up_child(int nth) {
    page().came = 0;
    page().manager = ::getpid();
    fault_plan::fail_nth(nth, 0, [] {
      const bool is_here = ::getpid() == page().manager;
      if (!is_here && ::getppid() != page().manager) return;
      ++page().came;
      if (is_here) return;
      constexpr timespec a_while{0, 20'000'000};
      ::nanosleep(&a_while, nullptr);
    });
  }
  static void disarm() { fault_plan::disarm(); }
  /// In any of the processes.
  static bool came() { return page().came != 0; }
  /// The calls that were refused.
  static std::vector<std::string> names() {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < static_cast<std::size_t>(page().came) && i < page().which.size(); ++i)
      all.emplace_back(name_of(static_cast<lastcall::sys::call>(page().which[i].load())));
    return all;
  }

private:
  struct content {
    std::atomic<int> came;
    std::atomic<pid_t> manager;
    std::array<std::atomic<int>, 16> which;
  };
  static content& page() {
    static content* const it = [] {
      void* const memory =
          ::mmap(nullptr, sizeof(content), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) std::abort();
      return static_cast<content*>(memory);
    }();
    return *it;
  }
};

/// Makes every process that loses its parent ours, so that `leaves_nothing` sees it.
inline void adopt_orphans() { ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0); }

/// Runs `life` with the N-th call failing, N = 1, 2, …, until none is left to fail, and holds against each
/// that it leaves no descriptor, and no process. `life(nth)` arms the plan where it is to begin.
template <class Life>
int with_each_failing(Life life) {
  constexpr int far_too_many = 300;
  adopt_orphans();
  shared_plan::came(); // the page is there before what is forked
  const int before = open_descriptors();
  int nth = 0, none_in_a_row = 0, came = 0;
  while (none_in_a_row < 3 && nth < far_too_many && !testing::Test::HasFailure()) {
    ::alarm(60);
    const std::string said = life(++nth);
    shared_plan::disarm();
    while (::waitpid(-1, nullptr, __WALL) > 0) { // until the last has ended
    }
    EXPECT_EQ(open_descriptors(), before)
        << nth << ": " << said << " " << testing::PrintToString(shared_plan::names());
    none_in_a_row = shared_plan::came() ? 0 : none_in_a_row + 1;
    came += shared_plan::came() ? 1 : 0;
  }
  EXPECT_LT(nth, far_too_many);
  return came;
}

/// An error is clear that names the call, says that the zygote did not survive it, or how the worker ended
/// that could say no more.
inline void expect_clear(const std::string& said) {
  auto clear = shared_plan::names();
  clear.emplace_back("the zygote has ended");
  clear.emplace_back("exited with status 7"); // 70 or 75
  EXPECT_TRUE(std::any_of(clear.begin(), clear.end(),
                          [&](const auto& each) { return said.find(each) != std::string::npos; }))
      << testing::PrintToString(clear) << ": " << said;
}

} // namespace process_test
