// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"
#include "interrupt/shield_end.hpp"

#include <csignal>
#include <optional>
#include <stdexcept>
#include <thread>

using namespace lastcall;

TEST(Shield, PutsDeliveryOffUntilTheFirstCheckpointAfterTheLast) {
  signal_scope scope;
  {
    const shield outer;
    {
      const shield inner;
      ::raise(SIGINT);
      checkpoint();
    }
    checkpoint();
    EXPECT_TRUE(interrupt_pending()) << "a shield hides nothing";
  }
  EXPECT_THROW(checkpoint(), interrupted);
}

TEST(Shield, HandsOverAllThatCame) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  {
    const shield whole;
    for (int i = 0; i < 50; ++i) ::raise(i % 2 == 0 ? SIGINT : SIGTERM);
  }
  const auto all = scope.acknowledge();
  ASSERT_EQ(all.size(), 50U);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].signal, i % 2 == 0 ? SIGINT : SIGTERM);
}

TEST(Shield, ShieldedReturnsTheValueAndDeliversAtTheNextCheckpoint) {
  signal_scope scope;
  const int ticket = shielded([] {
    ::raise(SIGINT);
    checkpoint();
    return 42;
  });
  EXPECT_EQ(ticket, 42);
  EXPECT_THROW(checkpoint(), interrupted);
}

TEST(Shield, EndsAlsoByAnException) {
  signal_scope scope;
  EXPECT_THROW(shielded([] { throw std::runtime_error{"x"}; }), std::runtime_error);
  ::raise(SIGINT);
  EXPECT_THROW(checkpoint(), interrupted);
}

TEST(Shield, DoesNotProtectOtherThreads) {
  const shield whole;
  std::jthread{[] {
    signal_scope scope;
    ::raise(SIGINT);
    EXPECT_THROW(checkpoint(), interrupted);
  }}.join();
}

// A coroutine that is resumed elsewhere takes its shield with it; the thread it left would be shielded for
// ever.
TEST(Shield, ThatEndsOnAnotherThreadIsMisuse) {
  const int status = testing_child::run([]() -> int {
    std::optional<shield> up{std::in_place};
    std::jthread{[&] { up.reset(); }}.join();
    return 1;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGABRT)) << status;
}

namespace {

int actions = 0;
bool down = false;

void note_action() noexcept {
  ++actions;
  down = !detail::here().shielded();
}

// What a handler that calls somebody else's does.
void handler(int) {
  if (!detail::put_off_to_shield_end()) note_action();
}

} // namespace

TEST(ShieldEnd, WhatAHandlerPutsOffComesOnceWhenTheLastShieldIsDown) {
  detail::set_shield_end_action(&note_action);
  std::signal(SIGUSR1, &handler);
  {
    const shield outer;
    {
      const shield inner;
      ::raise(SIGUSR1);
      ::raise(SIGUSR1);
    }
    EXPECT_EQ(actions, 0);
  }
  EXPECT_EQ(actions, 1);
  EXPECT_TRUE(down);
  { const shield another; }
  EXPECT_EQ(actions, 1) << "nothing was put off";
  ::raise(SIGUSR1);
  EXPECT_EQ(actions, 2) << "no shield, no delay";
}
