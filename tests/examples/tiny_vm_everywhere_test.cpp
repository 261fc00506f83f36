// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Each script with a request before each opcode: nothing leaks with the default layout; with that of 2017,
// locks leak at the points that are written down here and at no others.
#include "examples/tiny_vm_run.hpp"
#include "sweep.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace {

using tiny_test::all_scripts;
using tiny_test::compiled;
using tiny_test::text_of;

constexpr std::size_t many = 2000; // more points than any has that ends

tiny::sweep everywhere(const std::string& script, tiny::layout how, std::size_t most = many) {
  tiny_test::input_that_never_comes();
  return tiny::interrupt_everywhere(compiled(text_of(script), how), most);
}

/// "POP_BLOCK CONST 3": behind which opcode, before which, in which line.
std::vector<std::string> leaks(const tiny::sweep& of) {
  std::vector<std::string> all;
  for (const auto& one : of.windows)
    if (one.leaked != 0)
      all.push_back(std::string{name_of(one.after)} + ' ' + std::string{name_of(one.before)} + ' ' +
                    std::to_string(one.where.line));
  return all;
}

class TinyVmEverywhere : public testing::TestWithParam<std::string> {};

TEST_P(TinyVmEverywhere, NothingIsLeftHeldAndEachFinalizerRunsAndNoRequestIsLost) {
  const bool endless = GetParam() == "spin";
  const auto all = everywhere(GetParam(), tiny::layout::whole, endless ? 200 : many);
  std::string where;
  for (const auto& one : all.windows) where += describe(one) + '\n';
  EXPECT_EQ(describe(all), "points " + std::to_string(all.points) + " leaked 0 unfinalized 0 lost 0")
      << where;
  EXPECT_GT(all.points, 5U);
  EXPECT_LT(all.points, many);
  EXPECT_EQ(all.stopped_by, 0);
}

INSTANTIATE_TEST_SUITE_P(Script, TinyVmEverywhere, testing::ValuesIn(all_scripts()),
                         [](const auto& its) { return its.param; });

const std::vector<std::string> with_of_2017{
    "POP_BLOCK CONST 3", // the end of the block …
    "CONST EXIT_WITH 3", // … and what tells how it was left
};
const std::vector<std::string> try_of_2017{
    "CALL POP 3",          // taken, and not yet in the block; not before SETUP_FINALLY, by the rule of 2003
    "POP_BLOCK CONST 3",   // the end of the block …
    "CONST LOAD_GLOBAL 6", // … and three opcodes of the `finally`,
    "LOAD_GLOBAL LOAD_ATTR 6", // which are inside of it
    "LOAD_ATTR CALL 6",        // and before the release
};
// The two halves of a lock that is written in the language.
const std::vector<std::string> half_taken{"CALL POP 4",         "POP LOAD 5",         "LOAD LOAD 5",
                                          "LOAD LOAD_ATTR 5",   "LOAD_ATTR CONST 5",  "CONST ADD 5",
                                          "ADD STORE_ATTR 5",   "STORE_ATTR LOAD 6",  "LOAD CONST 6",
                                          "CONST STORE_ATTR 6", "STORE_ATTR CONST 7", "CONST RETURN 7"};
const std::vector<std::string> half_given_back{"LOAD CONST 10",          "CONST STORE_ATTR 10",
                                               "STORE_ATTR LOAD 11",     "LOAD LOAD_ATTR 11",
                                               "LOAD_ATTR LOAD_ATTR 11", "LOAD_ATTR CALL 11"};

std::vector<std::string> operator+(std::vector<std::string> left, const std::vector<std::string>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

TEST(TinyVmOf2017, WithLeaksBetweenTheEndOfItsBlockAndTheExit) {
  EXPECT_EQ(leaks(everywhere("lock_with", tiny::layout::y2017)), with_of_2017);
}

TEST(TinyVmOf2017, TryLeaksAfterTheCallAndInFinallyBeforeTheRelease) {
  EXPECT_EQ(leaks(everywhere("lock_try", tiny::layout::y2017)), try_of_2017);
}

TEST(TinyVmOf2017, WithLeaksAlsoInsideALockThatIsWrittenInTheLanguage) {
  const std::vector<std::string> expected =
      half_taken + std::vector<std::string>{"POP_BLOCK CONST 20", "CONST EXIT_WITH 20", "EXIT_WITH LOAD 10"} +
      half_given_back;
  EXPECT_EQ(leaks(everywhere("own_lock_with", tiny::layout::y2017)), expected);
}

TEST(TinyVmOf2017, TryLeaksAlsoInsideALockThatIsWrittenInTheLanguage) {
  const std::vector<std::string> expected =
      half_taken + std::vector<std::string>{"RETURN POP 20",        "POP_BLOCK CONST 20",
                                            "CONST LOAD_GLOBAL 23", "LOAD_GLOBAL LOAD_ATTR 23",
                                            "LOAD_ATTR CALL 23",    "CALL LOAD 10"} +
      half_given_back;
  EXPECT_EQ(leaks(everywhere("own_lock_try", tiny::layout::y2017)), expected);
}

// As in CPython: what is raised in a finalizer goes no further, a request included.
TEST(TinyVmOf2017, ARequestInsideAFinalizerIsLost) {
  const auto all = everywhere("finalizers_raise", tiny::layout::y2017);
  EXPECT_GT(all.lost, 0);
  EXPECT_EQ(all.lost, all.unfinalized);
  EXPECT_EQ(all.leaked, 0);
}

TEST(TinyVmOf2017, WhatHasNoLockLeaksNone) {
  for (const auto* script : {"spam_print", "spam_join", "finalizers", "sleeper"})
    EXPECT_EQ(everywhere(script, tiny::layout::y2017).leaked, 0) << script;
}

TEST(TinyVmSweep, AWaitWithoutAnEndIsItsLastPoint) {
  EXPECT_EQ(everywhere("sleeper", tiny::layout::whole).points, 6U);
  EXPECT_EQ(everywhere("blocked", tiny::layout::whole).points, 8U);
}

TEST(TinyVmSweep, IsBoundedWhereAScriptHasNoEnd) {
  EXPECT_EQ(everywhere("spin", tiny::layout::whole, 50).points, 50U);
}

} // namespace
