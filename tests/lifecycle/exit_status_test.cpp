// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/lifecycle/exit_status.hpp>

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>

namespace {

using lastcall::ending;
using lastcall::ending_of;

constexpr std::array interrupt{SIGINT};
constexpr std::array terminate{SIGTERM};
constexpr std::array both{SIGTERM, SIGINT};

TEST(ExitStatus, ACleanEndIsZero) { EXPECT_EQ(ending_of({}, {}), ending{}); }

TEST(ExitStatus, ACleanStopBySigtermIsZero) { EXPECT_EQ(ending_of({.signals = terminate}, {}), ending{}); }

TEST(ExitStatus, AfterSigintItIsThatSignal) {
  EXPECT_EQ(ending_of({.signals = interrupt}, {}), (ending{130, SIGINT}));
}

TEST(ExitStatus, SigintCountsAlsoWhenSigtermCameFirst) {
  EXPECT_EQ(ending_of({.signals = both}, {}), (ending{130, SIGINT}));
}

TEST(ExitStatus, WhatTheMainFunctionReturnsIsKept) { EXPECT_EQ(ending_of({.returned = 3}, {}), ending{3}); }

// A parent sees the lowest eight bits: 256 would be success.
TEST(ExitStatus, AStatusThatAParentWouldTakeForSuccessIsAFailure) {
  EXPECT_EQ(ending_of({.returned = 256}, {}), ending{70});
  EXPECT_EQ(ending_of({.returned = 512}, {.failed = 0}), ending{1});
  EXPECT_EQ(ending_of({.returned = 257}, {}), ending{1});
  EXPECT_EQ(ending_of({.returned = -1}, {}), ending{255});
}

TEST(ExitStatus, TheWorstOutcomeWins) {
  lastcall::outcome all{true, true, true, 3, interrupt};
  EXPECT_EQ(ending_of(all, {}), ending{75});
  all.abandoned = false;
  EXPECT_EQ(ending_of(all, {}), ending{70});
  all.failed = false;
  EXPECT_EQ(ending_of(all, {}), ending{74});
  all.output_lost = false;
  EXPECT_EQ(ending_of(all, {}), ending{3});
}

TEST(ExitStatus, NumbersAreConfigurableAndZeroKeepsSilentAboutAnOutcome) {
  const lastcall::exit_statuses mine{.failed = 1, .output_lost = 0, .by_signal = {SIGTERM}};
  EXPECT_EQ(ending_of({.failed = true}, mine), ending{1});
  EXPECT_EQ(ending_of({.output_lost = true}, mine), ending{});
  EXPECT_EQ(ending_of({.signals = terminate}, mine), (ending{143, SIGTERM}));
  EXPECT_EQ(ending_of({.signals = interrupt}, mine), ending{});
}

TEST(ExitStatus, NonsenseIsRefused) {
  EXPECT_NO_THROW(lastcall::require_valid({}));
  EXPECT_THROW(lastcall::require_valid({.failed = 256}), std::logic_error);
  EXPECT_THROW(lastcall::require_valid({.output_lost = -1}), std::logic_error);
  EXPECT_THROW(lastcall::require_valid({.by_signal = {0}}), std::logic_error);
}

} // namespace
