// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "examples/child.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <initializer_list>
#include <string>

#include <sys/wait.h>

namespace {

using example_test::child;

bool exited(int status, int with) { return WIFEXITED(status) && WEXITSTATUS(status) == with; }
bool died_of(int status, int signal) { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }
bool says(const child& it, const std::string& text) { return it.output().find(text) != std::string::npos; }

testing::AssertionResult in_order(const std::string& output, std::initializer_list<std::string> texts) {
  std::size_t at = 0;
  for (const auto& text : texts) {
    at = output.find(text, at);
    if (at == output.npos) return testing::AssertionFailure() << "no \"" << text << "\" there in\n" << output;
  }
  return testing::AssertionSuccess();
}

TEST(AsyncService, StartsInOrderAndStopsInReverse) {
  child it{"07_async_service", {"--pace", "2ms", "--for", "10ms"}};
  EXPECT_TRUE(exited(it.wait(), 0)) << it.output();
  EXPECT_TRUE(in_order(it.output(), {"workers: started", "loop: started", "calculator: started",
                                     "updater: started", "running", "updater: stopped", "calculator: stopped",
                                     "loop: stopped", "workers: stopped", "ended after"}));
}

TEST(AsyncService, AShieldedUpdateIsFinishedBeforeTheStop) {
  child it{"07_async_service", {"--pace", "300ms", "--update", "shielded"}};
  it.read_until("an update begins");
  it.send(SIGINT);
  EXPECT_TRUE(died_of(it.wait(), SIGINT)) << it.output();
  EXPECT_TRUE(in_order(it.output(), {"updater: stopping", "an update is done", "updater: stopped",
                                     "calculator: stopped", "loop: stopped", "workers: stopped"}));
  EXPECT_FALSE(says(it, "cut"));
}

TEST(AsyncService, APlainUpdateIsCutAndTakenBack) {
  child it{"07_async_service", {"--pace", "300ms", "--update", "plain"}};
  it.read_until("an update begins");
  it.send(SIGTERM);
  EXPECT_TRUE(exited(it.wait(), 0)) << it.output();
  EXPECT_TRUE(in_order(it.output(), {"updater: stopping", "an update was cut, and is taken back",
                                     "updater: stopped", "calculator: stopped"}));
  EXPECT_FALSE(says(it, "an update is done"));
}

TEST(AsyncService, AFailingUpdateGoesToTheLoopsExceptionHandlerAndTheServiceGoesOn) {
  child it{"07_async_service", {"--pace", "2ms", "--update", "failing"}};
  it.read_until("the update's source does not answer");
  it.read_until("an update begins");
  it.send(SIGTERM);
  EXPECT_TRUE(exited(it.wait(), 0)) << it.output();
  EXPECT_TRUE(in_order(it.output(), {"loop: a child of the nursery 'updates' failed: the update's source",
                                     "updater: stopped"}));
}

TEST(AsyncService, ARequestDuringTheStartWholeFinishesTheStart) {
  child it{"07_async_service", {"--pace", "300ms"}};
  it.read_until("calculator: starting");
  it.send(SIGINT);
  EXPECT_TRUE(died_of(it.wait(), SIGINT));
  EXPECT_TRUE(in_order(it.output(), {"SIGINT from pid", "calculator: started", "updater: started",
                                     "stopped by SIGINT", "updater: stopped", "calculator: stopped"}));
}

TEST(AsyncService, ASecondRequestHurriesTheStops) {
  // The stops would take twenty minutes; that this test ends in less shows that they were cut.
  child it{"07_async_service", {"--pace", "200ms"}};
  it.read_until("running");
  it.send(SIGTERM);
  it.read_until("updater: stopping");
  it.send(SIGINT);
  it.wait();
  EXPECT_TRUE(in_order(it.output(), {"updater: stopping", "hurry", "loop: stopped", "workers: stopped"}));
}

} // namespace
