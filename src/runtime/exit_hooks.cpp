// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/exit_hooks.hpp"

#include <lastcall/interrupt/thread_word.hpp>
#include <lastcall/wait/deadline.hpp>
#include <lastcall/wait/futex.hpp>

#include "runtime/big_lock_gate.hpp"
#include "runtime/exempt.hpp"
#include "runtime/exit_guard.hpp"
#include "runtime/exit_place.hpp"
#include "runtime/last_action.hpp"
#include "runtime/last_words.hpp"
#include "runtime/runtime_core.hpp"
#include "runtime/standard_output.hpp"
#include "runtime/thread_registry.hpp"
#include "runtime/touch.hpp"
#include "sys/calls.hpp"
#include "sys/process_hooks.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>

namespace lastcall::detail {

thread_local constinit part_in_the_end my_part{};

namespace {

using namespace std::chrono_literals;

constexpr duration patience = 1s;
constexpr int status_lost = 74, status_late = 75;

// Of the last runtime; a process that had none has streams at most, and no guard.
constinit std::atomic<std::int64_t> guard_ns{0};
constinit std::atomic<exit_policy> policy{exit_policy::destroy};

constinit std::atomic<std::terminate_handler> found_handler{nullptr};
constinit std::atomic<std::terminate_handler> oldest_handler{nullptr}; ///< the first found, until given back

void speak(duration span) noexcept {
  set_write_through(true);
  last_words_round round{deadline::after(span), span, true, stuck_stream::write_past, nullptr};
  say_last_words(round);
}

constinit std::atomic<pid_t> exiting{0};
constinit std::atomic<bool> left_behind{false};

// Not parked, not thrown at: what is destroyed from here on may touch what it likes.
void exempt_this_thread() noexcept {
  my_part.exempt = true;
  here().due.fetch_and(~std::uint32_t{runtime_over},
                       std::memory_order_relaxed); // its own; it looks there itself
}

} // namespace

void at_process_exit(int status, void*) {
  // libc lets a second thread go on with the handlers that are left, and end the process while the first is
  // in the middle of one. So this one stays on top of them until it is over, and the second sleeps in it.
  const pid_t me = sys::gettid();
  pid_t first = 0;
  if (!exiting.compare_exchange_strong(first, me, std::memory_order_relaxed)) {
    if (first == me) return;             // it is over, or calls `exit` in turn
    ::on_exit(at_process_exit, nullptr); // for a third
    the_core().lay_hand_down();
    park();
  }
  ::on_exit(at_process_exit, nullptr);
  runtime_core& core = the_core();
  core.lay_hand_down();
  exempt_this_thread();
  const bool live = core.phase() != runtime_phase::none;
  if (live) core.finalize(core.generation());
  exempt_this_thread(); // it may have been told by another one's finalization
  // There was none, or that one is late, or this thread is in the middle of it.
  if (!write_through() || core.phase() != runtime_phase::none) speak(patience);
  const bool late = left_behind.load(std::memory_order_relaxed) ||
                    (live && (core.was_late() || core.phase() != runtime_phase::none));
  const int instead = late ? status_late : output_was_lost() ? status_lost : 0;
  if (policy.load(std::memory_order_relaxed) == exit_policy::quick) {
    const bool flushed = flush_standard_streams(patience);
    sys::exit_now(status != 0 ? status : instead == 0 && !flushed ? status_lost : instead);
  }
  if (instead != 0 && status == 0) arm_last_status(instead);
  arm_exit_guard(duration{guard_ns.load(std::memory_order_relaxed)});
}

namespace {

void at_quick_exit() { speak(patience); }

// 0, or the thread that has streams speak, and whether they have.
constinit std::atomic<pid_t> terminating{0};
constinit std::atomic<std::uint32_t> spoken{0};

[[noreturn]] void on_terminate() {
  const pid_t me = sys::gettid();
  pid_t first = 0;
  if (terminating.compare_exchange_strong(first, me, std::memory_order_relaxed)) {
    speak(patience);
    spoken.store(1, std::memory_order_release);
    wait::futex_wake_all(spoken);
    if (const auto next = found_handler.load(std::memory_order_relaxed)) next();
  } else if (first != me) {
    // To end the process now would cut the other one short.
    auto until = deadline::after(2 * patience);
    while (spoken.load(std::memory_order_acquire) == 0 &&
           wait::futex_wait(spoken, 0, until) != wait::futex_result::timed_out) {
    }
    if (const auto next = found_handler.load(std::memory_order_relaxed)) next();
  } // else: the handler that was found calls the one it found, and that was this one
  if (const auto oldest = oldest_handler.load(std::memory_order_relaxed)) oldest();
  std::abort();
}

} // namespace

void prepare_exit_hooks() noexcept {
  if (sys::gettid() == sys::getpid()) stand_first_at_exit();
  static constinit std::atomic<bool> installed{false};
  if (installed.exchange(true, std::memory_order_relaxed)) return;
  ::on_exit(at_process_exit, nullptr);
  std::at_quick_exit(at_quick_exit);
}

void install_exit_hooks() noexcept {
  prepare_exit_hooks();
  static constinit std::atomic<bool> first{true};
  if (!write_through() && first.exchange(false, std::memory_order_relaxed)) take_terminate_handler();
}

void note_left_behind() noexcept { left_behind.store(true, std::memory_order_relaxed); }

void remember_for_exit(const runtime_options& options) noexcept {
  guard_ns.store(options.exit_guard.count(), std::memory_order_relaxed);
  policy.store(options.at_exit, std::memory_order_relaxed);
}

void take_terminate_handler() noexcept {
  const auto found = std::set_terminate(on_terminate);
  if (found == on_terminate) return;
  found_handler.store(found, std::memory_order_relaxed);
  std::terminate_handler none = nullptr;
  oldest_handler.compare_exchange_strong(none, found, std::memory_order_relaxed);
}

void give_terminate_handler_back() noexcept {
  if (std::get_terminate() != on_terminate)
    return; // somebody may call ours still, and get back to ours by it
  std::set_terminate(found_handler.load(std::memory_order_relaxed));
  oldest_handler.store(nullptr, std::memory_order_relaxed);
}

int prepare_runtime_for_fork() noexcept {
  static constinit std::atomic<bool> registered{false};
  if (registered.exchange(true, std::memory_order_relaxed)) return 0;
  // In the order of the locks: the core's, the streams', the registry's, the big lock's guard.
  const int error = sys::at_fork(
      [] {
        the_core().before_fork();
        last_words_before_fork();
        the_registry().before_fork();
        big_lock_before_fork();
      },
      [] {
        big_lock_in_parent();
        the_registry().after_fork();
        last_words_in_parent();
        the_core().in_parent();
      },
      [] {
        exiting.store(0, std::memory_order_relaxed); // whoever did is in the parent
        left_behind.store(false, std::memory_order_relaxed);
        exit_place_in_child();
        big_lock_in_child();
        the_registry().in_child();
        last_words_in_child();
        the_core().in_child();
      });
  if (error < 0) registered.store(false, std::memory_order_relaxed);
  return error;
}

} // namespace lastcall::detail
