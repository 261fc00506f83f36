// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A process that was stopped for longer than its wait may last, for real: SIGSTOP, a while, SIGCONT. Those it
// waits for were stopped with it, and get one bounded slice more.
#include <lastcall/interrupt/io.hpp>
#include <lastcall/scope/gate.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using lastcall::deadline;

namespace {

bool asleep(pid_t process) {
  std::ifstream file{"/proc/" + std::to_string(process) + "/stat"};
  std::string line;
  std::getline(file, line);
  const auto name_ends = line.rfind(')');
  return name_ends != std::string::npos && line.substr(name_ends + 2, 1) == "S";
}

// Runs `fn` in a child; when the child has written its ready byte and its main thread sleeps, stops it, lets
// its deadline pass by far, and lets it go on. Returns its exit status.
template <class Fn>
int suspended_past(lastcall::duration span, Fn fn) {
  int ready[2];
  if (::pipe(ready) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(30);
    ::_exit(fn(ready[1]));
  }
  char byte = 0;
  int status = 0;
  if (::read(ready[0], &byte, 1) != 1) return -1;
  while (!asleep(child)) std::this_thread::yield();
  if (::kill(child, SIGSTOP) != 0) return -1;
  if (::waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status)) return -1;
  // What has to pass is real time: the clock of a stopped process goes on.
  std::this_thread::sleep_for(span + deadline::far_past + 100ms);
  ::kill(child, SIGCONT);
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace

// Under ThreadSanitizer a wait is cut into slices, and a stop between two of them is none of the wait's.
class Suspended : public testing::Test {
protected:
  void SetUp() override {
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "waits are cut into slices here";
#endif
  }
};

TEST_F(Suspended, AWaitForAGateThatOversleptGetsASliceAndSeesItEmpty) {
  const int child = suspended_past(800ms, [](int ready) {
    lastcall::gate door;
    auto inside = door.enter();
    door.close();
    const auto until = deadline::after(800ms);
    // Asked for before the thread runs: on a busy processor that may be after the process goes on.
    const auto leave_at = until.when() + deadline::far_past;
    std::thread leaves{[&] {
      // It needs some time of its own after the process goes on.
      while (lastcall::clock::now() < leave_at) std::this_thread::sleep_for(1ms);
      std::this_thread::sleep_for(20ms);
      inside.leave();
    }};
    [[maybe_unused]] const auto written = ::write(ready, "x", 1);
    const bool emptied = door.wait_until(until);
    leaves.join();
    return emptied ? 0 : 1;
  });
  EXPECT_EQ(child, 0);
}

TEST_F(Suspended, TheSliceIsBounded) {
  const int child = suspended_past(300ms, [](int ready) {
    lastcall::gate door;
    const auto inside = door.enter();
    door.close();
    const auto until = deadline::after(300ms);
    [[maybe_unused]] const auto written = ::write(ready, "x", 1);
    const bool emptied = door.wait_until(until);
    const auto over = lastcall::clock::now() - until.when();
    return emptied ? 1 : over < deadline::far_past + 300ms ? 2 : 0;
  });
  EXPECT_EQ(child, 0) << "1: emptied, though nobody left; 2: no slice";
}

TEST_F(Suspended, ASleepThatOversleptGoesOnForItsSlice) {
  const int child = suspended_past(300ms, [](int ready) {
    const auto until = deadline::after(300ms);
    [[maybe_unused]] const auto written = ::write(ready, "x", 1);
    lastcall::io::sleep_until(until);
    return lastcall::clock::now() - until.when() < deadline::far_past + 300ms ? 1 : 0;
  });
  EXPECT_EQ(child, 0);
}
