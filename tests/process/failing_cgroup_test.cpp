// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A cgroup and a child in it, with the N-th system call refused, N = 1, 2, …
#include <lastcall/process/cgroup.hpp>
#include <lastcall/process/child.hpp>

#include "sys/fault_plan.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::cgroup;
using lastcall::child;
using lastcall::deadline;

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 100; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

/// Removes the groups of this process that are left: how many.
int left_in(const std::string& parent) {
  const std::string begin = parent + "/lastcall-" + std::to_string(::getpid()) + '-';
  int count = 0;
  for (const auto& each : std::filesystem::directory_iterator{parent})
    if (each.path().string().starts_with(begin)) count += ::rmdir(each.path().c_str()) == 0 ? 1 : 0;
  return count;
}

TEST(FailingCgroup, NamesTheCallAndLeavesNothing) {
  ::alarm(50);
  std::string why, parent;
  {
    const auto probe = cgroup::try_make(why);
    if (!probe) GTEST_SKIP() << why;
    parent = probe->path().substr(0, probe->path().rfind('/'));
  }
  const int before = open_descriptors();
  int nth = 1, refused = 0;
  for (; nth < 200; ++nth) {
    fault_plan::fail_nth(nth, EPERM);
    std::string error;
    try {
      cgroup group;
      child it{{"true"}, {.inside = &group}};
      EXPECT_TRUE(it.wait_until(deadline::after(30s))) << "call " << nth;
      EXPECT_TRUE(group.wait_until(deadline::after(30s))) << "call " << nth;
    } catch (const std::system_error& failure) {
      error = failure.what();
      ++refused;
    }
    const bool came = fault_plan::disarm();
    if (!error.empty()) {
      EXPECT_TRUE(came) << error;
      EXPECT_EQ(error.find(name_of(fault_plan::failed())), 0U) << error;
    }
    const bool may_stay = came && fault_plan::failed() == lastcall::sys::call::rmdir;
    EXPECT_EQ(left_in(parent), may_stay ? 1 : 0) << "call " << nth << ": " << error;
    EXPECT_LE(open_descriptors(), before) << "call " << nth << ": " << error;
    if (!came) break;
  }
  EXPECT_LT(nth, 200);
  EXPECT_GE(refused, 14)
      << "open and read of two files of /proc, mkdir, five files, the kind, and the child's";
}

} // namespace
