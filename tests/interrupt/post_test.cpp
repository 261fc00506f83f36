// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"

#include <csignal>
#include <memory>
#include <thread>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

// Runs one call that posts another one, which asks for the stop, while `wait` waits on the owner.
template <class Wait>
int chain(Wait wait) {
  return testing_child::run(
      [&]() -> int {
        signal_scope scope;
        bool ran = false;
        scope.post([&] {
          scope.post([&] {
            ran = true;
            scope.request_stop("done");
          });
        });
        wait();
        return ran ? 7 : 1;
      },
      10);
}

} // namespace

// The sleeper took "the bits are as before" for "they are held back", and slept on with the new call waiting.
TEST(Post, ACallThatComesWhileAnotherRunsIsRunInTheSameSleep) {
  const int status = chain([] {
    std::error_code error;
    io::sleep_for(1h, error);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(Post, ACallThatComesWhileAnotherRunsIsRunInTheSameWaitForRequest) {
  const int status = chain([] { io::wait_for_request(deadline::after(1h)); });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(Post, ACallThatPostsItselfForEverDoesNotOutliveTheSleep) {
  signal_scope scope;
  std::function<void()> again = [&] { scope.post(again); };
  scope.post(again);
  io::sleep_for(5ms);
  EXPECT_FALSE(io::wait_for_request(deadline::after(5ms)));
}

// The checkpoint that ran the call went on with the scope the call had destroyed, and took the new one's
// records.
TEST(Post, ACallMayReplaceTheScope) {
  auto scope = std::make_unique<signal_scope>();
  scope->post([&] {
    scope.reset();
    scope = std::make_unique<signal_scope>();
    ::raise(SIGTERM);
  });
  std::error_code error;
  checkpoint(error);
  checkpoint(error);
  EXPECT_EQ(error, stop_errc::interrupted);
  EXPECT_EQ(scope->acknowledge().size(), 1U);
}

TEST(Post, AWaitForRequestSurvivesACallThatDestroysTheScope) {
  auto scope = std::make_unique<signal_scope>();
  scope->post([&] { scope.reset(); });
  EXPECT_FALSE(io::wait_for_request(deadline::after(1h)));
  EXPECT_EQ(scope, nullptr);
}
