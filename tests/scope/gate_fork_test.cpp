// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/scope/gate.hpp>

#include <gtest/gtest.h>

#include <latch>
#include <optional>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::gate;
using lastcall::pass;

namespace {

// The number of the first answer that was false, 0 when all were true.
template <class... Answers>
int first_false(Answers... answers) {
  int number = 0, first = 0;
  ((++number, first = first == 0 && !answers ? number : first), ...);
  return first;
}

template <class Fn>
int in_child(Fn fn) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(30);
    ::_exit(fn());
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Two guests, one of them with a name, who stay inside until told to go.
struct guests {
  explicit guests(gate& door)
      : plain{[&] {
          const auto inside = door.enter();
          in.count_down();
          out.wait();
        }},
        named{[&] {
          const auto inside = door.enter("GET /report");
          in.count_down();
          out.wait();
        }} {
    in.wait();
  }
  ~guests() { out.count_down(); }
  std::latch in{2}, out{1};
  std::jthread plain, named;
};

} // namespace

TEST(GateFork, TheChildHasNoGuestsButTheForkingThreads) {
  gate door;
  const guests two{door};
  auto mine = door.enter();
  const int child = in_child([&] {
    const bool only_mine = door.size() == 1 && door.holders().size() == 1;
    const bool mine_by_its_name_here = door.holders().front().thread == ::gettid();
    door.close();
    const bool waited_for = !door.wait_until(deadline::after(-1s));
    mine.leave();
    const bool empties = door.wait_until(deadline::after(20s));
    door.reopen();
    const bool usable = door.try_enter().has_value() && door.try_enter("named").has_value();
    return first_false(only_mine, mine_by_its_name_here, waited_for, empties, usable);
  });
  EXPECT_EQ(child, 0);
  EXPECT_EQ(door.size(), 3U);
}

TEST(GateFork, ThreadsOfTheChildCount) {
  gate door;
  const guests two{door};
  const int child = in_child([&] {
#if defined(__SANITIZE_THREAD__)
    return 0; // the sanitizer refuses new threads in the child of a process with threads
#else
    std::optional<pass> handed_over;
    std::thread{[&] { handed_over = door.enter(); }}.join();
    const bool counted = door.size() == 1;
    handed_over.reset();
    return first_false(counted, door.size() == 0);
#endif
  });
  EXPECT_EQ(child, 0);
}

TEST(GateFork, APassOfAThreadThatDoesNotExistInTheChildIsGivenBackForNothing) {
  gate door;
  std::optional<pass> plain, named;
  std::latch in{1}, end{1};
  std::jthread guest{[&] {
    plain = door.enter();
    named = door.enter("named");
    in.count_down();
    end.wait();
  }};
  in.wait();
  const int child = in_child([&] {
    const bool nobody = door.size() == 0;
    plain.reset();
    named.reset();
    const bool still_nobody = door.size() == 0;
    const auto inside = door.enter();
    return first_false(nobody, still_nobody, door.size() == 1);
  });
  EXPECT_EQ(child, 0);
  EXPECT_EQ(door.size(), 2U);
  plain.reset();
  named.reset();
  EXPECT_EQ(door.size(), 0U);
  end.count_down();
}

TEST(GateFork, InTheMiddleOfComingAndGoing) {
  gate door;
  std::atomic<bool> go_on{true};
  std::jthread coming_and_going{[&] {
    while (go_on) {
      const auto plain = door.enter();
      const auto named = door.enter("named");
    }
  }};
  std::jthread waiting{[&] {
    while (go_on) door.wait_until(deadline::after(1ms));
  }};
  for (int round = 0; round < 50; ++round) {
    const int child = in_child([&] {
      // Nothing that allocates: under AddressSanitizer another thread may have held the allocator's lock.
      auto inside = door.enter();
      const bool only_mine = door.size() == 1;
      door.close();
      const bool waited_for = !door.wait_until(deadline::after(-1s));
      inside.leave();
      return first_false(only_mine, waited_for, door.wait_until(deadline::after(20s)));
    });
    ASSERT_EQ(child, 0) << "round " << round;
  }
  go_on = false;
}

TEST(GateFork, AChildOfAChild) {
  gate door;
  const guests two{door};
  EXPECT_EQ(in_child([&] {
              const auto mine = door.enter();
              return in_child([&] { return first_false(door.size() == 1); });
            }),
            0);
}
