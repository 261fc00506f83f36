// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/trace/whereabouts.hpp>
#include <lastcall/wait/deadline.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <sys/syscall.h>
#include <unistd.h>

// In front of what a test has run in the sampler.
#if defined(__clang__)
#define IN_THE_SAMPLER __attribute__((disable_sanitizer_instrumentation))
#else
#define IN_THE_SAMPLER __attribute__((no_sanitize("address,thread,undefined")))
#endif

namespace stacks_test {

/// On a machine that does much else.
inline lastcall::deadline some_time() noexcept { return lastcall::deadline::after(std::chrono::seconds{30}); }

/// A thread whose kernel's id is known. Who makes one sees to it that it ends.
class working_thread {
public:
  explicit working_thread(std::function<void()> work)
      : running_{[this, run = std::move(work)] {
          id_ = static_cast<pid_t>(::syscall(SYS_gettid));
          id_.notify_one();
          run();
        }} {
    id_.wait(0);
  }
  ~working_thread() {
    if (running_.joinable()) running_.join();
  }
  working_thread(const working_thread&) = delete;
  working_thread& operator=(const working_thread&) = delete;

  pid_t id() const noexcept { return id_; }
  void join() { running_.join(); }

  /// Waits until the kernel shows it asleep in this system call.
  const working_thread& asleep_in(std::string_view call) const {
    const std::string shown = "asleep in " + std::string{call};
    while (lastcall::kernel_whereabouts_of(id_).find(shown) == std::string::npos) std::this_thread::yield();
    return *this;
  }

private:
  std::atomic<pid_t> id_{0};
  std::thread running_;
};

/// A pipe, and a byte through it.
class a_pipe {
public:
  a_pipe() noexcept { static_cast<void>(::pipe(ends_)); }
  ~a_pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  a_pipe(const a_pipe&) = delete;
  a_pipe& operator=(const a_pipe&) = delete;

  int out() const noexcept { return ends_[0]; }
  void send(std::string_view bytes = ".") const noexcept {
    static_cast<void>(!::write(ends_[1], bytes.data(), bytes.size()));
  }
  bool take() const noexcept {
    char byte = 0;
    return ::read(ends_[0], &byte, 1) == 1;
  }

private:
  int ends_[2]{-1, -1};
};

} // namespace stacks_test
