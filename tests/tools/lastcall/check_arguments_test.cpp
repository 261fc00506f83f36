// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "commands/check_arguments.hpp"
#include "commands/usage_error.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace {

using namespace checker;
using words = std::vector<std::string>;

std::string refusal(const words& given) {
  try {
    (void)parse_check(given);
  } catch (const usage_error& error) {
    return error.what();
  }
  return "(accepted)";
}

TEST(CheckArguments, DefaultsAreTheWholeSweepOfBothSignals) {
  const auto what = parse_check({"--", "prog", "-x", "--", "y"}).arguments.what;
  EXPECT_EQ(what.argv, (words{"prog", "-x", "--", "y"}));
  EXPECT_EQ(what.signals, (std::vector{SIGINT, SIGTERM}));
  EXPECT_EQ(what.scopes, std::vector{target_scope::process});
  EXPECT_EQ(what.positions, (std::vector{position::before, position::during, position::after}));
  EXPECT_EQ(what.isolate, isolation::automatic);
  EXPECT_FALSE(what.at);
  EXPECT_FALSE(what.dir);
}

TEST(CheckArguments, EveryOptionArrives) {
  const auto parsed = parse_check({"--signal",
                                   "TERM,HUP",
                                   "--scope",
                                   "process,group",
                                   "--position",
                                   "after",
                                   "--dir",
                                   "/usr",
                                   "--stdin",
                                   "/dev/null",
                                   "--at",
                                   "0:pause()#1@before",
                                   "--verify",
                                   "true",
                                   "--isolation",
                                   "subreaper",
                                   "--jobs",
                                   "3",
                                   "--time-limit",
                                   "2s",
                                   "--undisturbed-limit",
                                   "4s",
                                   "--budget",
                                   "1m",
                                   "--max-points",
                                   "7",
                                   "--swallowed",
                                   "--json",
                                   "-",
                                   "--quiet",
                                   "--",
                                   "prog"});
  const auto& what = parsed.arguments.what;
  EXPECT_EQ(what.signals, (std::vector{SIGTERM, SIGHUP}));
  EXPECT_EQ(what.scopes.size(), 2u);
  EXPECT_EQ(what.positions, std::vector{position::after});
  EXPECT_EQ(what.dir, "/usr");
  EXPECT_EQ(what.input, "/dev/null");
  ASSERT_TRUE(what.at);
  EXPECT_EQ(what.at->call, "pause()");
  EXPECT_EQ(what.verify, "true");
  EXPECT_EQ(what.undisturbed_limit, seconds{4});
  EXPECT_EQ(what.isolate, isolation::subreaper);
  EXPECT_EQ(what.jobs, 3u);
  EXPECT_EQ(what.time_limit, seconds(2));
  EXPECT_EQ(what.budget, seconds(60));
  EXPECT_EQ(what.max_points, 7u);
  EXPECT_TRUE(parsed.arguments.swallowed);
  EXPECT_TRUE(parsed.arguments.quiet);
  EXPECT_EQ(parsed.arguments.json, "-");
}

TEST(CheckArguments, EachMistakeIsNamed) {
  const auto expect = [](const words& given, const char* part) {
    const auto said = refusal(given);
    EXPECT_NE(said.find(part), std::string::npos) << said;
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  };
  expect({}, "no program");
  expect({"--"}, "no program");
  expect({"--", ""}, "empty");
  expect({"true"}, "comes after \"--\"");
  expect({"--jbos", "3", "--", "true"}, "--jbos");
  expect({"--signal", "FOO", "--", "true"}, "FOO");
  expect({"--signal", "STOP", "--", "true"}, "SIGSTOP");
  expect({"--grace", "0", "--", "true"}, "--grace");
  expect({"--scope", "session", "--", "true"}, "--scope: \"session\" is none of process, group, caller");
  expect({"--position", "between", "--", "true"}, "between");
  expect({"--isolation", "vm", "--", "true"}, "vm");
  expect({"--dir", "/nowhere", "--", "true"}, "--dir: there is no directory /nowhere");
  expect({"--dir", "/dev/null", "--", "true"}, "not a directory");
  expect({"--stdin", "/nowhere", "--", "true"}, "--stdin: there is no file /nowhere");
  expect({"--stdin", "/usr", "--", "true"}, "is a directory");
  expect({"--time-limit", "soon", "--", "true"}, "--time-limit: \"soon\"");
  expect({"--budget", "-1s", "--", "true"}, "--budget");
  expect({"--jobs", "many", "--", "true"}, "jobs");
  expect({"--max-points", "-1", "--", "true"}, "max-points");
  expect({"--at", "pause", "--", "true"}, "--at: \"pause\"");
}

TEST(CheckArguments, HelpExplainsPositionsVerdictsAndStatuses) {
  const auto shown = parse_check({"--help"}).show;
  ASSERT_TRUE(shown);
  for (const char* part :
       {"Usage: lastcall check [OPTIONS] -- PROGRAM", "before", "during", "after", "wrong_status",
        "rerun_failed", "Exit status", "Examples", "--max-points", "--isolation"})
    EXPECT_NE(shown->find(part), std::string::npos) << part;
}

TEST(CheckArguments, HelpBehindTheDashesIsTheSubjects) {
  EXPECT_FALSE(parse_check({"--", "prog", "--help"}).show);
}

} // namespace
