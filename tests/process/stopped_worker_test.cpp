// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Workers that SIGSTOP holds, in a call and in the pool's stop: the plan ends them, within its time.
#include "process/subject.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

namespace {

using namespace process_test;
using lastcall::pool_errc;
using lastcall::stop_step;

class StoppedWorker : public testing::Test {
protected:
  void SetUp() override { ::alarm(90); }
  /// Until the kernel says that it is stopped.
  static void stop_now(pid_t pid) {
    ::kill(pid, SIGSTOP);
    const std::string path = "/proc/" + std::to_string(pid) + "/stat";
    for (char state = 0; state != 'T';) {
      char text[512]{};
      const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      ASSERT_GT(::read(fd, text, sizeof text - 1), 0);
      ::close(fd);
      const std::string line = text;
      state = line[line.rfind(')') + 2];
    }
  }
  a_pipe said, answer;
  lastcall::zygote nursery;
};

TEST_F(StoppedWorker, InACallIsKilledByThePlanAndItsCallIsToldSo) {
  pool_of_subjects pool{
      nursery,
      {.workers = 2, .plan = {stop_step::ask(2s), stop_step::term(20ms), stop_step::kill(long_enough)}}};
  const int which = pool.call<&subject::index>().get(); // who was busy last has the next call, too
  auto held = pool.call<&subject::meet>(said.ends[1], answer.ends[0]);
  said.take();
  const pid_t pid = pool.pids()[static_cast<std::size_t>(which)];
  stop_now(pid);
  const auto began = std::chrono::steady_clock::now();
  const auto report = pool.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
  EXPECT_TRUE(report.in_time);
  EXPECT_TRUE(report.left_behind.empty());
  EXPECT_EQ(report.calls_dropped, 1U);
  ASSERT_EQ(report.ends.size(), 2U);
  EXPECT_EQ(describe(report.ends.front().end), "exited with status 0") << "the other one heard";
  EXPECT_EQ(report.ends.back().text, "worker " + std::to_string(which) + " (pid " + std::to_string(pid) +
                                         ") killed by SIGKILL during a call");
  EXPECT_TRUE(report.ends.back().asked);
  const auto error = error_of([&] { held.get(); });
  EXPECT_EQ(error.code(), pool_errc::stopped_while_waiting);
  EXPECT_EQ(error.what(), report.ends.back().text);
}

TEST_F(StoppedWorker, ThatGoesOnWhileThePlanAsksFinishesItsCall) {
  pool_of_subjects pool{
      nursery, {.workers = 1, .queue = 1, .plan = {stop_step::ask(long_enough), stop_step::kill(1s)}}};
  auto held = pool.call<&subject::meet>(said.ends[1], answer.ends[0]);
  said.take();
  auto queued = pool.call<&subject::last>();
  const int pid = pool.pids().front();
  stop_now(pid);
  std::thread stops{[&] {
    const auto report = pool.stop();
    EXPECT_TRUE(report.in_time);
    EXPECT_EQ(report.calls_dropped, 1U) << "the one in the queue";
    ASSERT_EQ(report.ends.size(), 1U);
    EXPECT_TRUE(report.ends.front().end.success()) << report.ends.front().text;
  }};
  wait_for_stop_of(pool);
  answer.put();
  ::kill(pid, SIGCONT);
  EXPECT_EQ(held.get(), 1);
  stops.join();
}

TEST_F(StoppedWorker, InACallWithADeadlineIsReplaced) {
  pool_of_subjects pool{nursery, {.workers = 1}};
  auto held = pool.call_within<&subject::meet>(deadline::after(100ms), said.ends[1], answer.ends[0]);
  said.take();
  const int pid = pool.pids().front();
  stop_now(pid);
  EXPECT_EQ(error_of([&] { held.get(); }).code(), pool_errc::deadline);
  EXPECT_NE(pool.call<&subject::pid>().get(), pid);
}

TEST_F(StoppedWorker, ThatTheStopFindsStoppedBetweenItsStepsIsKilledAllTheSame) {
  // TERM reaches it, but is not acted upon; it is stopped while it computes and was asked already.
  pool_of_subjects pool{nursery,
                        {.workers = 1,
                         .queue = 1,
                         .plan = {stop_step::ask(1s), stop_step::term(50ms), stop_step::kill(long_enough)}}};
  auto busy = pool.call<&subject::compute>(said.ends[1]);
  said.take();
  auto queued = pool.call<&subject::last>();
  const int pid = pool.pids().front();
  lastcall::workers_report report;
  std::thread stops{[&] { report = pool.stop(); }};
  wait_for_stop_of(pool);
  stop_now(pid);
  stops.join();
  EXPECT_TRUE(report.in_time);
  ASSERT_EQ(report.ends.size(), 1U);
  EXPECT_EQ(describe(report.ends.front().end), "killed by SIGKILL");
  EXPECT_EQ(error_of([&] { busy.get(); }).code(), pool_errc::stopped_while_waiting);
}

} // namespace
