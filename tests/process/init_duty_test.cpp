// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Programs that begin as process 1 of a pid namespace, and the process in front of them.
#include <lastcall/process/init_duty.hpp>

#include <lastcall/lifecycle/application.hpp>
#include <lastcall/lifecycle/run.hpp>
#include <lastcall/process/child.hpp>

#include "process/contained.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>

#include <pthread.h>

namespace {

using namespace process_test;
using lastcall::take_init_duty;

class InitDuty : public testing::Test {
protected:
  void SetUp() override {
    ::alarm(60);
    if (!contained::permitted()) GTEST_SKIP() << "no permission to make a pid namespace";
  }
  a_pipe said, answer;
};

volatile std::sig_atomic_t came = 0;

void count(int) { came = came + 1; }

TEST_F(InitDuty, TheProgramIsAnOrdinaryProcessWithItsMaskAndDispositions) {
  contained it{[&] {
    ::signal(SIGCHLD, SIG_IGN);
    ::signal(SIGUSR1, &count);
    sigset_t some, now;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR2);
    ::sigprocmask(SIG_SETMASK, &some, nullptr);
    take_init_duty();
    ::sigprocmask(SIG_SETMASK, nullptr, &now);
    const bool as_before = sigismember(&now, SIGUSR2) == 1 && sigismember(&now, SIGTERM) == 0 &&
                           ::signal(SIGCHLD, SIG_DFL) == SIG_IGN && ::signal(SIGUSR1, SIG_DFL) == &count;
    return as_before && ::getpid() != 1 && ::getppid() == 1 && ::getpgrp() == ::getpid() ? 7 : 1;
  }};
  EXPECT_EQ(it.status(), 7);
}

TEST_F(InitDuty, TheStatusIsTheProgramsOr128AndItsSignal) {
  for (const int signal : {SIGUSR1, SIGTERM, SIGKILL, SIGRTMIN}) {
    contained it{[&] {
      take_init_duty();
      ::raise(signal);
      return 1;
    }};
    EXPECT_EQ(it.status(), 128 + signal);
  }
  contained none{[] {
    take_init_duty();
    return 0;
  }};
  EXPECT_EQ(none.status(), 0);
}

// Without the duty a process 1 hears nothing of it.
TEST_F(InitDuty, ASignalActsByItsDefault) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGALRM}) {
    contained it{[&] {
      take_init_duty();
      said.put();
      subject::hang();
      return 1;
    }};
    said.take();
    it.signal(signal);
    EXPECT_EQ(it.status(), 128 + signal);
  }
}

TEST_F(InitDuty, AnApplicationStopsBySigtermAndEndsBySigint) {
  for (const auto& [signal, status] : {std::pair{SIGTERM, 0}, std::pair{SIGINT, 130}}) {
    contained it{[&] {
      take_init_duty();
      lastcall::application app{"contained"};
      return app.run([&] {
        said.put();
        lastcall::io::sleep_until(deadline::never());
      });
    }};
    said.take();
    it.signal(signal);
    EXPECT_EQ(it.status(), status);
  }
}

TEST_F(InitDuty, ASignalToALoopEndsIt) {
  contained it{[&] {
    take_init_duty();
    return lastcall::run([&] {
      said.put();
      lastcall::io::sleep_until(deadline::never());
    });
  }};
  said.take();
  it.signal(SIGINT);
  EXPECT_EQ(it.status(), 130);
}

// Where the fork stands still the signal is sent, and goes on afterwards.
void tell_and_wait(a_pipe* say, a_pipe* wait) {
  static a_pipe *to = nullptr, *from = nullptr;
  if (say != nullptr) {
    to = say;
    from = wait;
    return;
  }
  to->put();
  from->take();
}

TEST_F(InitDuty, ASignalBeforeTheProgramIsReadyWaitsForIt) {
  for (const bool forked : {false, true}) {
    contained it{[&] {
      sigset_t term, none;
      sigemptyset(&none);
      sigemptyset(&term);
      sigaddset(&term, SIGTERM);
      ::sigprocmask(SIG_BLOCK, &term, nullptr);
      tell_and_wait(&said, &answer);
      const auto stand_still = [] { tell_and_wait(nullptr, nullptr); };
      ::pthread_atfork(forked ? nullptr : +stand_still, nullptr, forked ? +stand_still : nullptr);
      take_init_duty();
      ::signal(SIGTERM, &count);
      ::sigsuspend(&none);
      return came == 1 ? 7 : 1;
    }};
    said.take();
    it.signal(SIGTERM);
    answer.put();
    EXPECT_EQ(it.status(), 7) << (forked ? "in the program" : "in process 1");
  }
}

siginfo_t told{};

TEST_F(InitDuty, ASignalKeepsItsValueAndItsSender) {
  contained it{[&] {
    take_init_duty();
    struct ::sigaction how {};
    how.sa_flags = SA_SIGINFO;
    how.sa_sigaction = [](int, siginfo_t* info, void*) { told = *info; };
    ::sigaction(SIGUSR1, &how, nullptr);
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    ::kill(1, SIGUSR1);
    ::sigsuspend(&none);
    if (told.si_pid != ::getpid()) return 1;
    said.put();
    ::sigsuspend(&none);
    return told.si_pid == 0 && told.si_value.sival_int == 34 ? 7 : 2;
  }};
  said.take();
  siginfo_t info{};
  info.si_signo = SIGUSR1;
  info.si_code = SI_QUEUE;
  info.si_value.sival_int = 34;
  it.signal(SIGUSR1, &info);
  EXPECT_EQ(it.status(), 7) << "the sender is outside, which is number 0";
}

TEST_F(InitDuty, OrphansAreReapedWhileTheProgramRuns) {
  contained it{[&] {
    take_init_duty();
    constexpr int many = 200;
    a_pipe numbers;
    for (int i = 0; i < many; ++i)
      leave_behind([&] {
        const pid_t self = ::getpid();
        if (::write(numbers.ends[1], &self, sizeof self) != sizeof self) ::abort();
      });
    for (int i = 0; i < many; ++i) {
      pid_t orphan = 0;
      if (::read(numbers.ends[0], &orphan, sizeof orphan) != sizeof orphan) return 1;
      while (::kill(orphan, 0) == 0) std::this_thread::yield(); // a zombie has its number still
    }
    return ::waitpid(-1, nullptr, WNOHANG) == -1 ? 7 : 2;
  }};
  EXPECT_EQ(it.status(), 7);
}

TEST_F(InitDuty, WhoIsLeftBehindIsAskedWhereThereIsAGrace) {
  contained it{[&] {
    take_init_duty({.grace = long_enough});
    leave_behind([&] { end_when_asked(answer, said); });
    answer.take();
    return 7;
  }};
  EXPECT_EQ(it.status(), 7);
  EXPECT_EQ(heard(said), "x");
}

TEST_F(InitDuty, WhoIsLeftBehindIsKilled) {
  for (const auto grace : {0ms, 20ms}) {
    contained it{[&] {
      take_init_duty({.grace = grace});
      leave_behind([&] {
        ::signal(SIGTERM, SIG_IGN);
        answer.put();
        subject::hang();
      });
      answer.take();
      return 7;
    }};
    EXPECT_EQ(it.status(), 7);
  }
  EXPECT_EQ(heard(said), "") << "nobody holds it any more";
}

TEST_F(InitDuty, ItKeepsNoDescriptor) {
  contained it{[&] {
    take_init_duty();
    ::close(said.ends[1]);
    answer.take();
    return 7;
  }};
  EXPECT_EQ(heard(said), "") << "while it runs";
  answer.put();
  EXPECT_EQ(it.status(), 7);
}

TEST_F(InitDuty, AStormOfSignalsWhileTheProgramEndsIsSurvived) {
  for (int round = 0; round < 30; ++round) {
    contained it{[&] {
      for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_IGN);
      take_init_duty({.grace = round % 2 == 0 ? 0ms : 30'000ms});
      leave_behind([] {});
      said.put();
      return 7;
    }};
    std::atomic<bool> over{false};
    std::thread storm{[&] {
      while (!over)
        for (const int signal : {SIGHUP, SIGINT, SIGUSR1, SIGTERM, SIGCONT, SIGRTMIN}) it.signal(signal);
    }};
    said.take();
    EXPECT_EQ(it.status(), 7) << round;
    over = true;
    storm.join();
  }
}

TEST_F(InitDuty, ChildrenOfTheLibraryEndAsTheyDo) {
  contained it{[&] {
    take_init_duty();
    for (int status = 0; status < 50; ++status) {
      lastcall::child one{{"sh", "-c", "exit " + std::to_string(status)}};
      const auto& end = one.wait_until(deadline::after(long_enough));
      if (!end || end->value != status || end->reaped_elsewhere) return 1;
    }
    return 7;
  }};
  EXPECT_EQ(it.status(), 7);
}

TEST_F(InitDuty, WorkersAreCalledAndReplaced) {
  contained it{[&] {
    take_init_duty();
    lastcall::zygote nursery;
    pool_of_subjects pool{nursery, {.workers = 2}};
    if (pool.call<&subject::add>(3, 4).get() != 7) return 1;
    const auto error = error_of([&] { pool.call<&subject::die>(SIGKILL).get(); });
    if (std::string{error.what()}.find("SIGKILL") == std::string::npos) return 2;
    return pool.call<&subject::add>(3, 4).get();
  }};
  EXPECT_EQ(it.status(), 7);
}

} // namespace
