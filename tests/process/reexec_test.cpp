// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Workers by a new start of this very test program, which therefore has a main of its own.
#include "process/subject.hpp"

#include <lastcall/process/child.hpp>
#include <lastcall/process/log_writer.hpp>
#include <lastcall/process/reexec.hpp>

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include <sys/prctl.h>

namespace {

using namespace process_test;
using lastcall::pool_errc;

lastcall::reexec* self = nullptr;

TEST(Reexec, WorkersDoAsThoseOfAZygote) {
  ::alarm(90);
  std::thread{[] {}}.join(); // threads are no obstacle
  pool_of_subjects pool{*self, {.workers = 2}, "nothing"};
  EXPECT_EQ(pool.call<&subject::add>(2, 3).get(), 5);
  EXPECT_EQ(pool.call<&subject::echo>(std::string(5U << 20U, 'x')).get().size(), 5U << 20U);
  const auto error = error_of([&] { pool.call<&subject::leave>(4).get(); });
  EXPECT_EQ(describe(*error.end()), "exited with status 4");
  EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2);
  EXPECT_TRUE(pool.stop().in_time);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "all are reaped";
}

TEST(Reexec, AFailingStartIsTold) {
  ::alarm(90);
  const auto error = error_of([&] { pool_of_subjects{*self, {.workers = 2}, "throw 1"}; });
  EXPECT_EQ(error.code(), pool_errc::start_failed);
  EXPECT_NE(std::string{error.what()}.find("did not start: no patterns"), std::string::npos) << error.what();
}

TEST(Reexec, AWorkerThatWasReapedElsewhereIsSurvived) {
  ::alarm(90);
  ::signal(SIGCHLD, SIG_IGN);
  pool_of_subjects pool{*self, {.workers = 1}};
  const auto error = error_of([&] { pool.call<&subject::leave>(4).get(); });
  ASSERT_TRUE(error.end());
  EXPECT_TRUE(error.end()->reaped_elsewhere) << error.what();
  EXPECT_EQ(pool.call<&subject::add>(1, 1).get(), 2);
}

TEST(Reexec, WorkersEndWithTheirManager) {
  ::alarm(90);
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  for (int round = 0; round < 30; ++round) {
    a_pipe said;
    const pid_t pid = ::fork();
    if (pid == 0) {
      said.put();
      pool_of_subjects pool{*self, {.workers = 2, .orphan_grace = 50ms}};
      for (;;) pool.call<&subject::add>(1, 1).get();
    }
    said.take();
    std::this_thread::sleep_for(std::chrono::microseconds{round * 400});
    ::kill(pid, SIGKILL);
    while (::waitpid(-1, nullptr, __WALL) > 0) {
    }
  }
}

TEST(Reexec, NobodyElseMayTellAWorkerWhatToDo) {
  ::alarm(90);
  lastcall::child plain{{"/proc/self/exe", "--lastcall-worker"}};
  EXPECT_EQ(describe(*plain.wait_until(deadline::after(long_enough))), "exited with status 70");
}

} // namespace

int main(int argc, char** argv) {
  lastcall::reexec here{argc, argv};
  self = &here;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
