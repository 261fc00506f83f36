// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// 03_daemon_writers again and again, with a hundred threads, and every byte of its output held against what
// its threads were told is accepted. `LASTCALL_ROUNDS=10000 build/release/bin/examples_test
// --gtest_filter='SpamStorm.*'` runs each of its programs that often.
#include "examples/child.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using example_test::child;

constexpr long threads = 100;
constexpr long many = 500; // records: the end comes in the middle of those of the last threads

long rounds() {
  const char* asked = std::getenv("LASTCALL_ROUNDS");
  const bool emulated = std::string_view{LASTCALL_TEST_EMULATOR} != "";
  return asked != nullptr && !emulated ? std::atol(asked) : 10;
}

/// A file's name that is this test's alone.
class own_file {
public:
  own_file() : path_{testing::TempDir() + "lastcall_storm_XXXXXX"} { ::close(::mkstemp(path_.data())); }
  ~own_file() { ::unlink(path_.c_str()); }
  own_file(const own_file&) = delete;
  own_file& operator=(const own_file&) = delete;
  const std::string& path() const { return path_; }

  std::vector<std::uint32_t> counts() const {
    std::vector<std::uint32_t> all(threads);
    std::ifstream in{path_, std::ios::binary};
    in.read(reinterpret_cast<char*>(all.data()), static_cast<std::streamsize>(all.size() * sizeof all[0]));
    if (!in) all.clear();
    return all;
  }

private:
  std::string path_;
};

/// What the output says, line by line: for each thread the records 0, 1, 2 … in this order, whole, each once.
class reading {
public:
  reading(std::string_view output, std::string_view spam, std::vector<std::string_view> of_main)
      : spam_{spam}, of_main_{std::move(of_main)} {
    while (wrong_.empty() && !output.empty()) {
      const auto end = output.find('\n');
      if (end == output.npos)
        wrong_ = "torn at the end: " + std::string{output};
      else
        take(output.substr(0, end));
      output.remove_prefix(std::min(output.size(), end + 1));
    }
    if (wrong_.empty() && next_of_main_ != of_main_.size()) wrong_ = "main's words are missing";
  }

  /// Empty when all is right. One record more than was counted may be there: its thread was stopped between
  /// the end of `write` and the count.
  std::string wrong(const std::vector<std::uint32_t>& accepted) const {
    if (!wrong_.empty()) return wrong_;
    if (accepted.size() != seen_.size()) return "no tally";
    for (std::size_t i = 0; i < seen_.size(); ++i)
      if (seen_[i] != accepted[i] && seen_[i] != accepted[i] + 1)
        return "of thread " + std::to_string(i) + " " + std::to_string(accepted[i]) +
               " records were accepted, and " + std::to_string(seen_[i]) + " are there";
    return {};
  }
  std::size_t lines() const { return lines_; }

private:
  void take(std::string_view line) {
    ++lines_;
    if (next_of_main_ < of_main_.size() && line == of_main_[next_of_main_]) {
      ++next_of_main_;
      return;
    }
    std::size_t thread = seen_.size();
    if (line.starts_with(spam_) && line.size() > spam_.size())
      std::from_chars(line.data() + spam_.size() + 1, line.data() + line.size(), thread);
    if (thread < seen_.size() &&
        line.substr(spam_.size()) == ' ' + std::to_string(thread) + ' ' + std::to_string(seen_[thread])) {
      ++seen_[thread];
      return;
    }
    wrong_ = "line " + std::to_string(lines_) + " is nobody's next record: " + std::string{line};
  }

  std::string_view spam_;
  std::vector<std::string_view> of_main_;
  std::size_t next_of_main_ = 0, lines_ = 0;
  std::vector<std::uint32_t> seen_ = std::vector<std::uint32_t>(threads);
  std::string wrong_;
};

void storm(const std::string& program, long records, std::string_view spam,
           const std::vector<std::string_view>& of_main) {
  const own_file tally;
  std::size_t lines = 0;
  for (long round = 0; round < rounds(); ++round) {
    child it{"03_daemon_writers",
             {"--program", program, "--threads", std::to_string(threads), "--records",
              std::to_string(records), "--tally", tally.path()}};
    const int status = it.wait();
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << "round " << round << " ended with " << status << "\n"
        << it.output().substr(0, 2000);
    const reading of_it{it.output(), spam, of_main};
    ASSERT_EQ(of_it.wrong(tally.counts()), "") << "in round " << round;
    lines += of_it.lines();
  }
  testing::Test::RecordProperty("lines", std::to_string(lines));
}

TEST(SpamStorm, EachLineThatWasAcceptedIsPrintedOnce) {
  storm("print", many, "SPAM SPAM SPAM!", {"main thread exited"});
}

TEST(SpamStorm, EachRecordThatWasAcceptedIsWrittenOnce) {
  storm("write", many, "SPAM", {"main thread", "None"});
}

TEST(SpamStorm, ThreadsThatAreJoinedWriteAll) {
  storm("join", 50, "SPAM SPAM SPAM!", {"main thread exited"});
}

} // namespace
