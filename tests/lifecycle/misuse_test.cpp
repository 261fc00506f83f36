// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What cannot work is refused before anything was started, with a sentence that names the names.
#include <lastcall/lifecycle/application.hpp>

#include "lifecycle/scripted.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace {

using namespace std::chrono_literals;
using lastcall::application;
using lifecycle_test::diary;
using lifecycle_test::scripted;

template <class Fn>
std::string complaint(Fn misuse) {
  try {
    misuse();
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "none";
}

struct counted {
  explicit counted(int& made) { ++made; }
  void start() {}
  void stop() {}
};

TEST(Misuse, ANameIsGivenOnce) {
  diary log;
  application app{"shop"};
  app.add<scripted>("db", log);
  EXPECT_EQ(complaint([&] { app.add<scripted>("db", log); }),
            "two components are named 'db'; names must differ");
  EXPECT_EQ(app.run_for(0ms), 0); // and what was there before is as it was
  EXPECT_EQ(log.text(), "+db -db");
}

TEST(Misuse, ACircleIsNamedAndNothingStarts) {
  diary log;
  application app{"shop"};
  auto a = app.add<scripted>("a", log);
  auto b = app.add<scripted>("b", log).after(a);
  a.after(b);
  EXPECT_EQ(complaint([&] { app.run(); }), "the components wait for each other in a circle: a → b → a");
  EXPECT_EQ(log.text(), "");
}

TEST(Misuse, AComponentOfAnotherApplicationIsNoNeighbour) {
  diary log;
  application shop{"shop"}, bank{"bank"};
  auto db = bank.add<scripted>("db", log);
  auto http = shop.add<scripted>("http", log);
  EXPECT_EQ(complaint([&] { http.after(db); }),
            "'http' of application 'shop' cannot come after 'db', which belongs to application 'bank'");
}

TEST(Misuse, AnApplicationRunsOnce) {
  application app{"shop"};
  EXPECT_EQ(app.run_for(0ms), 0);
  EXPECT_EQ(complaint([&] { app.run(); }), "application 'shop' was run already; an application runs once");
}

TEST(Misuse, RunningItFromItsOwnStartIsRefused) {
  diary log;
  application app{"shop"};
  std::string said;
  app.add<scripted>("db", log, [&](auto&) { said = complaint([&] { app.run(); }); });
  EXPECT_EQ(app.run_for(0ms), 0);
  EXPECT_NE(said.find("'shop' was run already"), std::string::npos);
}

TEST(Misuse, AddingIsRefusedFromTheFirstStartToTheEndAndMakesNothing) {
  diary log;
  int made = 0;
  std::string in_start, in_stop;
  application app{"shop"};
  const auto late = [&] { return complaint([&] { app.add<counted>("late", made); }); };
  app.add<scripted>(
      "db", log, [&](auto&) { in_start = late(); }, [&](auto&) { in_stop = late(); });
  EXPECT_EQ(app.run_for(0ms), 0);
  for (const auto& said : {in_start, in_stop, late()})
    EXPECT_EQ(
        said,
        "add('late'): application 'shop' is running or has run; components are added and ordered before");
  EXPECT_EQ(made, 0);
}

TEST(Misuse, NegativeTimesAndStatusesThatAreNoneAreRefused) {
  EXPECT_NE(complaint([] {
              application{"shop", {.grace = -1s}};
            }).find("grace is negative"),
            std::string::npos);
  EXPECT_NE(complaint([] {
              application{"shop", {.statuses = {.failed = 300}}};
            }).find("300"),
            std::string::npos);
  diary log;
  application app{"shop"};
  auto db = app.add<scripted>("db", log);
  EXPECT_NE(complaint([&] { db.stop_within(-1s); }).find("'db' is negative"), std::string::npos);
}

TEST(Misuse, OneApplicationRunsAtATime) {
  diary log;
  application outer{"outer"}, inner{"inner"};
  std::string said;
  outer.add<scripted>("db", log, [&](auto&) { said = complaint([&] { inner.run(); }); });
  EXPECT_EQ(outer.run_for(0ms), 0);
  EXPECT_NE(said, "none");
  EXPECT_EQ(inner.run_for(0ms), 0); // the attempt left it as it was
}

} // namespace
