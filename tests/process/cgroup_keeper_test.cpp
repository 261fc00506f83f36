// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Pools in cgroups, and what becomes of both when their manager is killed. Workers also come by a new start
// of this very test program, which therefore has a main of its own.
#include "process/broken_away.hpp"

#include <lastcall/process/child.hpp>
#include <lastcall/process/reexec.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace process_test;
using lastcall::cgroup;
using lastcall::child;

lastcall::reexec* self = nullptr;

TEST_F(Cgroup, AStartInOneThatIsGoneFailsByName) {
  lastcall::zygote nursery;
  cgroup group;
  ASSERT_EQ(::rmdir(group.path().c_str()), 0);
  try {
    child it{{"true"}, {.inside = &group}};
    ADD_FAILURE() << "started";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.what(), "write (" + group.path() + "/cgroup.procs): No such device");
  }
  const auto error = error_of([&] { pool_of_starters{nursery, {.workers = 1, .inside = &group}}; });
  EXPECT_EQ(error.code(), lastcall::pool_errc::start_failed);
  const std::string text = error.what();
  EXPECT_TRUE(text.ends_with("did not start: write (a worker's cgroup.procs): No such device")) << text;
  try {
    pool_of_starters{*self, {.workers = 1, .inside = &group}};
    ADD_FAILURE() << "started";
  } catch (const std::system_error& failure) {
    EXPECT_STREQ(failure.what(), "write (a worker's cgroup.procs): No such device");
  }
  EXPECT_TRUE(group.empty());
  EXPECT_TRUE(group.kill());
  EXPECT_TRUE(group.processes().empty());
}

TEST_F(Cgroup, HoldsWhatWorkersHaveStarted) {
  lastcall::zygote nursery;
  for (lastcall::process_source* const from :
       {static_cast<lastcall::process_source*>(&nursery), static_cast<lastcall::process_source*>(self)}) {
    cgroup group{*from};
    pid_t away = 0;
    {
      pool_of_starters pool{*from, {.workers = 2, .inside = &group}};
      away = pool.call<&starter::start>().get();
      const auto found = group.processes();
      EXPECT_EQ(found.size(), 3U) << "two workers, and who has broken away; nobody's keeper, no zygote";
      EXPECT_EQ(std::count(found.begin(), found.end(), away), 1);
      EXPECT_TRUE(pool.stop().in_time);
    }
    EXPECT_EQ(group.processes(), std::vector<pid_t>{away}) << "workers have ended, it has not";
    group.kill();
    EXPECT_EQ(signal_of(away), SIGKILL);
  }
}

TEST_F(Cgroup, HoldsWorkersThatTakeTheOthersPlace) {
  lastcall::zygote nursery;
  cgroup group;
  pool_of_subjects pool{nursery, {.workers = 1, .inside = &group}};
  error_of([&] { pool.call<&subject::leave>(4).get(); });
  EXPECT_EQ(group.processes(), std::vector<pid_t>{pool.call<&subject::pid>().get()});
}

class CgroupKeeper : public Cgroup {
protected:
  struct report {
    pid_t away = 0;
    pid_t keeper = 0;
    char path[256]{};
  };
  /// A manager that has a pool, of which somebody has broken away.
  pid_t manager(lastcall::process_source* from, lastcall::duration grace) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::alarm(60);
    std::optional<lastcall::zygote> nursery;
    if (from == nullptr) from = &nursery.emplace();
    cgroup group{*from, grace};
    pool_of_starters pool{*from, {.workers = 2, .orphan_grace = 50ms, .inside = &group}};
    report all;
    all.away = pool.call<&starter::start>().get();
    all.keeper = group.keeper_pid();
    group.path().copy(all.path, sizeof all.path - 1);
    if (::write(said.ends[1], &all, sizeof all) != sizeof all) std::abort();
    subject::hang();
  }
  report told() {
    report all;
    EXPECT_EQ(::read(said.ends[0], &all, sizeof all), static_cast<ssize_t>(sizeof all));
    return all;
  }
  a_pipe said;
};

TEST_F(CgroupKeeper, EndsWhatIsLeftOfAKilledManager) {
  for (lastcall::process_source* const from :
       {static_cast<lastcall::process_source*>(nullptr), static_cast<lastcall::process_source*>(self)}) {
    const pid_t pid = manager(from, 100ms);
    const report all = told();
    ::kill(pid, SIGKILL);
    EXPECT_EQ(signal_of(all.away), SIGKILL);
    all_ended();
    EXPECT_FALSE(is_there(all.path)) << all.path;
  }
}

TEST_F(CgroupKeeper, ThatIsStoppedLooksAsWell) {
  for (lastcall::process_source* const from :
       {static_cast<lastcall::process_source*>(nullptr), static_cast<lastcall::process_source*>(self)}) {
    const pid_t pid = manager(from, 10ms);
    const report all = told();
    ::kill(all.keeper, SIGSTOP);
    ::kill(pid, SIGKILL);
    EXPECT_EQ(signal_of(all.away), SIGKILL);
    all_ended();
    EXPECT_FALSE(is_there(all.path)) << all.path;
  }
}

TEST_F(CgroupKeeper, HearsNoSignalOfATerminal) {
  lastcall::zygote nursery;
  cgroup group{nursery};
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::kill(group.keeper_pid(), signal);
  pool_of_subjects pool{nursery, {.workers = 1, .inside = &group}};
  EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2);
  EXPECT_EQ(::kill(group.keeper_pid(), 0), 0);
}

TEST_F(CgroupKeeper, IsDismissedAtTheEnd) {
  {
    const cgroup group{*self};
    EXPECT_GT(group.keeper_pid(), 0);
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "and reaped";
}

TEST_F(CgroupKeeper, WhoseSourceHasEndedIsRefused) {
  lastcall::zygote nursery;
  ::kill(nursery.pid(), SIGKILL);
  std::string why;
  EXPECT_FALSE(cgroup::try_make(nursery, why));
  EXPECT_FALSE(why.empty());
}

// From the making of the group to its end, at whatever moment it is.
TEST_F(CgroupKeeper, EndsEverybodyAtRandomMomentsOfTheManagersEnd) {
  for (int round = 0; round < 40; ++round) {
    a_pipe ready;
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::alarm(60);
      lastcall::zygote nursery;
      ready.put();
      for (;;) {
        cgroup group{nursery, 10ms};
        pool_of_starters pool{nursery, {.workers = 1, .orphan_grace = 10ms, .inside = &group}};
        pool.call<&starter::start>().get();
      }
    }
    ready.take();
    std::this_thread::sleep_for(std::chrono::microseconds{round * 391 % 12000});
    ::kill(pid, SIGKILL);
    all_ended();
    const std::string parent = cgroup{}.path();
    const auto left = parent.substr(0, parent.rfind('/')) + "/lastcall-" + std::to_string(pid) + '-';
    for (int i = 0; i < 100; ++i) ::rmdir((left + std::to_string(i)).c_str()); // made, and no keeper yet
  }
}

} // namespace

int main(int argc, char** argv) {
  lastcall::reexec here{argc, argv};
  self = &here;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
