// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A worker whose herald is held up while a request ends the worker.
#include "process/subject.hpp"

#include <lastcall/sys/config.hpp>

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include <sys/syscall.h>

namespace {

using namespace process_test;

/// Holds its process's herald: in a handler of SIGTRAP, one of the few signals that thread does not block. It
/// is let go when the main thread sleeps in a futex, which it does nowhere but in the end of its scope.
struct holder {
  int hold_and_wait(int say) {
    static_cast<void>(::pipe2(held, O_CLOEXEC) + ::pipe2(go, O_CLOEXEC) + ::pipe2(empty, O_CLOEXEC));
    struct sigaction action {};
    action.sa_handler = [](int) {
      char byte = 'x';
      if (::write(held[1], &byte, 1) != 1 || ::read(go[0], &byte, 1) != 1) ::_exit(99);
    };
    ::sigaction(SIGTRAP, &action, nullptr);
    const int herald = thread_named("lastcall-herald");
    if (herald == 0 || ::syscall(SYS_tgkill, ::getpid(), herald, SIGTRAP) != 0) return -1;
    char byte = 'x';
    if (::read(held[0], &byte, 1) != 1) return -2;
    std::thread{[] {
      sigset_t all;
      sigfillset(&all);
      ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
      const std::string call = "/proc/self/task/" + std::to_string(::getpid()) + "/syscall";
      for (long number = -1; number != SYS_futex; std::this_thread::yield()) {
        number = -1;
        std::ifstream{call} >> number;
      }
      if (::write(go[1], "x", 1) != 1) ::_exit(99);
    }}.detach();
    if (::write(say, &byte, 1) != 1) return -3;
    return static_cast<int>(lastcall::io::read(empty[0], &byte, 1)); // a sleep is a futex, too
  }
  static int thread_named(const std::string& name) {
    for (const auto& each : std::filesystem::directory_iterator{"/proc/self/task"}) {
      std::ifstream comm{each.path() / "comm"};
      std::string found;
      std::getline(comm, found);
      if (found == name) return std::stoi(each.path().filename());
    }
    return 0;
  }
  static inline int held[2], go[2], empty[2];
};

// The main thread of a worker ended its call and its process before the herald had its turn: on one busy core
// the manager heard nothing of the request that had ended the worker.
TEST(HeldHerald, TheManagerIsToldOfARequestWhoseWorkerEndsBeforeTheHeraldHadItsTurn) {
  if (LASTCALL_CONFIG_THREAD_SANITIZER)
    GTEST_SKIP() << "ThreadSanitizer has its handlers run at other moments";
  ::alarm(60);
  a_pipe said;
  lastcall::zygote nursery;
  std::mutex lock;
  std::condition_variable came;
  std::vector<std::string> told;
  lastcall::worker_options options{.workers = 1, .on_interrupt = lastcall::on_interrupt::end_quietly};
  options.on_request = [&](const lastcall::worker_request& what) {
    const std::scoped_lock mine{lock};
    told.push_back("signal " + std::to_string(what.signal));
  };
  options.on_end = [&](const lastcall::worker_end& what) {
    const std::scoped_lock mine{lock};
    told.push_back(describe(what.end));
    came.notify_all();
  };
  lastcall::worker_pool<holder> pool{nursery, options};
  auto cut = pool.call<&holder::hold_and_wait>(said.ends[1]);
  const int pid = pool.pids().front();
  said.take();
  ASSERT_EQ(::kill(pid, SIGINT), 0);
  std::unique_lock mine{lock};
  came.wait(mine, [&] { return !told.empty() && told.back() == "exited with status 0"; });
  EXPECT_EQ(told, (std::vector<std::string>{"signal 2", "exited with status 0"}));
}

} // namespace
