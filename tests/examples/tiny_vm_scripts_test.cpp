// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The scripts of 12_tiny_vm as programs, with real signals.
#include "examples/child.hpp"
#include "examples/tiny_vm_run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

using example_test::child;
using tiny_test::path_of;

bool exited(int status, int with) { return WIFEXITED(status) && WEXITSTATUS(status) == with; }
bool died_of(int status, int signal) { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }

const std::vector<std::string> layouts{"--layout=default", "--layout=2017"};

TEST(TinyVm, CtrlCEndsAnEndlessLoopByTheSignal) {
  for (const auto& layout : layouts) {
    child it{"12_tiny_vm", {path_of("spin"), layout}};
    it.read_until("spinning");
    it.send(SIGINT);
    EXPECT_TRUE(died_of(it.wait(), SIGINT));
    EXPECT_EQ(it.output(), "spinning\nstopped by SIGINT\n");
  }
}

TEST(TinyVm, CtrlCEndsASleepAndItsFinallyRuns) {
  for (const auto& layout : layouts) {
    child it{"12_tiny_vm", {path_of("sleeper"), layout}};
    it.read_until("sleeping");
    it.send(SIGINT);
    EXPECT_TRUE(died_of(it.wait(), SIGINT));
    EXPECT_EQ(it.output(), "sleeping\nwoken up\nstopped by SIGINT\n");
  }
}

TEST(TinyVm, CtrlCEndsAWaitForInput) {
  tiny_test::input_that_never_comes();
  for (const auto& layout : layouts) {
    child it{"12_tiny_vm", {path_of("blocked"), layout}};
    it.read_until("waiting");
    it.send(SIGINT);
    EXPECT_TRUE(died_of(it.wait(), SIGINT));
    EXPECT_EQ(it.output(), "waiting\nstopped by SIGINT\n");
  }
}

TEST(TinyVm, SigtermIsACleanStop) {
  child it{"12_tiny_vm", {path_of("spin")}};
  it.read_until("spinning");
  it.send(SIGTERM);
  EXPECT_TRUE(exited(it.wait(), 0));
}

/// A script of this test's own.
class own_script {
public:
  explicit own_script(const std::string& source) { std::ofstream{path_} << source; }
  ~own_script() { ::unlink(path_.c_str()); }
  own_script(const own_script&) = delete;
  own_script& operator=(const own_script&) = delete;
  const std::string& path() const { return path_; }

private:
  std::string path_ = testing::TempDir() + "tiny_vm_own_" + std::to_string(::getpid());
};

TEST(TinyVm, TheThirdCtrlCEndsAFinallyThatHasNoEnd) {
  const own_script script{"try\n  print \"in\"\n  sleep 100000\nfinally\n  print \"stubborn\"\n  sleep 0\n"
                          "  while 1\n  end\nend\n"};
  child it{"12_tiny_vm", {script.path()}};
  it.read_until("in");
  it.send(SIGINT);
  it.read_until("stubborn");
  for (int i = 0; i < 2; ++i) {
    std::this_thread::sleep_for(250ms); // equal ones within 200 ms are one step of the ladder
    it.send(SIGINT);
  }
  EXPECT_TRUE(died_of(it.wait(), SIGINT));
}

TEST(TinyVm, InterruptAtAnOpcodeEndsByTheSignalWithoutAKernel) {
  child it{"12_tiny_vm", {path_of("lock_with"), "--interrupt-at", "7"}};
  EXPECT_TRUE(died_of(it.wait(), SIGINT));
  EXPECT_EQ(it.output(), "inside\nstopped by SIGINT\n");
}

TEST(TinyVm, InterruptEverywhereIsOneLine) {
  child it{"12_tiny_vm", {path_of("lock_with"), "--interrupt-everywhere"}};
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_EQ(it.output(), "points 13 leaked 0 unfinalized 0 lost 0\n");
  child then{"12_tiny_vm", {path_of("lock_with"), "--interrupt-everywhere", "--layout=2017", "--windows"}};
  EXPECT_TRUE(exited(then.wait(), 0));
  EXPECT_EQ(then.output(), "point 8, between POP_BLOCK and CONST of line 3: leaked 1\n"
                           "point 9, between CONST and EXIT_WITH of line 3: leaked 1\n"
                           "points 14 leaked 2 unfinalized 0 lost 0\n");
}

TEST(TinyVm, ACtrlCOfTheUsersEndsASweep) {
  tiny_test::input_that_has_ended();
  child it{"12_tiny_vm", {path_of("spin"), "--interrupt-everywhere", "--most", "1000000000"}};
  // From the first scope on it is heard; before that it is the default action. Both are this end.
  it.send(SIGINT);
  EXPECT_TRUE(died_of(it.wait(), SIGINT));
}

TEST(TinyVm, ASweepThatWasCutShortSaysSo) {
  // It said nothing, and that it had succeeded.
  tiny_test::input_that_has_ended();
  child it{"12_tiny_vm", {path_of("spin"), "--interrupt-everywhere", "--most", "1000000000"}};
  it.send(SIGTERM);
  const int status = it.wait();
  if (died_of(status, SIGTERM)) return; // before the first scope
  EXPECT_TRUE(exited(status, 0));
  EXPECT_EQ(it.output(), "stopped by SIGTERM\n");
}

TEST(TinyVm, FinalizersRunEarlyOrAtTheEndTheNewestFirst) {
  child it{"12_tiny_vm", {path_of("finalizers")}};
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_EQ(it.output(), "here is local\nbye local\nnot yet revived\nrevived lives\nmain thread exited\n"
                         "bye global\nbye right\nbye left\n");
}

TEST(TinyVm, WhatAFinalizerRaisesGoesNoFurther) {
  child it{"12_tiny_vm", {path_of("finalizers_raise")}};
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_NE(it.output().find("ignored in a finalizer: 4:3: fell over\n"), std::string::npos) << it.output();
  EXPECT_NE(it.output().find("falling late\n"), std::string::npos) << it.output();
}

TEST(TinyVm, AFinalizerAtTheEndMayNotStartAThread) {
  child it{"12_tiny_vm", {path_of("finalizers_spawn")}};
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_NE(it.output().find("worked for early\n"), std::string::npos) << it.output();
  EXPECT_NE(it.output().find("the runtime is ending, nothing new can begin\n"), std::string::npos)
      << it.output();
}

TEST(TinyVm, ReadsItsInputToTheEnd) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, 0), 0);
  ASSERT_EQ(::write(ends[1], "one\ntwo", 7), 7);
  ::close(ends[1]);
  ASSERT_GE(::dup2(ends[0], STDIN_FILENO), 0);
  child it{"12_tiny_vm", {path_of("blocked")}};
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_EQ(it.output(), "waiting\nread: one\nread: two\nthe end of the input\n");
}

TEST(TinyVm, ThreadsThatAreJoinedHavePrintedAll) {
  child it{"12_tiny_vm", {path_of("spam_join")}};
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_EQ(std::ranges::count(it.output(), '\n'), 101);
  EXPECT_TRUE(it.output().ends_with("main thread exited\n"));
}

TEST(TinyVm, CtrlCWhileThreadsAreJoinedIsHeardAndTheyAreAsked) {
  const own_script script{
      "fn work()\n  try\n    while 1\n      n = 1\n    end\n  finally\n    print \"thread ends\"\n  "
      "end\nend\n"
      "spawn work()\nprint \"main ends\"\nsleep 0\n"};
  child it{"12_tiny_vm", {script.path()}};
  it.read_until("main ends");
  it.send(SIGINT);
  EXPECT_TRUE(died_of(it.wait(), SIGINT));
  EXPECT_EQ(it.output(), "main ends\nstopped by SIGINT\nthread ends\n");
}

// The shield of a `finally` that nobody handled was still up, and the wait for the threads deaf.
TEST(TinyVm, CtrlCWhileThreadsAreJoinedIsHeardAlsoAfterAFailure) {
  const own_script script{"fn work()\n  while 1\n    n = 1\n  end\nend\nspawn work()\n"
                          "try\n  print \"fails\"\n  sleep 0\nfinally\n  raise \"no\"\nend\n"};
  child it{"12_tiny_vm", {script.path()}};
  it.read_until(":11:3: no");
  it.send(SIGINT);
  EXPECT_TRUE(died_of(it.wait(), SIGINT));
}

// A clean stop by SIGTERM has status 0: the next round must not begin all the same.
TEST(TinyVm, SigtermEndsAllRounds) {
  child it{"12_tiny_vm", {path_of("spin"), "--rounds", "1000000"}};
  it.read_until("spinning");
  it.send(SIGTERM);
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_EQ(it.output(), "spinning\nstopped by SIGTERM\n");
}

} // namespace
