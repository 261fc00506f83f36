// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// 08_scanner as a program: what it prints, how it ends when nobody asks it to.
#include "examples/scanner_run.hpp"

#include <csignal>
#include <fstream>
#include <thread>

#include <sys/stat.h>

namespace {

using example_test::child;
using example_test::exited;

class ScannerSearch : public example_test::scanner_run {};

TEST_F(ScannerSearch, PrintsFileLineAndPatternInTheOrderOfTheFiles) {
  make_file("b", "one\ntwo\nthree\n");
  make_file("a", "three\n\none two");
  child it{"08_scanner", with({"--pattern", "o.e", "--pattern", "t[wh]", "b", "a"})};
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_EQ(it.output(), "b:1:o.e\nb:2:t[wh]\nb:3:t[wh]\na:1:t[wh]\na:3:o.e\na:3:t[wh]\n");
}

TEST_F(ScannerSearch, IsTheSameWhateverTheSizeOfABlock) {
  std::string text, expected;
  for (int i = 1; i <= 60; ++i) {
    text += std::string(static_cast<std::size_t>(i % 7), '-') + (i % 3 == 0 ? "x" : "") + "\n";
    if (i % 3 == 0) expected += "f:" + std::to_string(i) + ":x\n";
  }
  make_file("f", text);
  for (const char* size : {"1", "2", "3", "7", "64", "1000"}) {
    child it{"08_scanner", with({"--pattern", "x", "--block", size, "f"})};
    EXPECT_TRUE(exited(it.wait(), 0));
    EXPECT_EQ(it.output(), expected) << size;
  }
}

TEST_F(ScannerSearch, InTheOrderInWhichFilesAreDoneNoMatchIsMissing) {
  std::vector<std::string> arguments = with({"--pattern", "x", "--order", "come", "--block", "4"});
  for (int i = 0; i < 8; ++i) {
    const std::string name = "f" + std::to_string(i);
    make_file(name, "x\nab\nx\nabcdefgh\nx");
    arguments.push_back(name);
  }
  child it{"08_scanner", arguments};
  EXPECT_TRUE(exited(it.wait(), 0));
  for (int i = 0; i < 8; ++i) {
    const std::string name = "f" + std::to_string(i);
    EXPECT_TRUE(in_order(it.output(), {name + ":1:x\n", name + ":3:x\n", name + ":5:x\n"}));
  }
  EXPECT_EQ(count_of(it.output(), "\n"), 24U) << it.output();
}

TEST_F(ScannerSearch, APipeIsSentToTheWorkersAsStrings) {
  ASSERT_EQ(mkfifo("pipe", 0600), 0);
  child it{"08_scanner", with({"--pattern", "7$", "--block", "16", "pipe"})};
  std::string expected;
  {
    std::ofstream out{"pipe"};
    for (int i = 1; i <= 100; ++i) {
      out << i << '\n';
      if (i % 10 == 7) expected += "pipe:" + std::to_string(i) + ":7$\n";
    }
  }
  EXPECT_TRUE(exited(it.wait(), 0));
  EXPECT_EQ(it.output(), expected);
}

TEST_F(ScannerSearch, NothingThatMatchesIs1) {
  make_file("f", "abc\n");
  make_file("empty", "");
  child it{"08_scanner", with({"--pattern", "x", "f", "empty"})};
  EXPECT_TRUE(exited(it.wait(), 1));
  EXPECT_EQ(it.output(), "");
}

TEST_F(ScannerSearch, AFileThatCannotBeReadIs2AndTheOthersAreSearched) {
  make_file("f", "x\n");
  child it{"08_scanner", with({"--pattern", "x", "missing", ".", "f"})};
  EXPECT_TRUE(exited(it.wait(), 2));
  EXPECT_NE(it.output().find("f:1:x\n"), std::string::npos) << it.output();
  EXPECT_NE(it.output().find("missing: No such file or directory\n"), std::string::npos) << it.output();
  EXPECT_NE(it.output().find(".: Is a directory\n"), std::string::npos) << it.output();
}

TEST_F(ScannerSearch, WhatCannotBeIsOneSentenceAnd2) {
  make_file("f", "x\n");
  make_file("none", "\n");
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"--pattern", "x"}, "no FILE is given"},
      {{"f"}, "nothing to search for"},
      {{"--pattern", "(", "f"}, "the pattern '(': missing ): ("},
      {{"--patterns", "none", "f"}, "none: there is no pattern in it"},
      {{"--patterns", "missing", "f"}, "missing: No such file"},
      {{"--pattern", "x", "--order", "size", "f"}, "'size' is none of: given, come"},
      {{"--pattern", "x", "--fault", "nobody:hangs", "f"}, "'nobody' is no part of this program"},
      {{"--pattern", "x", "--block", "0", "f"}, "a block has at least one byte"}};
  for (const auto& [arguments, text] : cases) {
    child it{"08_scanner", arguments};
    EXPECT_TRUE(exited(it.wait(), 2)) << text;
    EXPECT_NE(it.output().find(text), std::string::npos) << it.output();
    EXPECT_EQ(count_of(it.output(), "\n"), 1U) << it.output();
  }
}

TEST_F(ScannerSearch, AHangUpReadsThePatternsAgain) {
  make_file("f", "alpha\nbeta\n");
  make_file("patterns", "alpha\n");
  child it{"08_scanner", with({"--patterns", "patterns", "--again", "1ms", "f"})};
  it.read_until("f:1:alpha");
  make_file("patterns", "beta\n");
  it.send(SIGHUP);
  it.read_until("f:2:beta");
  it.send(SIGTERM);
  EXPECT_TRUE(example_test::died_of(it.wait(), SIGTERM)) << it.output();
}

TEST_F(ScannerSearch, PatternsThatCannotBeLeaveTheOldOnesInUse) {
  make_file("f", "alpha\nbeta\n");
  make_file("patterns", "alpha\n");
  child it{"08_scanner", with({"--patterns", "patterns", "--log", "-", "--again", "1ms", "f"})};
  it.read_until("f:1:alpha");
  make_file("patterns", "(\n");
  it.send(SIGHUP);
  it.read_until("update: the pattern '(': missing ): (");
  it.read_until("a pass is done");
  make_file("patterns", "beta\n");
  it.send(SIGHUP);
  it.read_until("f:2:beta");
  it.send(SIGTERM);
  EXPECT_TRUE(example_test::died_of(it.wait(), SIGTERM)) << it.output();
}

} // namespace
