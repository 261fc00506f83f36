// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The start of a child, with the N-th system call refused, N = 1, 2, …, those of the child included.
#include <lastcall/process/child.hpp>

#include "process/open_descriptors.hpp"
#include "sys/fault_plan.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <string>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::child;
using lastcall::child_stream;
using lastcall::deadline;

using process_test::open_descriptors;

TEST(FailingSpawn, NamesTheCallAndLeavesNothing) {
  const int before = open_descriptors();
  int nth = 1, refused = 0;
  for (; nth < 100; ++nth) {
    fault_plan::fail_nth(nth, EPERM);
    std::string error;
    try {
      child it{{"true"},
               {.directory = "/",
                .input = child_stream::nothing(),
                .output = child_stream::pipe(),
                .limits = {{RLIMIT_CORE, 0, 0}},
                .group = lastcall::process_group::own,
                .parent_death_signal = SIGTERM}};
      const bool came = fault_plan::disarm();
      EXPECT_TRUE(it.wait_until(deadline::after(30s))) << "call " << nth;
      if (!came) break;
    } catch (const std::system_error& failure) {
      EXPECT_TRUE(fault_plan::disarm());
      error = failure.what();
      ++refused;
      EXPECT_EQ(error.find(name_of(fault_plan::failed())), 0U) << error;
    }
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "call " << nth << ": " << error;
    EXPECT_LE(open_descriptors(), before) << "call " << nth << ": " << error;
  }
  EXPECT_LT(nth, 100);
  EXPECT_GE(refused, 12) << "open, pipe, clone, prctl, setpgid, chdir, two for each stream, prlimit, execve";
}

} // namespace
