// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// 08_scanner beside the published example: what that does well, and what it does badly. That a run's output
// comes to its end shows that no process of it is left: all of them hold its standard error.
#include "examples/scanner_run.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

namespace {

using example_test::child;
using example_test::died_of;
using example_test::exited;

class ScannerEnd : public example_test::scanner_run {
protected:
  ScannerEnd() { make_file("f", "x\nx\nx\nx\nx\nx\nx\nx\n"); }
};

constexpr auto busy = {"--pattern", "x", "--log", "-", "--block", "2", "--busy", "600s", "f"};

std::vector<std::string> and_then(std::vector<std::string> first, std::initializer_list<const char*> more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

/// Which blocks the two workers have is chance.
void read_until_all_are_busy(child& it) {
  it.read_until("scanner 0: processing number");
  it.read_until("scanner 1: processing number");
}

TEST_F(ScannerEnd, AStopWhileItIsBusyIsInReverseOrderAndTheLogEndsLast) {
  child it{"08_scanner", and_then(with({}), busy)};
  read_until_all_are_busy(it);
  it.send(SIGINT);
  EXPECT_TRUE(died_of(it.wait(), SIGINT)) << it.output();
  EXPECT_TRUE(
      in_order(it.output(), {"threads: started", "loop: started", "service: started", "job: started",
                             "SIGINT from pid", "job: stopped", "scanner", "stopped", "service: stopped",
                             "loop: stopped", "threads: stopped", "log: closing"}));
  EXPECT_EQ(count_of(it.output(), "scanner 0: stopped"), 1U);
  EXPECT_EQ(count_of(it.output(), "scanner 1: stopped"), 1U);
}

TEST_F(ScannerEnd, AStopFindsAThreadAlthoughAllOfThemWait) {
  child it{"08_scanner", and_then(with({"--threads", "1", "--tasks", "4"}), busy)};
  it.read_until("processing number");
  it.send(SIGTERM);
  EXPECT_TRUE(died_of(it.wait(), SIGTERM)) << it.output();
  EXPECT_TRUE(
      in_order(it.output(), {"job: stopped", "service: stopped", "threads: stopped", "log: closing"}));
}

// Published: a SIGTERM in the start's shield ends in a TypeError, and there is no stop at all.
TEST_F(ScannerEnd, ARequestDuringTheStartIsToldAtOnceAndTheStartIsFinishedFirst) {
  for (const int signal : {SIGINT, SIGTERM}) {
    child it{"08_scanner", and_then(with({"--pace", "300ms"}), busy)};
    it.read_until("scanner 0: starting");
    it.send(signal);
    EXPECT_TRUE(died_of(it.wait(), signal)) << it.output();
    EXPECT_TRUE(
        in_order(it.output(), {signal == SIGINT ? "SIGINT from pid" : "SIGTERM from pid",
                               "scanner 0: started", "service: started", "job: started", "job: stopped",
                               "service: stopped", "loop: stopped", "threads: stopped"}));
  }
}

// Published: only the last one is kept.
TEST_F(ScannerEnd, EveryRequestIsKept) {
  child it{"08_scanner", and_then(with({"--pace", "300ms", "--ladder", "patient"}), busy)};
  it.read_until("scanner 0: starting");
  it.send(SIGTERM);
  it.read_until("SIGTERM from pid");
  it.send(SIGINT);
  EXPECT_TRUE(died_of(it.wait(), SIGTERM)) << it.output(); // the first one
  EXPECT_TRUE(in_order(it.output(), {"SIGTERM from pid", "SIGINT from pid", "scanner 0: started",
                                     "job: started", "job: stopped", "service: stopped"}));
}

// Published: a second one breaks the stop, or is forgotten.
TEST_F(ScannerEnd, ARequestDuringAPatientStopLetsItFinish) {
  child it{"08_scanner", and_then(with({"--ladder", "patient", "--pattern", "x", "--log", "-", "--block", "2",
                                        "--busy", "300ms", "--blocks", "shielded", "f"}),
                                  {})};
  it.read_until("processing number");
  it.send(SIGINT);
  it.read_until("job: stopping");
  for (const int signal : {SIGTERM, SIGINT}) it.send(signal);
  EXPECT_TRUE(died_of(it.wait(), SIGINT)) << it.output();
  EXPECT_TRUE(in_order(it.output(), {"job: stopping", "job: stopped", "service: stopped", "loop: stopped",
                                     "threads: stopped", "log: closing"}));
  EXPECT_NE(it.output().find("f:1:x"), std::string::npos) << it.output(); // a shielded block is finished
}

TEST_F(ScannerEnd, APlainUpdateIsCutAndAShieldedOneIsFinished) {
  for (const bool shielded : {true, false}) {
    child it{"08_scanner", with({"--pattern", "x", "--log", "-", "--again", "600s", "--pace", "300ms",
                                 "--update-every", "1ms", "--update", shielded ? "shielded" : "plain", "f"})};
    it.read_until("update: begins");
    it.send(SIGINT);
    EXPECT_TRUE(died_of(it.wait(), SIGINT)) << it.output();
    EXPECT_TRUE(in_order(it.output(), {"job: stopping", shielded ? "update: is done" : "update: was cut",
                                       "job: stopped", "service: stopped"}));
  }
}

// Published: its workers and its log process go on for ever, and ignore both signals.
TEST_F(ScannerEnd, AManagerThatIsKilledLeavesNobody) {
  child it{"08_scanner", and_then(with({}), busy)};
  read_until_all_are_busy(it);
  it.send(SIGKILL);
  EXPECT_TRUE(died_of(it.wait(), SIGKILL)); // and its output has come to its end
}

TEST_F(ScannerEnd, AManagerThatIsKilledInItsStartLeavesNobody) {
  child it{"08_scanner", and_then(with({"--pace", "600s", "--start-within", "600s"}), busy)};
  it.read_until("scanner 1: starting");
  it.send(SIGKILL);
  EXPECT_TRUE(died_of(it.wait(), SIGKILL));
}

TEST_F(ScannerEnd, ABlockOfAWorkerThatIsKilledIsSearchedByAnother) {
  child it{"08_scanner", with({"--pattern", "x", "--log", "-", "--busy", "100ms", "f"})};
  const pid_t pid0 = pid_of_worker(it, 0), pid1 = pid_of_worker(it, 1);
  it.read_until("processing number 0");
  const bool first = it.output().find("scanner 0: processing") != std::string::npos;
  kill(first ? pid0 : pid1, SIGKILL);
  EXPECT_TRUE(exited(it.wait(), 0)) << it.output();
  EXPECT_EQ(count_of(it.output(), "f:"), 8U) << it.output();
  const std::string who =
      first ? "worker 0 (pid " + std::to_string(pid0) : "worker 1 (pid " + std::to_string(pid1);
  EXPECT_TRUE(in_order(it.output(), {who + ") killed by SIGKILL during a call"}));
}

TEST_F(ScannerEnd, WhereItIsToFailTheFileIsNamedAndTheOthersAreSearched) {
  make_file("g", "x\n");
  child it{"08_scanner", with({"--pattern", "x", "--log", "-", "--busy", "100ms", "--tasks", "1", "--crash",
                               "fail", "f", "g"})};
  const pid_t pid0 = pid_of_worker(it, 0), pid1 = pid_of_worker(it, 1);
  it.read_until("processing number 0 of f");
  kill(it.output().find("scanner 0: processing") != std::string::npos ? pid0 : pid1, SIGKILL);
  EXPECT_TRUE(exited(it.wait(), 2)) << it.output();
  EXPECT_TRUE(in_order(it.output(), {"f: block 0: worker", "killed by SIGKILL during a call"}));
  EXPECT_EQ(count_of(it.output(), "f:1:x"), 0U);
  EXPECT_EQ(count_of(it.output(), "g:1:x"), 1U);
}

TEST_F(ScannerEnd, ALogWhoseWriterIsKilledShowsInTheStatus) {
  child it{"08_scanner", with({"--pattern", "x", "--log", "log", "--busy", "200ms", "f"})};
  pid_t writer = 0;
  while (writer == 0) {
    std::ifstream log{"log"};
    const std::string text{std::istreambuf_iterator<char>{log}, {}}, words = "the writer has pid ";
    if (const auto at = text.find(words); at != text.npos && text.find('\n', at) != text.npos)
      writer = std::atoi(text.c_str() + at + words.size());
    else
      std::this_thread::yield();
  }
  kill(writer, SIGKILL);
  EXPECT_TRUE(exited(it.wait(), 74)) << it.output();
  EXPECT_EQ(count_of(it.output(), "f:"), 8U) << it.output(); // nothing else is harmed
  EXPECT_NE(it.output().find("the log's writer has ended before its time"), std::string::npos) << it.output();
}

} // namespace
