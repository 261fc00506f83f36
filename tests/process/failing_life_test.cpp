// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The lives of zygotes, pools and log writers, with the N-th system call refused, N = 1, 2, …: of the thread
// that makes them, of the zygote and its workers, and of the pool's own thread. Each is whole, or fails with
// an error that names the call; nothing is left of it.
#include "process/failing_life.hpp"

#include <lastcall/process/log_writer.hpp>
#include <lastcall/process/reexec.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <sys/syscall.h>

namespace {

using namespace process_test;
using lastcall::pool_errc;
using lastcall::stop_step;

lastcall::reexec* self = nullptr;

lastcall::worker_options quick(std::size_t workers = 2) {
  lastcall::worker_options options{.workers = workers};
  options.bootstrap_within = options.start_within = 5s;
  options.plan = {stop_step::ask(1s), stop_step::term(1s), stop_step::kill(5s)};
  return options;
}

/// What a pool's life comes to: "whole", or the error.
std::string life_of_a_pool(lastcall::process_source& from, lastcall::worker_options options) {
  try {
    pool_of_subjects pool{from, std::move(options)};
    for (int i = 0; i < 3; ++i) EXPECT_EQ(pool.call<&subject::add>(i, 1).get(), i + 1);
    const auto report = pool.stop();
    EXPECT_TRUE(report.in_time) << testing::PrintToString(shared_plan::names());
    return "whole";
  } catch (const std::exception& error) {
    return error.what();
  }
}

TEST(FailingLife, OfAPoolInTheThreadThatMakesItAndEndsIt) {
  const int came = with_each_failing([](int nth) {
    lastcall::zygote nursery;
    shared_plan::arm(nth, ENOMEM);
    auto said = life_of_a_pool(nursery, quick());
    shared_plan::disarm();
    if (said != "whole") expect_clear(said);
    return said;
  });
  EXPECT_GE(came, 12) << "eventfd, thread, and for each worker three sockets, a place, and the order";
}

/// A pool lives, and one of its workers dies on the way. Each call is answered, if only by an error.
std::string life_with_a_death(lastcall::process_source& from, const lastcall::worker_options& options) {
  std::string said = "whole";
  try {
    pool_of_subjects pool{from, options};
    const auto ask = [&](auto call) {
      try {
        call();
      } catch (const lastcall::pool_error& error) {
        said = error.what();
        expect_clear(said);
      }
    };
    for (int i = 0; i < 3; ++i) ask([&] { EXPECT_EQ(pool.call<&subject::add>(i, 1).get(), i + 1); });
    try {
      pool.call<&subject::leave>(1).get();
      ADD_FAILURE() << "it has left";
    } catch (const lastcall::pool_error& error) {
      EXPECT_TRUE(error.code() == pool_errc::worker_ended || error.code() == pool_errc::broken)
          << error.what();
    }
    for (int i = 0; i < 3; ++i) ask([&] { EXPECT_EQ(pool.call<&subject::add>(i, 1).get(), i + 1); });
    EXPECT_TRUE(pool.stop().in_time) << testing::PrintToString(shared_plan::names());
  } catch (const std::exception& error) {
    said = error.what();
    expect_clear(said);
  }
  return said;
}

// What it forks goes on with the count, so this is also each worker's life.
TEST(FailingLife, OfAZygoteAndItsWorkers) {
  const int came = with_each_failing([](int nth) {
    std::optional<lastcall::zygote> nursery;
    shared_plan::arm(nth, ENOMEM);
    try {
      nursery.emplace();
    } catch (const std::system_error& failure) {
      shared_plan::disarm();
      expect_clear(failure.what());
      return std::string{failure.what()};
    }
    shared_plan::disarm();
    return life_with_a_death(*nursery, quick());
  });
  EXPECT_GE(came, 20);
}

// A pool was up before its zygote had said who its workers are, and told 0 for their numbers: a signal to one
// of them went to the program's whole group.
TEST(HeldUp, AtAnyCallOfItsZygoteAPoolKnowsWhoIsUp) {
  const int came = with_each_failing([](int nth) {
    shared_plan::hold_up_child(nth);
    lastcall::zygote nursery;
    shared_plan::disarm();
    pool_of_subjects pool{nursery, quick()};
    const auto pids = pool.pids();
    EXPECT_EQ(std::count(pids.begin(), pids.end(), 0), 0) << "at the call " << nth;
    EXPECT_EQ(pool.ready(), 2U);
    EXPECT_EQ(pool.call<&subject::add>(1, 2).get(), 3);
    EXPECT_TRUE(pool.stop().in_time);
    return std::string{"whole"};
  });
  EXPECT_GE(came, 20);
}

TEST(FailingLife, OfAPoolOfReexecInTheThreadThatMakesItAndEndsIt) {
  const int came = with_each_failing([](int nth) {
    shared_plan::arm(nth, ENOMEM);
    auto said = life_of_a_pool(*self, quick());
    shared_plan::disarm();
    if (said != "whole") expect_clear(said);
    return said;
  });
  EXPECT_GE(came, 12);
}

TEST(FailingLife, OfALogWriter) {
  const int came = with_each_failing([](int nth) -> std::string {
    lastcall::zygote nursery;
    shared_plan::arm(nth, ENOMEM);
    try {
      auto to = lastcall::raw_fd::own(::open("/dev/null", O_WRONLY | O_CLOEXEC));
      lastcall::log_writer log{nursery, std::move(to)};
      const bool taken = log.write("one");
      const auto end = log.close(deadline::after(long_enough));
      shared_plan::disarm();
      EXPECT_TRUE(end.end);
      EXPECT_EQ(end.refused, taken ? 0U : 1U);
      if (end.known) {
        EXPECT_EQ(end.written + end.lost, taken ? 1U : 0U);
      }
      return end.known ? "whole" : "not known";
    } catch (const std::system_error& failure) {
      shared_plan::disarm();
      expect_clear(failure.what());
      return failure.what();
    }
  });
  EXPECT_GE(came, 5);
}

/// Has the pool's own thread arm the plan, by a callback that runs on it.
struct on_the_pools_thread {
  void prepare(lastcall::worker_options& options, int nth) {
    options.on_request = [this, nth](const lastcall::worker_request&) {
      shared_plan::arm(nth, ENOMEM);
      const std::scoped_lock held{lock};
      armed = true;
      came.notify_all();
    };
  }
  void arm(pool_of_subjects& pool) {
    pool.signal_worker(0, SIGHUP);
    std::unique_lock held{lock};
    came.wait(held, [&] { return armed; });
  }
  std::mutex lock;
  std::condition_variable came;
  bool armed = false;
};

/// A worker dies, another takes its place, calls are made and the pool is stopped.
template <class Source>
std::string replacement(Source& from, int nth) {
  on_the_pools_thread it;
  auto options = quick();
  it.prepare(options, nth);
  pool_of_subjects pool{from, options};
  std::string said = "whole";
  it.arm(pool);
  const auto try_it = [&](auto call) {
    try {
      call();
    } catch (const lastcall::pool_error& error) {
      said = error.what();
      return error.code();
    }
    return std::error_code{};
  };
  // What the pool's thread is refused may end the other worker, but no call without an answer.
  EXPECT_EQ(try_it([&] { pool.call<&subject::leave>(1).get(); }), pool_errc::worker_ended);
  said = "whole";
  for (int i = 0; i < 4; ++i) {
    const auto how = try_it([&] { EXPECT_EQ(pool.call<&subject::add>(i, 1).get(), i + 1); });
    EXPECT_TRUE(!how || how == pool_errc::worker_ended || how == pool_errc::broken) << said;
  }
  EXPECT_TRUE(pool.stop().in_time);
  if (said != "whole") expect_clear(said);
  return said;
}

TEST(FailingLife, OfAPoolsThreadWhileItReplacesAWorker) {
  const int came = with_each_failing([](int nth) {
    lastcall::zygote nursery;
    return replacement(nursery, nth);
  });
  EXPECT_GE(came, 8);
}

TEST(FailingLife, OfAPoolsThreadWhileItStartsAWorkerAnew) {
  const int came = with_each_failing([](int nth) { return replacement(*self, nth); });
  EXPECT_GE(came, 8);
}

/// Until the process waits for its next call: in a read of something else than `but`.
void wait_for_its_next_read(pid_t pid, int but) {
  const std::string path = "/proc/" + std::to_string(pid) + "/syscall";
  for (long number = -1, fd = but; number != SYS_read || fd == but; std::this_thread::yield()) {
    number = -1;
    std::ifstream file{path};
    file >> number >> std::hex >> std::ws;
    std::string text;
    file >> text;
    fd = text.empty() ? but : std::stol(text, nullptr, 16);
  }
}

// A stop and a result that come together: the result's worker was given the next call, which the stop was to
// drop.
TEST(HeldUp, BeforeItSeesAStopAPoolsThreadGivesOutNothingMore) {
  static a_pipe held, go; // for a hook that has no arguments
  ::alarm(60);
  a_pipe said, answer;
  lastcall::zygote nursery;
  auto options = quick(1);
  options.queue = 1;
  options.on_request = [](const lastcall::worker_request&) {
    fault_plan::fail_nth(1, 0, [] {
      held.put();
      go.take();
    });
  };
  pool_of_subjects pool{nursery, options};
  const pid_t pid = pool.pids().front();
  pool.signal_worker(0, SIGHUP);
  held.take(); // the pool's thread is about to wait
  auto first = pool.call<&subject::meet>(said.ends[1], answer.ends[0]);
  said.take();
  auto second = pool.call<&subject::last>();
  answer.put();
  wait_for_its_next_read(pid, answer.ends[0]);
  std::thread stops{[&] {
    const auto report = pool.stop();
    EXPECT_TRUE(report.in_time);
    EXPECT_EQ(report.calls_dropped, 1U);
  }};
  wait_for_stop_of(pool);
  go.put();
  stops.join();
  EXPECT_EQ(first.get(), 1);
  EXPECT_EQ(error_of([&] { second.get(); }).code(), pool_errc::stopped_while_waiting);
}

} // namespace

int main(int argc, char** argv) {
  lastcall::reexec here{argc, argv};
  self = &here;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
