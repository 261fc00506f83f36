// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/a_pipe.hpp"
#include "interrupt/child.hpp"
#include "interrupt/random_moments.hpp"
#include "sys/fault_plan.hpp"

#include <atomic>
#include <csignal>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include <poll.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

pid_t thread_id() { return ::gettid(); }

std::string status_of(pid_t thread, const std::string& field) {
  std::ifstream in{"/proc/self/task/" + std::to_string(thread) + "/status"};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(field + ":")) return line.substr(field.size() + 1);
  return {};
}

void wait_until_asleep(pid_t thread) {
  while (status_of(thread, "State").find('S') == std::string::npos) std::this_thread::yield();
}

// A thread that reads from an empty pipe until its token fires.
struct reader {
  explicit reader(std::stop_token stop)
      : thread{[this, stop] {
          id.set_value(thread_id());
          char byte = 0;
          ended_by_stop = !io::read(pipe.out(), &byte, 1, stop);
        }} {}
  a_pipe pipe;
  std::promise<pid_t> id;
  std::atomic<bool> ended_by_stop{false};
  std::jthread thread;
};

} // namespace

TEST(Nudge, SignalsOnAnotherThreadAtRandomMomentsEndTheOwnersRead) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  a_pipe p;
  char byte = 0;
  random_moments::interrupt_from_elsewhere(scope, random_moments::rounds(100'000),
                                           [&] { io::read(p.out(), &byte, 1); });
}

TEST(Nudge, ATokenThatFiresAtARandomMomentEndsTheReadOfItsThread) {
  a_pipe p;
  char byte = 0;
  const int rounds = random_moments::rounds(100'000);
  std::unique_ptr<std::stop_source> stop;
  random_moments::ticker firing{rounds, [&](int) { stop->request_stop(); }};
  for (int round = 0; round < rounds; ++round) {
    firing.wait_for_last();
    stop = std::make_unique<std::stop_source>();
    const auto token = stop->get_token();
    firing.next();
    ASSERT_FALSE(io::read(p.out(), &byte, 1, token));
  }
  firing.wait_for_last();
}

TEST(Nudge, ATokenThatHasFiredEndsTheCallBeforeItReads) {
  a_pipe p;
  p.put('x');
  std::stop_source stop;
  char byte = 0;
  EXPECT_EQ(io::read(p.out(), &byte, 1, stop.get_token()), 1U);
  p.put('y');
  stop.request_stop();
  EXPECT_FALSE(io::read(p.out(), &byte, 1, stop.get_token()));
  std::error_code error;
  EXPECT_EQ(io::read(p.out(), &byte, 1, stop.get_token(), error), 0U);
  EXPECT_EQ(error, stop_errc::interrupted);
  EXPECT_EQ(byte, 'x');
  EXPECT_EQ(io::read(p.out(), &byte, 1, std::stop_token{}, error), 1U);
  EXPECT_FALSE(error);
  EXPECT_THROW(io::read(-1, &byte, 1, std::stop_token{}), std::system_error);
}

// The program's handler interrupts the sequence, and the request comes while it runs: the sequence is in a
// frame that the handler of the request cannot reach.
TEST(Nudge, ARequestInsideAHandlerThatInterruptedTheCallIsNotLost) {
#if LASTCALL_CONFIG_THREAD_SANITIZER
  GTEST_SKIP() << "handlers do not nest here";
#endif
  signal_scope scope{{.ladder = ladder_policy::patient}};
  for (const int flags : {0, SA_RESTART}) {
    struct sigaction foreign {};
    foreign.sa_handler = [](int) { ::raise(SIGINT); };
    foreign.sa_flags = flags;
    ASSERT_EQ(::sigaction(SIGUSR1, &foreign, nullptr), 0);
    a_pipe p;
    char byte = 0;
    const int rounds = random_moments::rounds(50'000);
    const pthread_t owner = ::pthread_self();
    random_moments::ticker sender{rounds, [&](int) { ::pthread_kill(owner, SIGUSR1); }};
    for (int round = 0; round < rounds; ++round) {
      sender.next();
      ASSERT_THROW(io::read(p.out(), &byte, 1), interrupted);
      ASSERT_EQ(scope.acknowledge().size(), 1U);
    }
  }
}

TEST(Nudge, PostedCallsRunInABlockedReadAndItGoesOn) {
  signal_scope scope;
  a_pipe p;
  std::vector<int> ran;
  std::jthread other{[&] {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(scope.post([&, i] { ran.push_back(i); }));
    scope.post([&] { p.put('x'); });
  }};
  char byte = 0;
  EXPECT_EQ(io::read(p.out(), &byte, 1), 1U);
  EXPECT_EQ(ran.size(), 100U);
}

TEST(Nudge, ARequestWithoutASignalEndsABlockedRead) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  a_pipe p;
  char byte = 0;
  for (int round = 0; round < 200; ++round) {
    std::jthread other{[&] {
      if (round % 2 == 0)
        scope.request_stop("enough");
      else
        interrupt_main(SIGINT);
    }};
    ASSERT_THROW(io::read(p.out(), &byte, 1), interrupted);
    ASSERT_EQ(scope.acknowledge().size(), 1U);
  }
}

// The byte and the stop come at about the same time; whichever wins, the sleep after the call is nobody's
// business.
TEST(Nudge, NeverHitsWhatTheThreadDoesAfterTheCall) {
  a_pipe p;
  const int rounds = random_moments::rounds(20'000);
  std::unique_ptr<std::stop_source> stop;
  random_moments::ticker firing{rounds, [&](int) { stop->request_stop(); }};
  std::jthread writer;
  char byte = 0;
  int stopped = 0;
  for (int round = 0; round < rounds; ++round) {
    firing.wait_for_last();
    stop = std::make_unique<std::stop_source>();
    const auto token = stop->get_token();
    if (round % 2 == 0) p.put('x');
    firing.next();
    if (!io::read(p.out(), &byte, 1, token)) {
      ++stopped;
      if (round % 2 == 0) p.take();
    }
    const timespec moment{0, 20'000};
    ASSERT_EQ(::nanosleep(&moment, nullptr), 0) << "ended by a nudge that was for the call before";
  }
  EXPECT_GE(stopped, rounds / 2);
  firing.wait_for_last();
}

TEST(Nudge, ThreadsThatAreNotConcernedSleepOn) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  std::stop_source never;
  reader unconcerned{never.get_token()};
  a_pipe quiet;
  std::promise<pid_t> foreign_id;
  std::jthread foreign{[&] {
    foreign_id.set_value(thread_id());
    pollfd watched{quiet.out(), POLLIN, 0};
    EXPECT_EQ(::poll(&watched, 1, -1), 1) << "a poll of other code was ended by EINTR";
  }};
  const pid_t ids[] = {unconcerned.id.get_future().get(), foreign_id.get_future().get()};
  std::string switches[2];
  for (int i = 0; i < 2; ++i) {
    wait_until_asleep(ids[i]);
    switches[i] = status_of(ids[i], "voluntary_ctxt_switches");
  }
  for (int round = 0; round < 100; ++round) {
    std::stop_source stop;
    reader concerned{stop.get_token()};
    wait_until_asleep(concerned.id.get_future().get());
    stop.request_stop();
    concerned.thread.join();
    EXPECT_TRUE(concerned.ended_by_stop);
    interrupt_main(SIGINT);
    char byte = 0;
    EXPECT_THROW(io::read(quiet.out(), &byte, 1), interrupted);
    scope.acknowledge();
  }
#if !LASTCALL_CONFIG_THREAD_SANITIZER // there every call is cut into slices
  for (int i = 0; i < 2; ++i) EXPECT_EQ(status_of(ids[i], "voluntary_ctxt_switches"), switches[i]) << i;
#endif
  quiet.put('x');
  never.request_stop();
}

// A stand-in for a library that knows nothing of EINTR: for it, a read that fails is the end.
TEST(Nudge, ALibraryThatFailsByEintrIsUnharmed) {
  const auto careless_read = [](int fd) {
    char byte = 0;
    if (::read(fd, &byte, 1) != 1) ::abort();
    return byte;
  };
  signal_scope scope{{.ladder = ladder_policy::patient}};
  a_pipe for_owner, for_other;
  char byte = 0;
  std::stop_source stop;
  const pthread_t owner = ::pthread_self();
  std::promise<pthread_t> other_id;
  std::jthread other{[&] {
    for_other.put('x');
    EXPECT_EQ(io::read(for_other.out(), &byte, 1, stop.get_token()), 1U); // it can be nudged from here on
    other_id.set_value(::pthread_self());
    EXPECT_EQ(careless_read(for_other.out()), 'o');
  }};
  const pthread_t other_thread = other_id.get_future().get();
  for_owner.put('x');
  ASSERT_EQ(io::read(for_owner.out(), &byte, 1), 1U); // and so can this
  std::jthread storm{[&] {
    for (int i = 0; i < 2'000; ++i) {
      ::pthread_kill(i % 2 == 0 ? owner : other_thread, SIGINT);
      if (i % 100 == 0) scope.post([] {});
    }
    stop.request_stop();
    for_other.put('o');
    for_owner.put('m');
  }};
  EXPECT_EQ(careless_read(for_owner.out()), 'm');
  storm.join();
  EXPECT_THROW(checkpoint(), interrupted);
}

TEST(Nudge, ARefusedOneIsSentAgain) {
  for (int nth = 1; nth <= 5; ++nth) {
    signal_scope scope;
    a_pipe p;
    char byte = 0;
    const pid_t owner = thread_id();
    std::jthread other{[&] {
      wait_until_asleep(owner);
      fault_plan::fail_nth(nth, EAGAIN);
      ::raise(SIGINT);
      fault_plan::disarm();
    }};
    EXPECT_THROW(io::read(p.out(), &byte, 1), interrupted) << nth;
  }
  for (int nth = 1; nth <= 3; ++nth) {
    std::stop_source stop;
    reader blocked{stop.get_token()};
    wait_until_asleep(blocked.id.get_future().get());
    fault_plan::fail_nth(nth, EAGAIN);
    stop.request_stop();
    fault_plan::disarm();
    blocked.thread.join();
    EXPECT_TRUE(blocked.ended_by_stop);
  }
}

TEST(Nudge, AForkedChildMakesCallsOfItsOwn) {
#if LASTCALL_CONFIG_THREAD_SANITIZER
  GTEST_SKIP() << "in the child of a process with threads the sanitizer refuses new threads";
#endif
  signal_scope scope;
  a_pipe p;
  char byte = 0;
  p.put('x');
  ASSERT_EQ(io::read(p.out(), &byte, 1), 1U); // this thread has its seat now
  const int status = testing_child::run([&]() -> int {
    p.put('y');
    if (io::read(p.out(), &byte, 1) != 1 || byte != 'y') return 1;
    signal_scope mine;
    const pid_t self = thread_id();
    std::jthread other{[&] {
      wait_until_asleep(self);
      ::raise(SIGTERM);
    }};
    try {
      io::read(p.out(), &byte, 1);
    } catch (const interrupted& stop) {
      return stop.why().signal == SIGTERM ? 7 : 2;
    }
    return 3;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(Nudge, AThreadThatBlocksEverySignalIsWokenAllTheSame) {
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::stop_source stop;
  {
    reader blocked{stop.get_token()};
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    wait_until_asleep(blocked.id.get_future().get());
    stop.request_stop();
    blocked.thread.join();
    EXPECT_TRUE(blocked.ended_by_stop);
  }
}
