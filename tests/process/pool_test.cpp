// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/subject.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace process_test;
using lastcall::pool_errc;
using lastcall::stop_step;

class Pool : public testing::Test {
protected:
  void SetUp() override { ::alarm(90); }
  a_pipe said, answer; // before the zygote: its workers have them
  lastcall::zygote nursery;
};

TEST_F(Pool, CallsMethodsAndGivesTheirResults) {
  pool_of_subjects pool{nursery, {.workers = 2}};
  auto sum = pool.call<&subject::add>(2, 3);
  EXPECT_EQ(sum.get(), 5);
  EXPECT_TRUE(sum.ready());
  EXPECT_EQ(pool.call<&subject::echo>("words").get(), "words");
  EXPECT_NE(pool.call<&subject::pid>().get(), ::getpid());
  EXPECT_EQ(pool.ready(), 2U);
}

TEST_F(Pool, HoldsAnObjectInEachWorker) {
  pool_of_subjects pool{nursery, {.workers = 3}};
  std::set<int> pids, indices;
  for (auto& each : pool.broadcast<&subject::pid>()) pids.insert(each.get());
  for (auto& each : pool.broadcast<&subject::index>()) indices.insert(each.get());
  EXPECT_EQ(pids.size(), 3U);
  EXPECT_EQ(indices, (std::set{0, 1, 2}));
}

TEST_F(Pool, TellsWhatAMethodHasThrown) {
  pool_of_subjects pool{nursery, {.workers = 1}};
  const auto error = error_of([&] { pool.call<&subject::throws>("a pity").get(); });
  EXPECT_EQ(error.code(), pool_errc::call_failed);
  EXPECT_STREQ(error.what(), "a pity");
  EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2) << "the worker goes on";
}

TEST_F(Pool, CarriesTensOfMegabytesBothWaysAtOnce) {
  pool_of_subjects pool{nursery, {.workers = 2}};
  const std::string large(40U << 20U, 'x');
  std::vector<lastcall::reply<std::string, lastcall::plain_codec>> replies;
  for (int i = 0; i < 4; ++i) replies.push_back(pool.call<&subject::echo>(large));
  for (auto& each : replies) EXPECT_TRUE(each.get() == large);
}

TEST_F(Pool, RefusesWhatIsLongerThanAFrameMayBe) {
  pool_of_subjects pool{nursery, {.workers = 1, .frame_limit = 1000}};
  EXPECT_THROW(pool.call<&subject::size_of>(std::string(2000, 'x')), std::length_error);
  EXPECT_EQ(pool.call<&subject::size_of>(std::string(900, 'x')).get(), 900U);
}

TEST_F(Pool, BroadcastsGoAheadOfQueuedCalls) {
  pool_of_subjects pool{nursery, {.workers = 1}};
  auto busy = pool.call<&subject::meet>(said.ends[1], answer.ends[0]);
  said.take();
  auto queued = pool.call<&subject::last>();
  auto told = pool.broadcast<&subject::set>(42);
  answer.put();
  EXPECT_EQ(queued.get(), 42);
  EXPECT_EQ(busy.get(), 1);
  told.front().get();
}

TEST_F(Pool, StopsAheadOfBroadcastsAndCalls) {
  pool_of_subjects pool{nursery, {.workers = 1}};
  auto busy = pool.call<&subject::meet>(said.ends[1], answer.ends[0]);
  said.take();
  auto queued = pool.call<&subject::last>();
  auto told = pool.broadcast<&subject::set>(42);
  std::thread stops{[&] { pool.stop(); }};
  EXPECT_EQ(error_of([&] { queued.get(); }).code(), pool_errc::stopped_while_waiting);
  EXPECT_EQ(error_of([&] { told.front().get(); }).code(), pool_errc::stopped_while_waiting);
  answer.put();
  EXPECT_EQ(busy.get(), 1) << "what runs may end while the plan asks";
  stops.join();
  EXPECT_EQ(error_of([&] { pool.call<&subject::last>(); }).code(), pool_errc::stopped);
  const auto again = pool.stop();
  EXPECT_TRUE(again.in_time) << "stopping twice is no error";
  ASSERT_EQ(again.ends.size(), 1U);
  EXPECT_TRUE(again.ends.front().end.success());
  EXPECT_TRUE(again.ends.front().asked);
  EXPECT_EQ(again.calls_dropped, 2U);
}

TEST_F(Pool, StopsWithAllWorkersBusyAndTheQueueFull) {
  pool_of_subjects pool{nursery,
                        {.workers = 2,
                         .queue = 3,
                         .plan = {stop_step::ask(1s), stop_step::term(long_enough), stop_step::kill(1s)}}};
  auto one = pool.call<&subject::compute>(said.ends[1]);
  auto two = pool.call<&subject::compute>(said.ends[1]);
  said.take();
  said.take();
  std::vector<lastcall::reply<int, lastcall::plain_codec>> queued;
  for (int i = 0; i < 3; ++i) queued.push_back(pool.call<&subject::last>());
  EXPECT_FALSE(pool.try_call<&subject::last>());
  const auto report = pool.stop();
  EXPECT_TRUE(report.in_time);
  EXPECT_EQ(error_of([&] { one.get(); }).code(), pool_errc::stopped_while_waiting);
  EXPECT_EQ(error_of([&] { queued[2].get(); }).code(), pool_errc::stopped_while_waiting);
  for (const auto& each : report.ends) EXPECT_EQ(describe(each.end), "killed by SIGTERM") << each.text;
}

TEST_F(Pool, WakesACallerThatWaitsForRoom) {
  pool_of_subjects pool{nursery, {.workers = 1, .queue = 1}};
  auto busy = pool.call<&subject::meet>(said.ends[1], answer.ends[0]);
  said.take();
  auto queued = pool.call<&subject::last>();
  int got = 0;
  std::thread waits{[&] { got = pool.call<&subject::add>(1, 1).get(); }};
  answer.put();
  waits.join();
  EXPECT_EQ(got, 2);
}

TEST_F(Pool, DrainsWhatIsInBeforeItStops) {
  pool_of_subjects pool{nursery, {.workers = 1}};
  auto busy = pool.call<&subject::meet>(said.ends[1], answer.ends[0]);
  said.take();
  auto queued = pool.call<&subject::add>(4, 5);
  std::thread drains{[&] { EXPECT_TRUE(pool.drain(deadline::after(long_enough)).in_time); }};
  answer.put();
  drains.join();
  EXPECT_EQ(queued.get(), 9);
}

TEST_F(Pool, ACallsDeadlinePassesInTheQueueAndInTheWorker) {
  pool_of_subjects pool{nursery, {.workers = 1}};
  auto busy = pool.call_within<&subject::compute>(deadline::after(60ms), said.ends[1]);
  said.take();
  auto queued = pool.call_within<&subject::last>(deadline::after(1ms));
  EXPECT_EQ(error_of([&] { queued.get(); }).code(), pool_errc::deadline);
  EXPECT_EQ(error_of([&] { busy.get(); }).code(), pool_errc::deadline);
  EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2) << "another worker has taken its place";
}

TEST_F(Pool, ALateCallMayRunOnWhereThatIsWanted) {
  pool_of_subjects pool{nursery, {.workers = 1, .on_late = lastcall::on_late_call::let_run}};
  const int pid = pool.call<&subject::pid>().get();
  auto busy = pool.call_within<&subject::meet>(deadline::after(5ms), said.ends[1], answer.ends[0]);
  said.take();
  EXPECT_EQ(error_of([&] { busy.get(); }).code(), pool_errc::deadline);
  answer.put();
  EXPECT_EQ(pool.call<&subject::pid>().get(), pid);
}

TEST_F(Pool, TellsARunningMethodOfTheStop) {
  pool_of_subjects pool{nursery, {.workers = 1}};
  auto busy = pool.call<&subject::wait_for_stop>(said.ends[1]);
  said.take();
  EXPECT_TRUE(pool.stop().in_time);
  EXPECT_TRUE(busy.get());
}

TEST_F(Pool, KillsWhatDoesNotHearAndIsStoppedAsWell) {
  pool_of_subjects pool{
      nursery,
      {.workers = 1, .plan = {stop_step::ask(5ms), stop_step::term(5ms), stop_step::kill(long_enough)}}};
  pool.signal_worker(0, SIGSTOP);
  const auto report = pool.stop();
  ASSERT_EQ(report.ends.size(), 1U);
  EXPECT_EQ(describe(report.ends.front().end), "killed by SIGKILL");
}

TEST_F(Pool, CallsFromManyThreadsEachGetTheirOwnAnswer) {
  pool_of_subjects pool{nursery, {.workers = 2, .queue = 4}};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&, t] {
      for (int i = 0; i < 250; ++i) EXPECT_EQ(pool.call<&subject::add>(t * 1000, i).get(), t * 1000 + i);
    });
  for (auto& each : callers) each.join();
}

TEST_F(Pool, AForkedProcessLeavesItAlone) {
  pool_of_subjects pool{nursery, {.workers = 1}};
  const pid_t child = ::fork();
  if (child == 0) {
    pool.~worker_pool();
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2);
}

} // namespace
