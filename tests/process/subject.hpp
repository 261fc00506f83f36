// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/io.hpp>
#include <lastcall/process/this_worker.hpp>
#include <lastcall/process/worker_pool.hpp>
#include <lastcall/process/zygote.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace process_test {

using namespace std::chrono_literals;
using lastcall::deadline;

constexpr auto long_enough = 30s;

/// What a test's workers hold: does to its process what it is told to.
struct subject {
  explicit subject(std::string how = {}) {
    const auto [what, which] = split(how);
    if (which >= 0 && which != lastcall::this_worker::index()) return;
    if (what == "throw") throw std::runtime_error{"no patterns"};
    if (what == "exit") std::exit(3);
    if (what == "hang") hang();
    if (what == "crash") crash();
    if (what == "fork" && ::fork() == 0) return; // comes back as a second worker, so it seems
    if (what == "orphan" &&
        ::fork() == 0) { // holds what it has inherited, but for what the test's runner waits for
      ::close(STDOUT_FILENO);
      ::close(STDERR_FILENO);
      ::alarm(10);
      hang();
    }
  }
  int add(int a, int b) { return sum_ = a + b; }
  int last() const { return sum_; }
  void set(int value) { sum_ = value; }
  std::string echo(const std::string& text) { return text; }
  std::size_t size_of(const std::string& text) { return text.size(); }
  int pid() { return ::getpid(); }
  int index() { return lastcall::this_worker::index(); }
  void throws(std::string text) { throw std::runtime_error{text}; }
  void die(int signal) {
    ::raise(signal);
    hang();
  }
  void leave(int status) { std::exit(status); }
  /// Dies in its first call; once somebody has done so the file is there.
  int die_once(std::string file) {
    const int fd = ::open(file.c_str(), O_CREAT | O_EXCL, 0600);
    if (fd >= 0) crash();
    return 7;
  }
  /// Says by a byte that it is there, and waits for one, in plain calls.
  int meet(int say, int wait) {
    char byte = 'x';
    if (::write(say, &byte, 1) != 1) return -1;
    return ::read(wait, &byte, 1) == 1 ? 1 : 0;
  }
  /// … or for ever, at a checkpoint of the library.
  void wait_in_library(int say) {
    char byte = 'x';
    if (::write(say, &byte, 1) != 1) return;
    lastcall::io::sleep_until(deadline::never());
  }
  /// … or until it is told to stop.
  bool wait_for_stop(int say) {
    const auto stop = lastcall::this_worker::stop_token();
    char byte = 'x';
    if (::write(say, &byte, 1) != 1) return false;
    while (!stop.stop_requested()) lastcall::io::sleep_for(1ms, stop);
    return true;
  }
  void compute(int say) {
    char byte = 'x';
    if (::write(say, &byte, 1) != 1) return;
    for (std::atomic<int> i{0};;) i.fetch_add(1, std::memory_order_relaxed);
  }
  bool log(std::string text) { return lastcall::this_worker::log(text); }
  void log_many(int from, int to) {
    for (int i = from; i < to; ++i)
      lastcall::this_worker::log(std::to_string(lastcall::this_worker::index()) + " " + std::to_string(i));
  }

  [[noreturn]] static void hang() {
    for (;;) ::pause();
  }
  [[noreturn]] static void crash() {
    ::signal(SIGABRT, SIG_DFL);
    std::abort();
  }

private:
  static std::pair<std::string, int> split(const std::string& how) {
    const auto at = how.find(' ');
    if (at == std::string::npos) return {how, -1};
    return {how.substr(0, at), std::stoi(how.substr(at))};
  }
  int sum_ = 0;
};

using pool_of_subjects = lastcall::worker_pool<subject>;

/// A pipe whose ends a worker that is forked later has, too.
struct a_pipe {
  a_pipe() {
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  }
  ~a_pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  a_pipe(const a_pipe&) = delete;
  a_pipe& operator=(const a_pipe&) = delete;
  void put() const {
    if (::write(ends[1], "x", 1) != 1) std::abort();
  }
  void take() const {
    char byte = 0;
    if (::read(ends[0], &byte, 1) != 1) std::abort();
  }
  int ends[2];
};

template <class Fn>
lastcall::pool_error error_of(Fn fn) {
  try {
    fn();
  } catch (const lastcall::pool_error& error) {
    return error;
  }
  return {lastcall::pool_errc{}, "none"};
}

/// Of a pool whose queue is full: until it has been told to stop.
inline void wait_for_stop_of(pool_of_subjects& pool) {
  while (error_of([&] { pool.try_call<&subject::last>(); }).code() != lastcall::pool_errc::stopped)
    std::this_thread::yield();
}

} // namespace process_test
