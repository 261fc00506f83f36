// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Scripts that are none, and what goes wrong while one runs: a sentence with line and column.
#include "compiler.hpp"
#include "examples/child.hpp"
#include "examples/tiny_vm_run.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using tiny_test::run;

std::string refusal(std::string_view source) {
  std::string said;
  for (const auto how : {tiny::layout::whole, tiny::layout::y2017}) {
    try {
      tiny::compile(source, how);
      return "compiled";
    } catch (const tiny::problem& error) {
      EXPECT_TRUE(said.empty() || said == error.what()) << error.what();
      said = error.what();
    }
  }
  return said;
}

std::string many(std::string_view what, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += what;
  return all;
}

TEST(TinyVmRefuses, WordsThatAreNoStatement) {
  EXPECT_EQ(refusal("x = 1\n  prnt x\n"), "2:3: there is no statement 'prnt'");
  EXPECT_EQ(refusal("5\n"), "1:1: expected a statement, there is '5'");
  EXPECT_EQ(refusal("input()\n"), "1:1: a value that nobody uses");
  EXPECT_EQ(refusal("o.x\n"), "1:1: a value that nobody uses");
}

TEST(TinyVmRefuses, WhatHasNoEndOrNoBeginning) {
  EXPECT_EQ(refusal("while 1\n  x = 1\n"), "3:1: no 'end' for what was begun before line 2");
  EXPECT_EQ(refusal("fn f()\n"), "2:1: no 'end' for what was begun before line 2");
  EXPECT_EQ(refusal("try\n  x = 1\nend\n"), "3:1: 'end' without a beginning");
  EXPECT_EQ(refusal("end\n"), "1:1: 'end' without a beginning");
  EXPECT_EQ(refusal("if 1\nelse\nelse\nend\n"), "3:1: 'else' without a beginning");
  EXPECT_EQ(refusal("\nfinally\n"), "2:1: 'finally' without a beginning");
}

TEST(TinyVmRefuses, OperatorsWithNothingToWorkOn) {
  EXPECT_EQ(refusal("x = 1 +\n"), "1:8: expected a value, there is the end of the line");
  EXPECT_EQ(refusal("x = * 2\n"), "1:5: expected a value, there is '*'");
  EXPECT_EQ(refusal("print\n"), "1:6: expected a value, there is the end of the line");
  EXPECT_EQ(refusal("x = (1\n"), "1:7: expected ')', there is the end of the line");
  EXPECT_EQ(refusal("f(1,,2)\n"), "1:5: expected a value, there is ','");
  EXPECT_EQ(refusal("x = 1 2\n"), "1:7: expected the end of the line, there is '2'");
  EXPECT_EQ(refusal("x = spawn 5()\n"), "1:11: expected a name, there is '5'");
  EXPECT_EQ(refusal("x = o.5\n"), "1:7: expected a name, there is '5'");
}

TEST(TinyVmRefuses, WhatCannotMeanAnything) {
  EXPECT_EQ(refusal("return 1\n"), "1:1: 'return' outside of a function");
  EXPECT_EQ(refusal("fn f()\n  try\n  finally\n    return 1\n  end\nend\n"),
            "4:5: a 'finally' cannot return: it would swallow what it was entered for");
  EXPECT_EQ(refusal("if 1\n  fn f()\n  end\nend\n"), "2:3: a function inside of something else");
  EXPECT_EQ(refusal("fn f(a, a)\nend\n"), "1:9: 'a' is there twice");
  EXPECT_EQ(refusal("fn end()\nend\n"), "1:4: expected a name, there is 'end'");
  EXPECT_EQ(refusal("try 5\nfinally\nend\n"), "1:5: 'try' takes a call, or nothing");
  EXPECT_EQ(refusal("try o.x\nfinally\nend\n"), "1:5: 'try' takes a call, or nothing");
}

TEST(TinyVmRefuses, BytesThatAreNoText) {
  EXPECT_EQ(refusal(std::string_view{"x = \0", 5}), "1:5: a byte that is no text: 0x00");
  EXPECT_EQ(refusal("\x7f"
                    "ELF\x02\x01"),
            "1:1: a byte that is no text: 0x7f");
  EXPECT_EQ(refusal("x = \xff\n"), "1:5: a byte that is no text: 0xff");
  EXPECT_EQ(refusal("x = $\n"), "1:5: nothing begins with '$'");
  EXPECT_EQ(refusal("x = \"abc\n"), "1:5: a text that is not closed");
  EXPECT_EQ(refusal("x = \"a\x01"
                    "b\"\n"),
            "1:7: a control character in a text");
}

TEST(TinyVmRefuses, NumbersThatAreNone) {
  EXPECT_EQ(refusal("x = 9223372036854775808\n"), "1:5: a number that is too large");
  EXPECT_EQ(refusal("x = 12ab\n"), "1:5: a number with letters in it");
}

TEST(TinyVmRefuses, LinesOfAMegabyte) {
  for (const auto* word : {"x", " ", "(", "1+", "\"", "# ", "\xff"})
    EXPECT_EQ(refusal("y = 1\n" + many(word, (1 << 20) / std::string_view{word}.size())),
              "2:4097: a line of 1048576 bytes; 4096 is the most");
}

TEST(TinyVmRefuses, WhatIsTooDeep) {
  EXPECT_EQ(refusal("x = " + many("(", 200)), "1:104: more than 100 levels");
  EXPECT_EQ(refusal("x = " + many("f(", 200)), "1:203: more than 100 levels");
  EXPECT_EQ(refusal("x = " + many("not ", 200)), "1:401: more than 100 levels");
  EXPECT_EQ(refusal(many("if 1\n", 200)), "100:4: more than 100 levels");
  EXPECT_EQ(refusal("f(" + many("1,", 200) + "1)\n"), "1:204: more than 100 arguments");
}

TEST(TinyVmRefuses, GarbageOfAllKindsInASentence) {
  std::mt19937 random{7};
  const std::vector<std::string_view> words{
      "x",      "=", "1",     "\n",     "\n",     "(",       ")",    "if",    "while", "end",
      "fn",     "f", ",",     ".",      "try",    "finally", "with", "print", "raise", "\"t\"",
      "return", "+", "spawn", "lock()", "object", " ",       "==",   "not",   "\xfe"};
  for (int round = 0; round < 3000; ++round) {
    std::string source;
    for (int i = 0; i < 40; ++i) (source += words[random() % words.size()]) += ' ';
    try {
      tiny::compile(source);
    } catch (const tiny::problem& error) {
      EXPECT_GE(error.at().line, 1U);
      EXPECT_GE(error.at().column, 1U);
    }
  }
}

/// What a script that fails says.
std::string failure(std::string_view source) {
  const auto it = run(source);
  EXPECT_TRUE(it.failed);
  EXPECT_TRUE(it.clean);
  return it.err;
}

TEST(TinyVmFails, ByRunawayRecursion) {
  EXPECT_EQ(failure("fn f(n)\n  return 1 + f(n + 1)\nend\nf(0)\n"),
            "script:2:15: calls inside of each other, more than 1000\n");
  EXPECT_EQ(
      failure(
          "fn enter(o)\n  with o\n  end\nend\nfn exit(o)\nend\no = object()\no.enter = enter\no.exit = exit\n"
          "with o\nend\n"),
      "script:2:3: calls that wait for each other, more than 50\n");
}

TEST(TinyVmFails, ByFinalizersWithoutAnEnd) {
  // Each makes the next one die: none runs inside of another.
  const auto it = run("fn again(self)\n  o = object(again)\nend\nfn f()\n  o = object(again)\nend\nx = 0\n"
                      "while x < 10\n  x = x + 1\nend\nprint x\n");
  EXPECT_EQ(it.out, "10\n");
}

TEST(TinyVmFails, ByWhatCannotBeDone) {
  const std::vector<std::pair<std::string_view, std::string_view>> all{
      {"x = 1 / 0\n", "1:7: a division by zero"},
      {"x = 9223372036854775807 + 1\n", "1:25: the result is too large"},
      {"x = (0 - 9223372036854775807 - 1) / (0 - 1)\n", "1:35: the result is too large"},
      {"x = 9223372036854775807 * 2\n", "1:25: the result is too large"},
      {"x = nil + 1\n", "1:9: there are no numbers on both sides"},
      {"x = 1 < \"a\"\n", "1:7: these cannot be compared"},
      {"print y\n", "1:7: y has no value yet"},
      {"f()\n", "1:1: f has no value yet"},
      {"x = 5\nx()\n", "2:2: this cannot be called"},
      {"fn f(a)\nend\nf()\n", "3:2: f takes 1 arguments, not 0"},
      {"x = 5\nx.y = 1\n", "2:1: only objects have attributes of the script's"},
      {"x = object()\nprint x.y\n", "2:8: there is no 'y' here"},
      {"l = lock()\nl.join()\n", "2:2: there is no 'join' here"},
      {"l = lock()\nl.release()\n", "2:10: this thread does not have the lock"},
      {"l = lock()\nl.acquire()\nl.acquire()\n", "3:10: this thread has the lock already"},
      {"l = lock()\nl.acquire(1)\n", "2:10: this takes no arguments"},
      {"with 5\nend\n", "1:1: there is no 'enter' here"},
      {"sleep 0 - 1\n", "1:1: one sleeps for a number of milliseconds"},
      {"sleep nil\n", "1:1: one sleeps for a number of milliseconds"},
      {"sleep 9223372036854775807\n", "1:1: one sleeps for a number of milliseconds"},
      {"x = object(5)\n", "1:5: a finalizer is a function"},
      {"x = 5\nspawn x()\n", "2:1: a thread runs a function"},
      {"raise 1 + 1\n", "1:1: 2"},
  };
  for (const auto& [source, sentence] : all)
    EXPECT_EQ(failure(source), "script:" + std::string{sentence} + "\n") << source;
}

TEST(TinyVmFails, ByATextThatGrowsWithoutAnEnd) {
  EXPECT_EQ(failure("x = \"ab\"\nwhile 1\n  x = x + x\nend\n"),
            "script:3:9: a text of more than 65536 bytes\n");
}

TEST(TinyVmFails, ByTooManyThreads) {
  EXPECT_EQ(failure("fn f()\nend\nwhile 1\n  spawn f()\nend\n"), "script:4:3: more than 256 threads\n");
}

TEST(TinyVmFails, ByAThreadThatWaitsForItself) {
  const auto it = run("fn f(o)\n  while not o.there\n    sleep 1\n  end\n  t = o.thread\n  t.join()\nend\n"
                      "o = object()\no.there = 0\no.thread = spawn f(o)\no.there = 1\n");
  EXPECT_FALSE(it.failed);
  EXPECT_EQ(it.err, "script:6:9: a thread that waits for itself\n");
}

/// A file with `content`.
class script_file {
public:
  explicit script_file(const std::string& content) { std::ofstream{path_, std::ios::binary} << content; }
  ~script_file() { ::unlink(path_.c_str()); }
  script_file(const script_file&) = delete;
  script_file& operator=(const script_file&) = delete;
  const std::string& path() const { return path_; }

private:
  std::string path_ = testing::TempDir() + "tiny_vm_" + std::to_string(::getpid());
};

TEST(TinyVmRefuses, OnTheCommandLineWithFileLineAndColumn) {
  const script_file script{"x = 1\nprnt x\n"};
  example_test::child it{"12_tiny_vm", {script.path()}};
  EXPECT_EQ(it.wait(), 2 << 8);
  EXPECT_EQ(it.output(), "12_tiny_vm: " + script.path() + ":2:1: there is no statement 'prnt'\n");
}

TEST(TinyVmRefuses, CommandLinesThatAreNone) {
  const std::string there = tiny_test::path_of("lock_with");
  const std::vector<std::vector<std::string>> bad{{},
                                                  {"/nonexistent"},
                                                  {"/"},
                                                  {"/dev/zero/x"},
                                                  {there, "--layout=2018"},
                                                  {there, "--layout"},
                                                  {there, "--interrupt-at", "-1"},
                                                  {there, "--interrupt-everywhere=1"},
                                                  {there, "--nonsense"}};
  for (const auto& arguments : bad) {
    example_test::child it{"12_tiny_vm", arguments};
    EXPECT_EQ(it.wait(), 2 << 8) << it.output();
    EXPECT_EQ(it.output().find('\n'), it.output().size() - 1) << it.output();
  }
}

TEST(TinyVmFails, OnTheCommandLineWithStatus1) {
  const script_file script{"print 1\nraise \"no\"\n"};
  example_test::child it{"12_tiny_vm", {script.path()}};
  EXPECT_EQ(it.wait(), 1 << 8);
  EXPECT_NE(it.output().find(script.path() + ":2:1: no\n"), std::string::npos) << it.output();
}

TEST(TinyVmFails, With74WhenItsOutputCannotBeWritten) {
  example_test::child it{"12_tiny_vm", {tiny_test::path_of("spam_join")}, "/dev/full"};
  EXPECT_EQ(it.wait(), 74 << 8) << it.output();
}

} // namespace
