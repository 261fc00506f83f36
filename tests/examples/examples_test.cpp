// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "examples/child.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using example_test::child;

bool exited(int status, int with) { return WIFEXITED(status) && WEXITSTATUS(status) == with; }
bool died_of(int status, int signal) { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }
bool says(const child& it, const std::string& text) { return it.output().find(text) != std::string::npos; }

/// That the texts stand in the output, in this order.
testing::AssertionResult in_order(const std::string& output, std::initializer_list<std::string> texts) {
  std::size_t at = 0;
  for (const auto& text : texts) {
    at = output.find(text, at);
    if (at == output.npos) return testing::AssertionFailure() << "no \"" << text << "\" there in\n" << output;
  }
  return testing::AssertionSuccess();
}

TEST(CtrlC, EndsByItselfAfterItsTime) {
  child it{"01_ctrl_c", {"--pace", "1ms", "--for", "3ms"}};
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_EQ(it.output(), "tick 1\ntick 2\ntick 3\ndone after 3 ticks\n");
}

TEST(CtrlC, SigtermEndsTheSleepAndIsACleanStopThatSaysSo) {
  child it{"01_ctrl_c", {"--pace=1m"}};
  it.read_until("tick 1");
  it.send(SIGTERM);
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_EQ(it.output(), "tick 1\nstopped by SIGTERM after 1 tick\n");
}

TEST(CtrlC, SigintIsSeenByTheParentAsThatSignal) {
  child it{"01_ctrl_c", {"--pace", "1m"}};
  it.read_until("tick 1");
  it.send(SIGINT);
  EXPECT_TRUE(died_of(it.wait(), SIGINT));
  EXPECT_TRUE(says(it, "stopped by SIGINT after 1 tick\n"));
}

TEST(Service, StartsInOrderAndStopsInReverse) {
  child it{"02_service", {"--pace", "1ms", "--for", "1ms"}};
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_TRUE(in_order(it.output(), {"store: starting", "store: started", "server: starting",
                                     "server: started", "running", "its time was over", "server: stopping",
                                     "server: stopped", "store: stopping", "store: stopped", "ended after"}));
}

TEST(Service, SigintDuringTheStartIsAnnouncedAtOnceAndTheWholeStartCompletes) {
  child it{"02_service", {"--pace", "500ms", "--stop-pace", "1ms", "--start", "whole"}};
  it.read_until("store: starting");
  it.send(SIGINT);
  EXPECT_TRUE(died_of(it.wait(), SIGINT));
  EXPECT_TRUE(
      in_order(it.output(), {"store: starting", "SIGINT from pid", "store: started", "server: started",
                             "stopped by SIGINT", "server: stopped", "store: stopped"}));
  EXPECT_FALSE(says(it, "running"));
}

TEST(Service, SigtermDuringTheStartStepwiseLeavesTheSecondOut) {
  child it{"02_service", {"--pace", "500ms", "--stop-pace", "1ms", "--start", "stepwise"}};
  it.read_until("store: starting");
  it.send(SIGTERM);
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_TRUE(
      in_order(it.output(), {"SIGTERM from pid", "store: started", "stopped by SIGTERM", "store: stopped"}));
  EXPECT_FALSE(says(it, "server: "));
}

TEST(Service, SigtermWhileItWaitsIsAFullStop) {
  child it{"02_service", {"--pace", "1ms"}};
  it.read_until("running");
  it.send(SIGTERM);
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_TRUE(
      in_order(it.output(), {"SIGTERM from pid", "server: stopped", "store: stopped", "ended after"}));
}

TEST(Service, ASecondRequestHurriesAndTheStopsAreStillCompleted) {
  // The stop would take ten minutes; that this test ends in less shows that it was hurried.
  child it{"02_service", {"--pace", "1ms", "--stop-pace", "10m"}};
  it.read_until("02_service: running");
  it.send(SIGTERM);
  it.read_until("server: stopping");
  it.send(SIGINT);
  EXPECT_TRUE(died_of(it.wait(), SIGINT));
  EXPECT_TRUE(
      in_order(it.output(), {"server: stopping", "hurry", "server: half stopped, in a hurry",
                             "server: stopped", "store: half stopped, in a hurry", "store: stopped"}));
}

TEST(DaemonWriters, ThreadsThatAreJoinedHaveWrittenAllBeforeMainSaysSo) {
  child it{"03_daemon_writers", {"--program", "join", "--threads", "3", "--records", "4"}};
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_EQ(std::ranges::count(it.output(), '\n'), 3 * 4 + 1);
  EXPECT_TRUE(it.output().ends_with("main thread exited\n"));
}

TEST(DaemonWriters, WriteToAFileAsWell) {
  const std::string path = testing::TempDir() + "lastcall_daemon_writers_" + std::to_string(::getpid());
  child it{"03_daemon_writers", {"--program", "join", "--threads", "2", "--records", "2", "--file", path}};
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_EQ(it.output(), "");
  std::ifstream in{path};
  const std::string all{std::istreambuf_iterator<char>{in}, {}};
  EXPECT_EQ(std::ranges::count(all, '\n'), 2 * 2 + 1);
  ::unlink(path.c_str());
}

TEST(DaemonWriters, EndNowAsksNobody) {
  child it{"03_daemon_writers", {"--program", "join", "--threads", "2", "--records", "2", "--end", "now"}};
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_EQ(it.output(), ""); // it was all in the buffer
}

/// Standard input for children of this test: a pipe that others write, or nobody.
class typed {
public:
  typed() {
    int ends[2];
    if (::pipe(ends) != 0 || ::dup2(ends[0], STDIN_FILENO) < 0) std::abort();
    ::close(ends[0]);
    ::fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    writes_ = ends[1];
  }
  ~typed() { ::close(writes_); }
  typed(const typed&) = delete;
  typed& operator=(const typed&) = delete;
  void type(std::string_view what) const {
    ASSERT_EQ(::write(writes_, what.data(), what.size()), static_cast<ssize_t>(what.size()));
  }

private:
  int writes_;
};

TEST(StdinDaemon, IsLedOutOfItsReadWhenMainEnds) {
  const typed nothing;
  child it{"04_stdin_daemon", {"--for", "1ms"}};
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_EQ(it.output(), "main ends\n");
}

TEST(StdinDaemon, IsLedOutOfItsReadByARequest) {
  const typed line;
  child it{"04_stdin_daemon", {"--for", "1m"}};
  line.type("one\ntw");
  it.read_until("read: one");
  it.send(SIGTERM);
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_FALSE(says(it, "main ends"));
}

TEST(Reinitialize, EachRoundIsOverBeforeTheNextBegins) {
  child it{"05_reinitialize", {"--pace", "20ms", "--rounds", "5", "--daemons", "4"}};
  EXPECT_TRUE(exited(it.wait(), 0));
  std::istringstream lines{it.output()};
  int round = 1;
  for (std::string line; std::getline(lines, line);) {
    const auto name = "round " + std::to_string(round) + ": ";
    if (line == name + "over")
      ++round;
    else if (round <= 5)
      EXPECT_TRUE(line.starts_with(name) && line.ends_with(" plays")) << line;
    else
      EXPECT_EQ(line, "done");
  }
  EXPECT_EQ(round, 6);
}

TEST(Reinitialize, ARoundThatIsInterruptedEndsInOrder) {
  for (const int signal : {SIGINT, SIGTERM}) {
    child it{"05_reinitialize", {"--pace", "1m"}};
    it.read_until(" plays");
    it.send(signal);
    const int status = it.wait();
    EXPECT_TRUE(signal == SIGINT ? died_of(status, SIGINT) : exited(status, 0));
    EXPECT_TRUE(in_order(it.output(), {"round 1: over\n", "stopped by SIG"}));
  }
}

TEST(Examples, BadArgumentsAreOneSentenceAndStatus2) {
  const std::vector<std::vector<std::string>> bad{
      {"--pace"},        {"--pace", "5"}, {"--pace=-1s"}, {"--for", "1h"}, {"--for", "99999999999999999999s"},
      {"--pace", "0ms"}, {"what"}};
  for (const auto* program :
       {"01_ctrl_c", "02_service", "03_daemon_writers", "04_stdin_daemon", "05_reinitialize"})
    for (const auto& arguments : bad) {
      child it{program, arguments};
      EXPECT_TRUE(exited(it.wait(), 2)) << program << ' ' << arguments[0];
      EXPECT_EQ(it.output().find('\n'), it.output().size() - 1) << it.output();
    }
  child it{"02_service", {"--start", "never"}};
  EXPECT_TRUE(exited(it.wait(), 2));
  for (const auto* number : {"-1", "1.5", "many", "", "99999999999999999999"}) {
    child rounds{"05_reinitialize", {"--rounds", number}};
    EXPECT_TRUE(exited(rounds.wait(), 2)) << number;
  }
}

TEST(Examples, HelpIsNoError) {
  child it{"02_service", {"--help"}};
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_TRUE(says(it, "--start POLICY"));
}

TEST(Examples, OutputThatCannotBeWrittenIs74) {
  for (const auto* program : {"01_ctrl_c", "02_service"}) {
    child it{program, {"--pace", "1ms", "--for", "2ms"}, "/dev/full"};
    EXPECT_TRUE(exited(it.wait(), 74));
    EXPECT_TRUE(says(it, "what was printed could not all be written"));
  }
  child it{"03_daemon_writers", {"--program", "join"}, "/dev/full"};
  EXPECT_TRUE(exited(it.wait(), 74));
  EXPECT_TRUE(says(it, "stream standard output: 0 bytes written, "));
  child rounds{"05_reinitialize", {"--pace", "1ms", "--rounds", "1"}, "/dev/full"};
  EXPECT_FALSE(exited(rounds.wait(), 0));
}

} // namespace
