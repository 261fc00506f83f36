// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Pools that have lost a worker for good, and pools whose start failed: what others still wait for is
// answered.
#include "process/subject.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace process_test;
using lastcall::pool_errc;

class BrokenPool : public testing::Test {
protected:
  void SetUp() override { ::alarm(90); }
  a_pipe said, answer, never;
  lastcall::zygote nursery;
};

// A broadcast to a worker that was busy when the pool broke, and ended then, was answered only by the pool's
// stop; and the call it had been busy with was told of a stop that there was not.
TEST_F(BrokenPool, AnswersWhatAWorkerHadStillToDoWhenThatEndsToo) {
  pool_of_subjects pool{nursery, {.workers = 2, .replacements = 0}};
  const auto first = static_cast<std::size_t>(pool.call<&subject::index>().get()); // has the next call, too
  auto one = pool.call<&subject::meet>(said.ends[1], never.ends[0]);
  said.take();
  auto two = pool.call<&subject::meet>(said.ends[1], never.ends[0]);
  said.take();
  auto told = pool.broadcast<&subject::set>(42);
  pool.signal_worker(first, SIGKILL);
  EXPECT_EQ(error_of([&] { one.get(); }).code(), pool_errc::worker_ended);
  EXPECT_EQ(error_of([&] { told[first].get(); }).code(), pool_errc::worker_ended);
  EXPECT_EQ(error_of([&] { pool.call<&subject::last>(); }).code(), pool_errc::broken);
  pool.signal_worker(1 - first, SIGKILL);
  EXPECT_EQ(error_of([&] { two.get(); }).code(), pool_errc::worker_ended);
  ASSERT_TRUE(told[1 - first].wait_until(deadline::after(long_enough)));
  EXPECT_EQ(error_of([&] { told[1 - first].get(); }).code(), pool_errc::worker_ended);
  EXPECT_TRUE(pool.stop().in_time);
}

TEST_F(BrokenPool, LetsWhoIsBusyFinishAndMakeWhatItWasTold) {
  pool_of_subjects pool{nursery, {.workers = 2, .replacements = 0}};
  const auto first = static_cast<std::size_t>(pool.call<&subject::index>().get()); // has the next call, too
  auto one = pool.call<&subject::meet>(said.ends[1], never.ends[0]);
  said.take();
  auto two = pool.call<&subject::meet>(said.ends[1], answer.ends[0]);
  said.take();
  auto told = pool.broadcast<&subject::set>(42);
  pool.signal_worker(first, SIGKILL);
  EXPECT_EQ(error_of([&] { one.get(); }).code(), pool_errc::worker_ended);
  answer.put();
  EXPECT_EQ(two.get(), 1);
  told[1 - first].get();
}

// The pool's thread, held up by a callback while the start failed, went on in a pool that had been freed.
TEST_F(BrokenPool, ACallbackThatReturnsOnlyAfterTheStartHasFailedFindsAllInPlace) {
  lastcall::worker_options options{.workers = 1};
  a_pipe go, over;
  options.on_end = [&](const lastcall::worker_end&) {
    go.take();
    over.put();
  };
  const auto error = error_of([&] { pool_of_subjects{nursery, options, "throw 0"}; });
  EXPECT_EQ(error.code(), pool_errc::start_failed) << error.what();
  std::vector<std::string> others(100, std::string(600, 'x')); // takes what was freed
  go.put();
  over.take();
  pool_of_subjects pool{nursery, {.workers = 1}};
  EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2);
}

} // namespace
