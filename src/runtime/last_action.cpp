// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/last_action.hpp"

#include "runtime/standard_output.hpp"
#include "sys/calls.hpp"

#include <lastcall/interrupt/end_by_signal.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>

// A program that was ended by Ctrl-C should be seen to have died of SIGINT: a shell then stops the loop it
// runs the program in. Raising the signal inside `run` would do, but then main's locals and the program's
// statics are never destroyed and atexit handlers never run. Calling it "128 + n" and returning is no help: a
// shell knows the difference.
//
// So the signal is raised as the last thing of all. The order in which a process ends is: main's locals;
// what was registered with atexit and on_exit since main began, C++ statics of the executable among it,
// newest first; the destructors of the executable, then of its shared libraries (`fini_array`), in each file
// by falling priority number, and with them the statics of those libraries; stdio's own flush.
//
// A destructor with the smallest number a program may use, 101, is later than all that the executable can
// register; but raising the signal there left the statics of shared libraries undestroyed. All the
// `fini_array`s are run by one exit handler, though, and a handler that is registered while another one runs
// comes right after it. So the destructor registers the last action with `on_exit`. (Not with `atexit`: that
// ties it to the file it lies in, whose handlers have been called.) What stdio would do after it is done here
// first.
//
// An `on_exit` function is told the status with which the process exits. It is not the signal's where main
// returned something else or a later part of the program called `exit`: then that status is meant, and
// stands. A child forked after the arming inherits the flag; it is told apart by the process id.

namespace lastcall::detail {
namespace {

using namespace std::chrono_literals;

/// As long as a buffered stream's lock is waited for at finalization.
constexpr duration patience = 1s;

constinit std::atomic<int> armed_signal{0};
constinit std::atomic<int> last_status{0};
constinit std::atomic<pid_t> armed_in{0};

void disarm_unless_meant(int status, void*) {
  if (status != 128 + armed_signal.load(std::memory_order_relaxed))
    armed_signal.store(0, std::memory_order_relaxed);
}

void last_action(int status, void*) {
  const int signal = armed_signal.load(std::memory_order_relaxed);
  const int instead = last_status.load(std::memory_order_relaxed);
  if (signal == 0 && (instead == 0 || status != 0)) return;
  flush_standard_streams(patience);
  if (signal != 0) end_by_signal(signal);
  sys::exit_now(instead);
}

[[gnu::destructor(101)]] void line_up_last() {
  if (armed_signal.load(std::memory_order_relaxed) == 0 && last_status.load(std::memory_order_relaxed) == 0)
    return;
  if (armed_in.load(std::memory_order_relaxed) != sys::getpid()) return;
  if (::on_exit(last_action, nullptr) != 0) last_action(0, nullptr); // no memory: a little early, then
}

} // namespace

void arm_last_action(int signal) noexcept {
  if (signal == 0) return armed_signal.store(0, std::memory_order_relaxed);
  static const bool asked_for_status = ::on_exit(disarm_unless_meant, nullptr) == 0;
  if (!asked_for_status) return; // no memory; the plain status says nearly the same
  armed_in.store(sys::getpid(), std::memory_order_relaxed);
  armed_signal.store(signal, std::memory_order_relaxed);
}

void arm_last_status(int status) noexcept {
  last_status.store(status, std::memory_order_relaxed);
  armed_in.store(sys::getpid(), std::memory_order_relaxed);
}

void leave_now(int status, int signal) noexcept {
  flush_standard_streams(patience);
  if (signal != 0) end_by_signal(signal);
  sys::exit_now(status);
}

} // namespace lastcall::detail
