// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "tools/lastcall/command.hpp"

#include <gtest/gtest.h>

#include <pty.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

// A checker of graceful endings must end gracefully itself: a partial report that says so, death by the
// signal that asked, no process, no directory left.

namespace {

using namespace checker::e2e;
using namespace std::chrono_literals;

/// A check in the middle of its work, with a terminal for its progress.
class InterruptedCheck : public testing::TestWithParam<const char*> {
protected:
  void SetUp() override {
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0),
              0); // what the check leaves behind becomes our child
    start();
  }
  void TearDown() override {
    if (child > 0) ::kill(child, SIGKILL);
    ::close(terminal);
  }

  void start() {
    // Thousands of points, each of them quick: there is always a middle.
    const words command{
        command_path(), "check",
        "--json",       report / "report.json",
        "--isolation",  GetParam(),
        "--jobs",       "2",
        "--",           "sh",
        "-c",           "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do /bin/true; done"};
    child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
    ASSERT_GE(child, 0);
    if (child != 0) return;
    ::alarm(170);
    ::setenv("TMPDIR", temporary.path().c_str(), 1);
    std::vector<char*> argv;
    for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(126);
  }

  /// Reads the terminal until the progress line counts a run; false at its end.
  bool until_some_run_is_done() {
    while (!counts_a_run())
      if (!read_more()) return false;
    return true;
  }

  /// True where "N/M runs" was shown with N above zero.
  bool counts_a_run() const {
    for (auto slash = shown.find('/'); slash != shown.npos; slash = shown.find('/', slash + 1)) {
      const auto digits = shown.find_last_not_of("0123456789", slash - 1) + 1;
      const auto after = shown.find_first_not_of("0123456789", slash + 1);
      if (digits < slash && shown[digits] != '0' && after != shown.npos &&
          shown.compare(after, 5, " runs") == 0)
        return true;
    }
    return false;
  }

  bool read_more() {
    char bytes[512];
    const ssize_t got = ::read(terminal, bytes, sizeof bytes);
    if (got > 0) shown.append(bytes, static_cast<std::size_t>(got));
    return got > 0;
  }

  int ended() {
    while (read_more()) {
    } // up to the end of the terminal's text
    int status = 0;
    ::waitpid(child, &status, 0);
    child = -1;
    return status;
  }

  /// True where nothing that the check started is alive: what dies with a pid namespace takes a moment.
  bool nothing_left() const {
    for (const auto limit = std::chrono::steady_clock::now() + 60s;
         std::chrono::steady_clock::now() < limit;) {
      if (::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) return temporary.empty();
      std::this_thread::sleep_for(2ms);
    }
    return false;
  }

  scratch temporary;
  scratch report;
  pid_t child = -1;
  int terminal = -1;
  std::string shown;
};

TEST_P(InterruptedCheck, ReportsWhatItHasAndLeavesNothing) {
  ASSERT_TRUE(until_some_run_is_done()) << shown;
  ::kill(child, SIGINT);
  const int status = ended();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << status << '\n' << shown;
  EXPECT_NE(shown.find("this report is partial"), std::string::npos) << shown;
  const auto json = nlohmann::json::parse(report.read("report.json"));
  EXPECT_TRUE(json.at("partial").get<bool>());
  EXPECT_LT(json.at("runs"), json.at("planned"));
  EXPECT_TRUE(nothing_left());
}

TEST_P(InterruptedCheck, LeavesNothingWhenKilled) {
  ASSERT_TRUE(until_some_run_is_done()) << shown;
  ::kill(child, SIGKILL);
  EXPECT_TRUE(WIFSIGNALED(ended()));
  for (const auto limit = std::chrono::steady_clock::now() + 60s; std::chrono::steady_clock::now() < limit;) {
    if (::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) return;
    std::this_thread::sleep_for(2ms);
  }
  FAIL() << "a process of the check is still alive";
}

INSTANTIATE_TEST_SUITE_P(Isolation, InterruptedCheck, testing::Values("auto", "subreaper"),
                         [](const auto& each) { return std::string(each.param); });

} // namespace
