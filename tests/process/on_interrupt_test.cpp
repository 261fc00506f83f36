// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What workers do about signals of their own, and what their manager hears of it. (forkserver_sigint)
#include "process/subject.hpp"

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/sys/config.hpp>

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>

namespace {

using namespace process_test;
using lastcall::on_interrupt;
using lastcall::pool_errc;

class OnInterrupt : public testing::Test {
protected:
  void SetUp() override { ::alarm(90); }

  lastcall::worker_options options(on_interrupt policy) {
    lastcall::worker_options made{.workers = 1, .on_interrupt = policy};
    made.on_request = [this](const lastcall::worker_request& what) {
      const std::scoped_lock held{lock};
      requests.push_back(what);
      came.notify_all();
    };
    made.on_end = [this](const lastcall::worker_end& what) {
      const std::scoped_lock held{lock};
      ends.push_back(what);
      came.notify_all();
    };
    return made;
  }
  lastcall::worker_request first_request() {
    std::unique_lock held{lock};
    came.wait(held, [&] { return !requests.empty(); });
    return requests.front();
  }
  lastcall::worker_end first_end() {
    std::unique_lock held{lock};
    came.wait(held, [&] { return !ends.empty(); });
    return ends.front();
  }

  a_pipe said, answer;
  int group = ::setpgid(0, 0); // for a Ctrl-C that is to reach these processes and no other
  lastcall::zygote nursery;
  std::mutex lock;
  std::condition_variable came;
  std::vector<lastcall::worker_request> requests;
  std::vector<lastcall::worker_end> ends;
};

TEST_F(OnInterrupt, IgnoredUntilTheStopAndReportedWithItsSender) {
  pool_of_subjects pool{nursery, options(on_interrupt::ignore_until_stop)};
  const int pid = pool.call<&subject::pid>().get();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    ASSERT_EQ(::kill(pid, signal), 0);
    const auto what = first_request();
    EXPECT_EQ(what.signal, signal);
    EXPECT_EQ(what.pid, pid);
    EXPECT_EQ(what.sender, ::getpid());
    const std::scoped_lock held{lock};
    requests.clear();
  }
  EXPECT_EQ(pool.call<&subject::pid>().get(), pid) << "the same worker";
}

TEST_F(OnInterrupt, IgnoredInTheMiddleOfACall) {
  if (LASTCALL_CONFIG_THREAD_SANITIZER)
    GTEST_SKIP() << "ThreadSanitizer keeps a handler waiting while its thread is in a read";
  pool_of_subjects pool{nursery, options(on_interrupt::ignore_until_stop)};
  const int pid = pool.call<&subject::pid>().get();
  auto busy = pool.call<&subject::meet>(said.ends[1], answer.ends[0]);
  said.take();
  ASSERT_EQ(::kill(pid, SIGINT), 0);
  first_request();
  answer.put();
  EXPECT_EQ(busy.get(), 1);
}

TEST_F(OnInterrupt, SigtermEndsOneThatIgnoresOnceItWasAskedToStop) {
  auto with_plan = options(on_interrupt::ignore_until_stop);
  with_plan.plan = {lastcall::stop_step::ask(1s), lastcall::stop_step::term(long_enough),
                    lastcall::stop_step::kill(1s)};
  pool_of_subjects pool{nursery, with_plan};
  auto busy = pool.call<&subject::compute>(said.ends[1]);
  said.take();
  pool.stop();
  EXPECT_EQ(describe(first_end().end), "killed by SIGTERM");
}

TEST_F(OnInterrupt, EndQuietlyCutsTheCallAtItsCheckpoint) {
  pool_of_subjects pool{nursery, options(on_interrupt::end_quietly)};
  testing::internal::CaptureStderr();
  const int pid = pool.call<&subject::pid>().get();
  auto cut = pool.call<&subject::wait_in_library>(said.ends[1]);
  said.take();
  ASSERT_EQ(::kill(pid, SIGINT), 0);
  const auto error = error_of([&] { cut.get(); });
  EXPECT_EQ(error.code(), pool_errc::worker_ended) << error.what();
  EXPECT_EQ(describe(*error.end()), "exited with status 0");
  EXPECT_EQ(first_request().signal, SIGINT);
  EXPECT_NE(pool.call<&subject::pid>().get(), pid);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(OnInterrupt, EndQuietlyEndsAnIdleWorker) {
  pool_of_subjects pool{nursery, options(on_interrupt::end_quietly)};
  const int pid = pool.call<&subject::pid>().get();
  ASSERT_EQ(::kill(pid, SIGTERM), 0);
  EXPECT_EQ(describe(first_end().end), "exited with status 0");
}

TEST_F(OnInterrupt, DeliverAfterFinishesTheCallAndThenEnds) {
  if (LASTCALL_CONFIG_THREAD_SANITIZER)
    GTEST_SKIP() << "ThreadSanitizer keeps a handler waiting while its thread is in a read";
  pool_of_subjects pool{nursery, options(on_interrupt::deliver_after)};
  const int pid = pool.call<&subject::pid>().get();
  auto busy = pool.call<&subject::meet>(said.ends[1], answer.ends[0]);
  said.take();
  ASSERT_EQ(::kill(pid, SIGINT), 0);
  first_request();
  answer.put();
  EXPECT_EQ(busy.get(), 1) << "the call was finished";
  EXPECT_EQ(describe(first_end().end), "exited with status 0");
  EXPECT_NE(pool.call<&subject::pid>().get(), pid);
}

TEST_F(OnInterrupt, ATerminalsCtrlCDisturbsNobodyButTheManager) {
  ASSERT_EQ(group, 0);
  lastcall::signal_scope signals;
  pool_of_subjects pool{nursery, options(on_interrupt::ignore_until_stop)};
  pool.call<&subject::pid>().get();
  ASSERT_EQ(::kill(0, SIGINT), 0);
  EXPECT_EQ(first_request().signal, SIGINT);
  EXPECT_THROW(lastcall::checkpoint(), lastcall::interrupted);
  signals.acknowledge();
  EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2);
  pool_of_subjects another{nursery, {.workers = 1}};
  EXPECT_EQ(another.call<&subject::add>(1, 1).get(), 2) << "the zygote is there";
}

TEST_F(OnInterrupt, AWaitForAReplyEndsByARequestAndTheReplyStaysValid) {
  lastcall::signal_scope signals;
  pool_of_subjects pool{nursery, {.workers = 1}};
  auto busy = pool.call<&subject::meet>(said.ends[1], answer.ends[0]);
  said.take();
  signals.request_stop("enough");
  EXPECT_THROW(busy.get(), lastcall::interrupted);
  signals.acknowledge();
  answer.put();
  EXPECT_EQ(busy.get(), 1);
}

} // namespace
