// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/lifecycle/application.hpp>

#include "lifecycle/scripted.hpp"

#include <lastcall/interrupt/interrupted.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace {

using namespace std::chrono_literals;
using lastcall::application;
using lastcall::application_options;
using lastcall::component_fate;
using lifecycle_test::diary;
using lifecycle_test::scripted;

application_options quiet() {
  application_options options;
  options.on_report = [](const auto&) {}; // failures are looked at in the report, not printed
  return options;
}

TEST(Application, StartsInOrderAndStopsInReverse) {
  diary log;
  application app{"shop"};
  auto http = app.add<scripted>("http", log);
  auto db = app.add<scripted>("db", log);
  app.add<scripted>("cache", log).after(db);
  http.after(db);
  EXPECT_EQ(app.run([&] { log.add("main"); }), 0);
  EXPECT_EQ(log.text(), "+db +http +cache main -cache -http -db");
  EXPECT_TRUE(app.last_report().clean());
  EXPECT_EQ(app.last_report().why, "its main function returned");
}

TEST(Application, WithoutComponentsItRunsAndEnds) {
  application app{"empty"};
  EXPECT_EQ(app.run_for(1ms), 0);
  EXPECT_EQ(app.last_report().why, "its time was over");
}

TEST(Application, AFailingStartStopsThoseBeforeItAndKeepsAllErrors) {
  diary log;
  application app{"shop", quiet()};
  app.add<scripted>("a", log, nullptr, [](auto&) { throw std::runtime_error("a stays open"); });
  app.add<scripted>("b", log);
  app.add<scripted>("c", log, [](auto&) { throw 42; });
  app.add<scripted>("d", log);
  EXPECT_EQ(app.run(), 70);
  EXPECT_EQ(log.text(), "+a +b +c -b -a");
  const auto& said = app.last_report().components;
  EXPECT_EQ(said[0].fate, component_fate::stop_failed);
  EXPECT_EQ(said[0].error, "a stays open");
  EXPECT_EQ(said[1].fate, component_fate::stopped);
  EXPECT_EQ(said[2].fate, component_fate::start_failed);
  EXPECT_EQ(said[2].error, "exception of type int");
  EXPECT_EQ(said[3].fate, component_fate::never_started);
  EXPECT_EQ(app.last_report().why, "a start failed");
}

TEST(Application, AStopThatFailsWithoutWordsIsAFailureAllTheSame) {
  diary log;
  application app{"shop", quiet()};
  app.add<scripted>("a", log, nullptr, [](auto&) { throw std::runtime_error(""); });
  EXPECT_EQ(app.run_for(0ms), 70);
}

TEST(Application, WhatTheMainFunctionReturnsIsTheStatus) {
  application app{"shop"};
  EXPECT_EQ(app.run([](std::stop_token) { return 3; }), 3);
}

TEST(Application, AMainFunctionThatFailsIsReportedAfterAFullStop) {
  diary log;
  application app{"shop", quiet()};
  app.add<scripted>("db", log);
  EXPECT_EQ(app.run([] { throw std::runtime_error("no route"); }), 70);
  EXPECT_EQ(log.text(), "+db -db");
  EXPECT_EQ(app.last_report().failures.at(0), "the main function: no route");
}

TEST(Application, AStartThatGivesUpBecauseItWasAskedToIsNoFailure) {
  diary log;
  application app{"shop"};
  app.add<scripted>("db", log);
  app.add<scripted>("http", log, [&](auto&) {
    app.stop("changed my mind");
    throw lastcall::interrupted{lastcall::request{}};
  });
  EXPECT_EQ(app.run(), 0);
  EXPECT_EQ(log.text(), "+db +http -db");
  EXPECT_EQ(app.last_report().components[1].fate, component_fate::start_given_up);
}

// Taken for one that was asked to stop, it left a program that had started nothing and exited with 0.
TEST(Application, AStartThatGivesUpUnaskedHasFailed) {
  diary log;
  application app{"shop", {.on_report = [](const auto&) {}}};
  app.add<scripted>("db", log);
  app.add<scripted>("http", log, [](auto&) { throw lastcall::interrupted{lastcall::request{}}; });
  EXPECT_EQ(app.run(), 70);
  EXPECT_EQ(log.text(), "+db +http -db");
  EXPECT_EQ(app.last_report().why, "a start failed");
  EXPECT_EQ(app.last_report().components[1].error, "it left by interrupted, but nobody had asked for a stop");
}

// With `whole` everything was started once more, to be stopped again.
TEST(Application, AStopAskedForBeforeTheRunStartsNothing) {
  for (const auto policy : {lastcall::start_policy::stepwise, lastcall::start_policy::whole}) {
    diary log;
    application app{"shop", {.start = policy}};
    app.add<scripted>("db", log);
    app.stop("not today");
    EXPECT_EQ(app.run([&] { log.add("main"); }), 0);
    EXPECT_EQ(log.text(), "");
    EXPECT_NE(app.last_report().why.find("not today"), std::string::npos);
  }
}

TEST(Application, StopMayBeCalledFromAStartFromAStopAndTwiceAtOnce) {
  diary log;
  application app{"shop"};
  app.add<scripted>("db", log, nullptr, [&](auto&) { app.stop("from its own stop"); });
  app.add<scripted>("http", log, [&](auto&) {
    std::jthread one{[&] { app.stop("from a thread"); }};
    std::jthread two{[&] { app.stop("from another"); }};
    app.stop("from its own start");
  });
  EXPECT_EQ(app.run(), 0);
  EXPECT_EQ(log.text(), "+db +http -http -db");
  app.stop("twice is no error, and too late is none either");
}

struct stops_when_destroyed {
  explicit stops_when_destroyed(application& app) : of{app} {}
  ~stops_when_destroyed() { of.stop("from a destructor"); }
  void start() {}
  void stop() {}
  application& of;
};

TEST(Application, StopMayBeCalledFromADestructor) {
  application app{"shop"};
  app.add<stops_when_destroyed>("db", app);
  EXPECT_EQ(app.run_for(0ms), 0);
}

struct named {
  named(diary& to, std::string name) : log{to}, name_{std::move(name)} {}
  ~named() { log.add("~" + name_); }
  void start() {}
  void stop() {}
  diary& log;
  std::string name_;
};

struct speaks_when_destroyed {
  explicit speaks_when_destroyed(application& app) : of{app} {}
  ~speaks_when_destroyed() {
    of.events().record(lastcall::event_kind::note, "db", "gone");
    of.stop("from a destructor");
  }
  void start() {}
  void stop() {}
  application& of;
};

// They were destroyed after the timeline that they speak to.
TEST(Application, ComponentsInACircleAreDestroyedBeforeWhatTheyMayUse) {
  int said = 0;
  {
    application app{"shop", {.log = [&](const auto&) { ++said; }}};
    auto db = app.add<speaks_when_destroyed>("db", app);
    auto http = app.add<speaks_when_destroyed>("http", app).after(db);
    db.after(http);
  }
  EXPECT_EQ(said, 2);
}

TEST(Application, ComponentsAreDestroyedInTheReverseOrderOfStarting) {
  diary log;
  {
    application app{"shop"};
    auto http = app.add<named>("http", log, "http");
    auto db = app.add<named>("db", log, "db");
    http.after(db);
    EXPECT_EQ(http->name_, "http");
    app.run_for(0ms);
    EXPECT_EQ(log.text(), "");
  }
  EXPECT_EQ(log.text(), "~http ~db");
}

TEST(Application, ASinkThatThrowsChangesNothing) {
  diary log;
  application_options options;
  options.log = [](const auto&) { throw std::runtime_error("sink"); };
  application app{"shop", options};
  app.add<scripted>("db", log);
  EXPECT_EQ(app.run_for(0ms), 0);
  EXPECT_GT(app.events().failed_sinks(), 0u);
}

} // namespace
