// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A program of its own: a test's frames would catch what unwinds the thread.
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/at_exit.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>

#include <atomic>
#include <string_view>
#include <system_error>
#include <thread>

#include <pthread.h>
#include <unistd.h>

namespace {

void tell(std::string_view what) { [[maybe_unused]] const auto n = ::write(1, what.data(), what.size()); }

struct a_static {
  ~a_static() { tell("static."); }
} const before_all;

void tell_at_exit() {
  lastcall::at_exit([] { tell("at_exit, "); });
}

lastcall::thread worker() {
  return {"worker", [](const lastcall::stop_token& stop) {
            lastcall::io::sleep_until(lastcall::deadline::never(), stop);
            tell("worker, ");
          }};
}

// What swallows its end is parked, and the process has a thread that never ends.
void park_a_daemon() {
  static std::atomic<bool> there{false};
  const lastcall::daemon_thread parked{"parked", "is parked", [] {
                                         std::error_code error;
                                         there = true;
                                         for (;;) lastcall::checkpoint(error);
                                       }};
  while (!there) std::this_thread::yield();
}

} // namespace

// static: the runtime is one, and a daemon of its own is left; others: a thread that is not ours goes on
// until the runtime is over.
int main(int count, char** values) {
  ::alarm(30);
  const std::string_view how = count > 1 ? values[1] : "";
  if (how.empty()) {
    const lastcall::runtime program;
    tell_at_exit();
    const lastcall::thread its_own = worker();
    ::pthread_exit(nullptr);
  }
  static lastcall::runtime program;
  tell_at_exit();
  static const lastcall::thread its_own = worker();
  if (how == "static") park_a_daemon();
  if (how == "others")
    std::thread{[] {
      while (lastcall::runtime::live()) std::this_thread::yield();
      const auto over = [] {
        try {
          lastcall::at_exit([] {});
        } catch (const std::system_error& refused) {
          return refused.code() == lastcall::runtime_errc::over;
        }
        return false;
      };
      while (!over()) std::this_thread::yield();
      tell("other, ");
    }}.detach();
  ::pthread_exit(nullptr);
}
