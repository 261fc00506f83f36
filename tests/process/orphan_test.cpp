// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The manager's process ends, and nobody is left of it.
//
// Each manager is a child of the test, which is the subreaper of all below it: it sees every one of them end.
// Who is left is counted by waiting, with a deadline that is far away; who does not end makes the test fail
// by its alarm.
#include "process/subject.hpp"

#include <lastcall/process/log_writer.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using namespace process_test;

class Orphans : public testing::Test {
protected:
  void SetUp() override {
    ::alarm(90);
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  }

  /// A process that lives as `life` says, and is ready when that has said so.
  pid_t manager(const std::function<void()>& life) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::alarm(60);
      life();
      subject::hang();
    }
    said.take();
    return pid;
  }
  /// Everybody has ended; how many there were.
  static int all_ended() {
    int count = 0;
    while (::waitpid(-1, nullptr, __WALL) > 0) ++count;
    return count;
  }

  a_pipe said, answer;
};

TEST_F(Orphans, IdleOnesEndWithTheirManager) {
  const pid_t pid = manager([&] {
    lastcall::zygote nursery;
    pool_of_subjects pool{nursery, {.workers = 3}};
    said.put();
    subject::hang();
  });
  ::kill(pid, SIGKILL);
  EXPECT_GE(all_ended(), 2) << "manager and zygote at least, which may have reaped its workers";
}

TEST_F(Orphans, OnesThatComputeAreKilledByTheirOwnLifeline) {
  const pid_t pid = manager([&] {
    lastcall::zygote nursery;
    pool_of_subjects pool{nursery, {.workers = 2, .orphan_grace = 20ms}};
    auto one = pool.call<&subject::compute>(answer.ends[1]);
    auto two = pool.call<&subject::compute>(answer.ends[1]);
    answer.take();
    answer.take();
    said.put();
    subject::hang();
  });
  ::kill(pid, SIGKILL);
  EXPECT_GE(all_ended(), 2);
}

TEST_F(Orphans, StoppedOnesEndToo) {
  const pid_t pid = manager([&] {
    lastcall::zygote nursery;
    pool_of_subjects pool{nursery, {.workers = 2}};
    for (std::size_t i = 0; i < 2; ++i) pool.signal_worker(i, SIGSTOP);
    ::kill(nursery.pid(), SIGSTOP);
    said.put();
    subject::hang();
  });
  ::kill(pid, SIGKILL);
  EXPECT_GE(all_ended(), 2);
}

// The zygote may reap its workers before it ends: so each is looked at by itself.
TEST_F(Orphans, AForkedProcessThatHoldsTheSocketsHoldsUpNobody) {
  using family = std::array<pid_t, 4>;
  a_pipe names;
  const pid_t pid = manager([&] {
    lastcall::zygote nursery;
    pool_of_subjects pool{nursery, {.workers = 2}};
    if (::fork() == 0) { // has a copy of everything, and goes on
      ::alarm(60);
      answer.take();
      ::_exit(0);
    }
    const family all{::getpid(), nursery.pid(), pool.pids().at(0), pool.pids().at(1)};
    if (::write(names.ends[1], &all, sizeof all) != sizeof all) std::abort();
    said.put();
    subject::hang();
  });
  family all{};
  ASSERT_EQ(::read(names.ends[0], &all, sizeof all), ssize_t{sizeof all});
  std::vector<pollfd> ends;
  for (const pid_t one : all)
    ends.push_back({static_cast<int>(::syscall(SYS_pidfd_open, one, 0)), POLLIN, 0});
  ::kill(pid, SIGKILL);
  for (auto& one : ends) {
    ASSERT_GE(one.fd, 0);
    EXPECT_EQ(::poll(&one, 1, 30'000), 1) << "manager, zygote and both workers";
    ::close(one.fd);
  }
  answer.put();
  EXPECT_GE(all_ended(), 3) << "manager, zygote and the forked one";
}

TEST_F(Orphans, OnesInTheMiddleOfTheirStartEnd) {
  const pid_t pid = manager([&] {
    lastcall::zygote nursery;
    std::thread says{[&] { said.put(); }};
    says.detach();
    pool_of_subjects{nursery, {.workers = 2, .orphan_grace = 20ms}, "hang"};
  });
  ::kill(pid, SIGKILL);
  EXPECT_GE(all_ended(), 2);
}

// From the fork of the zygote to the end of the pool, at whatever moment it is.
TEST_F(Orphans, AtRandomMomentsOfItsLife) {
  for (int round = 0; round < 60; ++round) {
    const pid_t pid = manager([&] {
      said.put();
      for (;;) {
        lastcall::zygote nursery;
        pool_of_subjects pool{nursery, {.workers = 2, .orphan_grace = 50ms}};
        pool.call<&subject::add>(1, 1).get();
      }
    });
    std::this_thread::sleep_for(std::chrono::microseconds{round * 173 % 9000});
    ::kill(pid, SIGKILL);
    EXPECT_GE(all_ended(), 1);
  }
}

TEST_F(Orphans, TheLogWriterWritesWhatItHasAndEnds) {
  char file[] = "/tmp/lastcall-orphans-XXXXXX";
  const int log_fd = ::mkstemp(file);
  const pid_t pid = manager([&] {
    lastcall::zygote nursery;
    lastcall::log_writer log{nursery, lastcall::raw_fd::own(log_fd)};
    for (int i = 0; i < 1000; ++i) log.write("a record of which nothing is lost");
    said.put();
    subject::hang();
  });
  ::kill(pid, SIGKILL);
  EXPECT_GE(all_ended(), 2);
  struct stat found {};
  ::fstat(log_fd, &found);
  EXPECT_EQ(found.st_size, 34 * 1000);
  ::unlink(file);
}

TEST_F(Orphans, AThreadThatEndsIsNoEndOfTheManager) {
  lastcall::zygote nursery;
  std::unique_ptr<pool_of_subjects> pool;
  std::thread makes{[&] { pool = std::make_unique<pool_of_subjects>(nursery, lastcall::worker_options{}); }};
  makes.join();
  EXPECT_EQ(pool->call<&subject::add>(1, 1).get(), 2);
}

} // namespace
