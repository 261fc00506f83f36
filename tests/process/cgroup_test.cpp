// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/broken_away.hpp"
#include "process/cgroup_files.hpp"

#include <lastcall/interrupt/interrupted.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/process/child.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sched.h>
#include <sys/mount.h>

namespace {

using namespace process_test;
using lastcall::cgroup;
using lastcall::child;
using lastcall::child_stream;

TEST_F(Cgroup, HoldsAGrandchildThatHasBrokenAway) {
  cgroup group;
  EXPECT_TRUE(group.empty());
  child shell{{"sh", "-c", "(setsid sh -c 'echo $$; exec sleep 60 >&- 2>&-' &)"},
              {.output = child_stream::pipe(), .inside = &group}};
  char text[32]{};
  ASSERT_GT(::read(shell.output().number(), text, sizeof text - 1), 0);
  const pid_t away = std::stoi(text);
  ASSERT_TRUE(shell.wait_until(deadline::after(long_enough)));
  EXPECT_EQ(group.processes(), std::vector<pid_t>{away});
  EXPECT_FALSE(group.empty());
  EXPECT_FALSE(group.wait_until(deadline::after(10ms)));
  EXPECT_TRUE(group.kill());
  EXPECT_TRUE(group.wait_until(deadline::after(long_enough)));
  EXPECT_EQ(signal_of(away), SIGKILL);
  EXPECT_TRUE(group.processes().empty());
}

TEST_F(Cgroup, AChildIsInItFromItsFirstInstruction) {
  cgroup group;
  child it{{"cat", "/proc/self/cgroup"}, {.output = child_stream::pipe(), .inside = &group}};
  std::string text(4096, '\0');
  std::size_t size = 0;
  for (ssize_t n = 0; (n = ::read(it.output().number(), text.data() + size, text.size() - size)) > 0;)
    size += static_cast<std::size_t>(n);
  text.resize(size);
  const auto name = group.path().substr(group.path().rfind('/')) + '\n';
  EXPECT_NE(text.find(name), std::string::npos) << text;
  EXPECT_TRUE(it.wait_until(deadline::after(long_enough)));
}

TEST_F(Cgroup, IsEmptiedAndRemovedByItsDestructor) {
  std::string path;
  pid_t away = 0;
  {
    cgroup group;
    path = group.path();
    away = broken_away(group);
    EXPECT_TRUE(is_there(path));
  }
  EXPECT_FALSE(is_there(path));
  EXPECT_EQ(signal_of(away), SIGKILL);
}

TEST_F(Cgroup, SomebodyWhoseNumberChangesAllTheTimeIsEnded) {
  for (int round = 0; round < 5; ++round) {
    cgroup group;
    ASSERT_GT(broken_away(group, true), 0);
    EXPECT_TRUE(group.kill());
    EXPECT_TRUE(group.wait_until(deadline::after(long_enough)));
    all_ended();
  }
}

TEST_F(Cgroup, IsEmptiedOneByOneWhereTheKernelHasNoKill) {
  for (int round = 0; round < 2; ++round) {
    cgroup group;
    const lastcall::detail::cgroup_files files{group.path()};
    for (int i = 0; i < 100; ++i) ASSERT_GT(broken_away(group), 0) << "more than one round's";
    ASSERT_GT(broken_away(group, true), 0);
    EXPECT_TRUE(files.kill_each(long_enough));
    EXPECT_TRUE(group.wait_until(deadline::after(long_enough)));
    all_ended();
    EXPECT_GT(broken_away(group), 0) << "whoever enters later is not frozen";
  }
}

TEST_F(Cgroup, ListsAsManyAsThereAre) {
  cgroup group;
  std::set<pid_t> away;
  for (int i = 0; i < 200; ++i) away.insert(broken_away(group)); // more than one read's
  const auto found = group.processes();
  EXPECT_EQ(std::set<pid_t>(found.begin(), found.end()), away);
}

TEST_F(Cgroup, ARequestEndsAWait) {
  lastcall::signal_scope signals;
  cgroup group;
  broken_away(group);
  std::thread asks{[] { ::kill(::getpid(), SIGINT); }};
  EXPECT_THROW(group.wait_until(deadline::never()), lastcall::interrupted);
  asks.join();
  signals.acknowledge();
}

TEST_F(Cgroup, AForkedCopyLeavesItAlone) {
  std::optional<cgroup> group{std::in_place};
  const pid_t away = broken_away(*group);
  EXPECT_TRUE(in_a_copy([&] {
    group.reset();
    return true;
  }));
  EXPECT_TRUE(is_there(group->path()));
  EXPECT_EQ(group->processes(), std::vector<pid_t>{away});
}

TEST_F(Cgroup, NamesDifferOnAllThreads) {
  std::vector<std::optional<cgroup>> groups(32);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (std::size_t k = i; k < groups.size(); k += 4) groups[k].emplace();
    });
  for (auto& each : threads) each.join();
  std::set<std::string> paths;
  for (const auto& each : groups) paths.insert(each->path());
  EXPECT_EQ(paths.size(), groups.size());
}

TEST_F(Cgroup, IsRefusedInPlainWordsWhereItIsNotPermitted) {
  if (::geteuid() != 0) GTEST_SKIP() << "whoever may become somebody else is root";
  const std::string parent = cgroup{}.path();
  EXPECT_TRUE(in_a_copy([&] {
    std::string why;
    const std::string begin = "mkdir (" + parent.substr(0, parent.rfind('/')) + "/lastcall-";
    if (::setuid(65534) != 0 || cgroup::try_make(why)) return false;
    return why.starts_with(begin) && why.ends_with("): Permission denied");
  }));
}

TEST_F(Cgroup, IsRefusedInPlainWordsWhereNoneIsMounted) {
  const std::string path = cgroup{}.path();
  const auto unmounted = [&path] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return false;
    std::string place = path;
    while (!place.empty() && ::umount2(place.c_str(), MNT_DETACH) != 0) place.erase(place.rfind('/'));
    return !place.empty();
  };
  if (!in_a_copy(unmounted)) GTEST_SKIP() << "what is mounted cannot be changed here";
  EXPECT_TRUE(in_a_copy([&] {
    std::string why;
    return unmounted() && !cgroup::try_make(why) &&
           why == "/proc/self/mountinfo (no cgroup2 is mounted): No such device";
  }));
}

} // namespace
