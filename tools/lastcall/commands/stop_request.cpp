// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "commands/stop_request.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <system_error>

// The handler may run on any thread at any moment, so it uses only what is lock-free and
// async-signal-safe: it notes which signal came and when, and writes the eventfd that the exploring
// thread polls. No ordering is needed between the words: the eventfd's write and poll order them for
// the one who is woken, and the handler itself reads only what a handler wrote.
//
// The second request must work even when the first is stuck, so it does not go through any other thread:
// the handler gives the signal its default action back and raises it; it is blocked while its handler
// runs and ends the process as the handler returns. Nothing stays behind even then: what the check
// started dies with it (parent-death signals and pid namespaces are the sandbox's part).

namespace checker {
namespace {

constexpr std::array handled{SIGINT, SIGTERM, SIGHUP};
constexpr std::int64_t duplicate_ns = 200'000'000;

std::array<struct sigaction, handled.size()> before{};
std::atomic<int> first_signal{0};
std::atomic<std::int64_t> first_ns{0};
std::atomic<int> wakeup{-1};

static_assert(std::atomic<int>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);

std::int64_t now_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void on_signal(int signal) {
  const int saved = errno;
  const auto now = now_ns();
  int none = 0;
  if (first_signal.compare_exchange_strong(none, signal, std::memory_order_relaxed)) {
    first_ns.store(now, std::memory_order_relaxed);
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wakeup.load(std::memory_order_relaxed), &one, sizeof one);
  } else if (now - first_ns.load(std::memory_order_relaxed) > duplicate_ns) {
    ::signal(signal, SIG_DFL);
    ::raise(signal);
  }
  errno = saved;
}

} // namespace

stop_request::stop_request() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  wakeup.store(fd, std::memory_order_relaxed);
  first_signal.store(0, std::memory_order_relaxed);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < handled.size(); ++i) {
    ::sigaction(handled[i], nullptr, &before[i]);
    if (before[i].sa_handler != SIG_IGN) ::sigaction(handled[i], &action, nullptr);
  }
}

stop_request::~stop_request() {
  for (std::size_t i = 0; i < handled.size(); ++i)
    if (before[i].sa_handler != SIG_IGN) ::sigaction(handled[i], &before[i], nullptr);
  ::close(wakeup.exchange(-1, std::memory_order_relaxed));
}

int stop_request::fd() const noexcept { return wakeup.load(std::memory_order_relaxed); }

int stop_request::signal() const noexcept { return first_signal.load(std::memory_order_relaxed); }

void stop_request::end_by(int signal) {
  ::signal(signal, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
  ::raise(signal);
  ::_exit(128 + signal);
}

} // namespace checker
