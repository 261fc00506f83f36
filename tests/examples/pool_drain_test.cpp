// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "examples/child.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include <sys/wait.h>

namespace {

using example_test::child;

bool says(const child& it, const std::string& text) { return it.output().find(text) != std::string::npos; }

TEST(PoolDrain, TheStopFindsAThreadAndTheTasksThatDoNotEndAreNamed) {
  child it{"06_pool_drain", {"--pace", "1s", "--for", "1ms", "--patience", "50ms"}};
  const int status = it.wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 75) << status;
  EXPECT_TRUE(says(it, "workers: all threads are taken\nworkers: stop runs on the reserve\n")) << it.output();
  EXPECT_TRUE(says(it, "4 tasks did not end")) << it.output();
  for (const char* name : {"1", "2", "3", "4"}) {
    EXPECT_TRUE(says(it, "\"process " + std::string{name} + "\" has run for ")) << it.output();
    EXPECT_TRUE(says(it, " on workers-" + std::string{name} + " (")) << it.output();
  }
#if defined(LASTCALL_TEST_STACKS) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
  EXPECT_TRUE(says(it, "process_for_ever")) << it.output(); // the line on which they are
#endif
}

TEST(PoolDrain, AfterAnInterruptItIsThatDeadlineThatShows) {
  child it{"06_pool_drain", {"--patience", "50ms"}};
  it.read_until("all threads are taken");
  it.send(SIGINT);
  const int status = it.wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 75) << status;
}

TEST(PoolDrain, TasksThatCanBeAskedEndAndSoDoesItByTheSignal) {
  child it{"06_pool_drain", {"--endless", "0", "--patience", "30s"}};
  it.read_until("all threads are taken");
  it.send(SIGINT);
  const int status = it.wait();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << status;
  EXPECT_TRUE(says(it, "workers: all tasks have ended\n")) << it.output();
}

} // namespace
