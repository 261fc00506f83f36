// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "commands/signal_list.hpp"

#include "commands/duration.hpp"
#include "commands/usage_error.hpp"
#include "subject/signal_name.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace {

using namespace checker;

TEST(Signals, HaveNamesAndNumbers) {
  for (const char* text : {"INT", "SIGINT", "int", "sigint", "2"})
    EXPECT_EQ(parse_signal(text), SIGINT) << text;
  EXPECT_EQ(parse_signal("RTMIN+1"), SIGRTMIN + 1);
  EXPECT_EQ(parse_signals({"INT", "TERM", "2"}), (std::vector{SIGINT, SIGTERM}));
}

TEST(Signals, ANameIsReadBack) {
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (signal == SIGSTOP || (signal > 31 && signal < SIGRTMIN)) continue;
    EXPECT_EQ(parse_signal(signal_name(signal)), signal);
  }
}

TEST(Signals, WhatIsNoSignalIsNamed) {
  for (const char* text : {"", "FOO", "0", "999", "-1", "99999999999", "STOP", "RTMIN+99", "INT "}) {
    try {
      (void)parse_signal(text);
      FAIL() << text;
    } catch (const usage_error& error) {
      EXPECT_NE(std::string(error.what()).find("--signal"), std::string::npos);
    }
  }
}

TEST(Durations, HaveUnits) {
  EXPECT_DOUBLE_EQ(parse_duration("500ms")->count(), 0.5);
  EXPECT_DOUBLE_EQ(parse_duration("2")->count(), 2);
  EXPECT_DOUBLE_EQ(parse_duration("1.5m")->count(), 90);
  EXPECT_DOUBLE_EQ(parse_duration("1h")->count(), 3600);
  for (const char* text : {"", "x", "0", "-1s", "1d", "1 s", "nan", "inf", "1s2"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

} // namespace
