// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "report/summary.hpp"
#include "tools/lastcall/trees.hpp"

#include <gtest/gtest.h>

namespace {

using namespace checker;
using namespace checker::written;

options subject() {
  options with;
  with.argv = {"prog", "arg"};
  return with;
}

TEST(Excerpt, IsTheEndOfALongText) {
  EXPECT_EQ(excerpt(""), "");
  EXPECT_EQ(excerpt("a\nb\n"), "a\nb");
  EXPECT_EQ(excerpt("1\n2\n3\n4\n5\n6\n7\n8\n9\n"), "2\n3\n4\n5\n6\n7\n8\n9");
  EXPECT_EQ(excerpt(std::string(5000, 'x')).size(), 1200u);
}

TEST(Summary, NothingFoundSaysSo) {
  tally seen;
  run fine = interrupted();
  seen.add(fine, {});
  outcome result;
  result.points = 1;
  result.planned = 1;
  const auto text = summary(subject(), result, seen, detail::findings, colour::never);
  EXPECT_NE(text.find("lastcall check prog arg\n"), std::string::npos) << text;
  EXPECT_NE(text.find("1 of 1 run done, 0 not injected, 0 swallowed"), std::string::npos) << text;
  EXPECT_NE(text.find("Nothing found."), std::string::npos) << text;
  EXPECT_EQ(text.find('\033'), std::string::npos);
}

TEST(Summary, AFindingShowsAllThatIsNeededToLookIntoIt) {
  tally seen;
  run bad = interrupted();
  bad.err = "oh dear\n\033[31mred\n";
  seen.add(bad, {{.what = verdict::leftover,
                  .signature = "leftover: STRAY a.lock",
                  .files = {"STRAY a.lock"},
                  .sentence = "leaves STRAY a.lock"}});
  const auto text = summary(subject(), {}, seen, detail::findings, colour::never);
  for (const char* part : {"leftover in 1 run: leaves STRAY a.lock", "0:write(1)#1@before",
                           "SIGINT to the process", "only before a call", "oh dear", "?[31mred",
                           "--at '0:write(1)#1@before' -- prog arg", "1 defect found."})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
}

TEST(Summary, WhatWasNotInjectedIsListedWithItsReason) {
  tally seen;
  run missed = interrupted();
  missed.delivered = delivery::none;
  missed.not_injected = "the point was not reached";
  seen.add(missed, {});
  const auto text = summary(subject(), {}, seen, detail::findings, colour::never);
  EXPECT_NE(text.find("the point was not reached"), std::string::npos) << text;
  EXPECT_NE(text.find("Nothing was proven"), std::string::npos) << text;
}

TEST(Summary, PointsThatMovedMeanwhileAreTold) {
  outcome result;
  result.moved = 0;
  EXPECT_EQ(summary(subject(), result, {}, detail::findings, colour::never).find("not made again"),
            std::string::npos);
  result.moved = 3;
  EXPECT_NE(summary(subject(), result, {}, detail::findings, colour::never)
                .find("3 calls of the undisturbed run were not made again"),
            std::string::npos);
}

TEST(Summary, APartialReportSaysThatItIs) {
  outcome result;
  result.interrupted = true;
  EXPECT_NE(summary(subject(), result, {}, detail::findings, colour::never).find("partial"),
            std::string::npos);
}

} // namespace
