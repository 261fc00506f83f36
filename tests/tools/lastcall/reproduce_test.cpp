// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "report/reproduce.hpp"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <memory>

namespace {

using namespace checker;

/// What bash makes of a line: each word on a line of its own.
std::string words_in_bash(const std::string& line) {
  const auto close = [](std::FILE* pipe) { ::pclose(pipe); };
  const std::string command = "bash -c " + shell_quote("printf '%s\\n' " + line);
  const std::unique_ptr<std::FILE, decltype(close)> pipe{::popen(command.c_str(), "r"), close};
  std::string text;
  std::array<char, 256> buffer;
  while (const auto got = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
    text.append(buffer.data(), got);
  return text;
}

injection write_at(position where) {
  return {.where = {.role = "0", .call = "write(1)", .ordinal = 2, .at = where},
          .signal = SIGINT,
          .scope = target_scope::process};
}

TEST(Quote, PlainWordsStayPlain) { EXPECT_EQ(shell_quote("--at=a/b.c"), "--at=a/b.c"); }

TEST(Quote, TheShellReadsBackWhatWasQuoted) {
  for (const std::string word :
       {"", "two words", "it's", "$HOME `id` \\ \"x\"", "a*b?[c]", "#x", "~", "ä;&|<>()"})
    EXPECT_EQ(words_in_bash(shell_quote(word)), word + '\n') << word;
}

TEST(Quote, ControlCharactersStayOnOneLine) {
  const std::string word = "a\nb\t'c'\\d\x01";
  EXPECT_EQ(shell_quote(word).find('\n'), std::string::npos);
  EXPECT_EQ(words_in_bash(shell_quote(word)), word + '\n');
}

TEST(Reproduce, TheLineNamesPointSurroundingsAndSubject) {
  options with;
  with.argv = {"prog", "two words"};
  with.dir = "/a dir";
  with.verify = "test -e x";
  EXPECT_EQ(reproduce_line(with, write_at(position::before)),
            "lastcall check --signal INT --scope process --at '0:write(1)#2@before' --dir '/a dir' "
            "--verify 'test -e x' -- prog 'two words'");
}

TEST(Reproduce, StraceCanDoWhatItCountsAndNothingBeforeACall) {
  options with;
  with.argv = {"prog"};
  example at{.asked = write_at(position::after), .index = 1, .occurrence = 5};
  EXPECT_EQ(strace_line(with, at), "strace -o /dev/null -e inject=write:signal=SIGINT:when=5 prog");
  with.dir = "/a dir";
  EXPECT_EQ(strace_line(with, at), "cd \"$(mktemp -d)\" && cp -a '/a dir'/. . && "
                                   "strace -o /dev/null -e inject=write:signal=SIGINT:when=5 prog");
  at.asked.where.at = position::before;
  EXPECT_FALSE(strace_line(with, at));
  at.asked.where.at = position::during;
  at.asked.where.role = "0.1";
  EXPECT_FALSE(strace_line(with, at));
  at.asked.where.role = "0";
  at.occurrence = 0;
  EXPECT_FALSE(strace_line(with, at));
}

} // namespace
