// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Workers that do not come up, whichever of them it is.
#include "process/subject.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace {

using namespace process_test;
using lastcall::pool_errc;

class PoolStart : public testing::Test {
protected:
  void SetUp() override { ::alarm(90); }

  /// The error of a start of three workers, of which the k-th does that. Nothing of it is left.
  std::string failed(const std::string& how, int k, lastcall::worker_options options = {}) {
    options.workers = 3;
    const auto error = error_of([&] { pool_of_subjects{nursery, options, how + ' ' + std::to_string(k)}; });
    EXPECT_EQ(error.code(), pool_errc::start_failed) << error.what();
    EXPECT_EQ(children_of(nursery.pid()), "");
    std::string text = error.what(); // "worker 1 (pid 4711) …" without the number
    if (const auto from = text.find(" (pid "); from != std::string::npos)
      text.erase(from, text.find(')', from) + 1 - from);
    return text;
  }
  static std::string children_of(int pid) {
    const std::string path = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children";
    char text[256]{};
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const auto size = ::read(fd, text, sizeof text - 1);
    ::close(fd);
    return {text, static_cast<std::size_t>(size > 0 ? size : 0)};
  }
  lastcall::zygote nursery;
};

TEST_F(PoolStart, SaysWhatTheConstructorHasThrown) {
  for (int k = 0; k < 3; ++k)
    EXPECT_EQ(failed("throw", k), "worker " + std::to_string(k) + " did not start: no patterns");
}

TEST_F(PoolStart, SaysThatTheConstructorHasExited) {
  for (int k = 0; k < 3; ++k)
    EXPECT_EQ(failed("exit", k),
              "worker " + std::to_string(k) + " exited with status 3 before its object was made");
}

TEST_F(PoolStart, SaysThatTheConstructorHasCrashed) {
  const auto text = failed("crash", 1);
  EXPECT_EQ(text.find("worker 1 killed by SIGABRT"), 0U) << text;
}

TEST_F(PoolStart, EndsAConstructorThatHangsByTheDeadline) {
  for (int k = 0; k < 3; ++k)
    EXPECT_EQ(failed("hang", k, {.start_within = 1s}),
              "worker " + std::to_string(k) + " did not start: its object was not made within 1.00 s");
}

TEST_F(PoolStart, EndsByTheDeadlineOfTheBootstrapWhereTheZygoteIsStopped) {
  ASSERT_EQ(::kill(nursery.pid(), SIGSTOP), 0);
  const auto error = error_of([&] { pool_of_subjects{nursery, {.workers = 1, .bootstrap_within = 20ms}}; });
  EXPECT_EQ(error.code(), pool_errc::start_failed);
  ::kill(nursery.pid(), SIGCONT);
}

TEST_F(PoolStart, SaysThatTheZygoteHasEnded) {
  ASSERT_EQ(::kill(nursery.pid(), SIGKILL), 0);
  siginfo_t what{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(nursery.pid()), &what, WEXITED | WNOWAIT), 0);
  try {
    const pool_of_subjects pool{nursery, {.workers = 1}};
    ADD_FAILURE() << "a pool without a zygote";
  } catch (const std::system_error& error) {
    EXPECT_EQ(std::string{error.what()}, "sendmsg (the zygote has ended): Broken pipe");
  }
}

TEST_F(PoolStart, IsNotFooledByAConstructorThatForks) {
  pool_of_subjects pool{nursery, {.workers = 2}, "fork"};
  for (int i = 0; i < 50; ++i) EXPECT_EQ(pool.call<&subject::add>(i, 1).get(), i + 1);
  const auto report = pool.stop();
  EXPECT_TRUE(report.in_time);
  for (const auto& each : report.ends) EXPECT_TRUE(each.end.success()) << each.text;
}

TEST_F(PoolStart, AnOrphanOfTheConstructorsDoesNotHoldUpTheEndOfItsWorker) {
  pool_of_subjects pool{nursery, {.workers = 1}, "orphan"};
  const auto error = error_of([&] { pool.call<&subject::leave>(5).get(); });
  EXPECT_EQ(error.code(), pool_errc::worker_ended);
  EXPECT_EQ(describe(*error.end()), "exited with status 5");
}

TEST_F(PoolStart, RefusesOptionsWithoutSense) {
  EXPECT_THROW(pool_of_subjects(nursery, {.workers = 0}), std::invalid_argument);
  EXPECT_THROW(pool_of_subjects(nursery, {.queue = 0}), std::invalid_argument);
}

TEST(Zygote, IsRefusedOnceThereAreThreads) {
  a_pipe hold;
  std::thread waits{[&] { hold.take(); }};
  EXPECT_THROW(lastcall::zygote{}, std::logic_error);
  hold.put();
  waits.join();
}

TEST(Zygote, ServesSeveralPools) {
  lastcall::zygote nursery;
  pool_of_subjects one{nursery, {.workers = 1}}, two{nursery, {.workers = 2}};
  EXPECT_EQ(one.call<&subject::add>(1, 1).get() + two.call<&subject::add>(1, 1).get(), 4);
}

} // namespace
