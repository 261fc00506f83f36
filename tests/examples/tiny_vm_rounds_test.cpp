// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The scripts with daemons again and again: each run ends, with status 0, every line whole and nothing on
// standard error; and runtimes again and again in one process. `LASTCALL_ROUNDS=1000
// build/release/bin/tiny_vm_test
// --gtest_filter='TinyVmRounds.*'` does it that often.
#include "examples/child.hpp"
#include "examples/tiny_vm_run.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <sys/wait.h>

namespace {

using example_test::child;
using tiny_test::path_of;

long rounds(long otherwise) {
  const char* asked = std::getenv("LASTCALL_ROUNDS");
  const bool emulated = std::string_view{LASTCALL_TEST_EMULATOR} != "";
  return asked != nullptr && !emulated ? std::atol(asked) : otherwise;
}

/// How the lines of daemons read: "SPAM 3 7", "daemon 1 line 7".
struct form {
  std::string before, between;
};

/// The daemon's number and the line's; -1: it is no such line.
std::pair<long, long> numbers_of(const std::string& line, const form& of) {
  const std::pair<long, long> none{-1, -1};
  if (!line.starts_with(of.before)) return none;
  const char* const end = line.data() + line.size();
  long daemon = -1, number = -1;
  const auto first = std::from_chars(line.data() + of.before.size(), end, daemon);
  const std::string_view rest{first.ptr, static_cast<std::size_t>(end - first.ptr)};
  if (first.ec != std::errc{} || !rest.starts_with(of.between)) return none;
  const auto second = std::from_chars(first.ptr + of.between.size(), end, number);
  return second.ec == std::errc{} && second.ptr == end ? std::pair{daemon, number} : none;
}

/// Each line is one of the script's, and those of each thread come in their order and without a gap. Standard
/// error is in there, too: whatever it says is no line of the script's.
void expect_whole(const std::string& output, const form& of_daemons, const std::string& others) {
  std::istringstream in{output};
  std::map<long, long> next;
  for (std::string line; std::getline(in, line);) {
    ASSERT_FALSE(in.eof()) << "torn at the end: " << line;
    const auto [daemon, number] = numbers_of(line, of_daemons);
    if (daemon >= 0)
      ASSERT_EQ(number, next[daemon]++) << line;
    else
      ASSERT_NE(others.find('|' + line + '|'), std::string::npos) << line;
  }
}

void storm(const std::string& script, const form& of_daemons, const std::string& others) {
  for (long round = 0; round < rounds(15); ++round) {
    child it{"12_tiny_vm", {path_of(script)}};
    const int status = it.wait();
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << "round " << round << " ended with " << status << '\n'
        << it.output().substr(0, 2000);
    expect_whole(it.output(), of_daemons, others);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(TinyVmRounds, DaemonsThatPrint) {
  storm("spam_print", {"SPAM SPAM SPAM! ", " "}, "|main thread exited|");
}

TEST(TinyVmRounds, DaemonsWhoseScriptEndsAtOnce) { storm("spam_write", {"SPAM ", " "}, "|main thread|nil|"); }

TEST(TinyVmRounds, DaemonsThatPrintDuringTheEnd) {
  storm("late_daemons", {"daemon ", " line "},
        "|daemon 3 is awake|main thread exited|goodbye from a|goodbye from b|");
}

TEST(TinyVmRounds, RuntimesInOneProcess) {
  const long many = rounds(50);
  child it{"12_tiny_vm", {path_of("again"), "--rounds", std::to_string(many)}};
  const int status = it.wait();
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << it.output().substr(0, 2000);
  std::string expected;
  for (long i = 0; i < many; ++i) expected += "counted 20\nbye\n";
  EXPECT_EQ(it.output(), expected);
}

} // namespace
