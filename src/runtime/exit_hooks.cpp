// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/exit_hooks.hpp"

#include <lastcall/wait/deadline.hpp>

#include "runtime/big_lock_gate.hpp"
#include "runtime/exempt.hpp"
#include "runtime/exit_guard.hpp"
#include "runtime/last_action.hpp"
#include "runtime/last_words.hpp"
#include "runtime/runtime_core.hpp"
#include "runtime/standard_output.hpp"
#include "runtime/thread_registry.hpp"
#include "sys/calls.hpp"
#include "sys/process_hooks.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>

namespace lastcall::detail {

thread_local constinit part_in_the_end my_part{};

namespace {

using namespace std::chrono_literals;

constexpr duration patience = 1s;
constexpr int status_lost = 74;

// Of the last runtime; a process that had none has streams at most, and no guard.
constinit std::atomic<std::int64_t> guard_ns{0};
constinit std::atomic<exit_policy> policy{exit_policy::destroy};

constinit std::atomic<std::terminate_handler> found_handler{nullptr};

void speak(duration span) noexcept {
  set_write_through(true);
  last_words_round round{deadline::after(span), span, true, stuck_stream::write_past, nullptr};
  say_last_words(round);
}

void at_process_exit(int status, void*) {
  my_part.exempt = true;
  runtime_core& core = the_core();
  // Who exits inside a finalization, or while another thread is too long in one, still has streams speak.
  if (core.phase() == runtime_phase::none || core.finalize(core.generation()).done_before) speak(patience);
  const bool lost = output_was_lost();
  if (policy.load(std::memory_order_relaxed) == exit_policy::quick) {
    const bool flushed = flush_standard_streams(patience);
    sys::exit_now(status == 0 && (lost || !flushed) ? status_lost : status);
  }
  if (lost && status == 0) arm_last_status(status_lost);
  arm_exit_guard(duration{guard_ns.load(std::memory_order_relaxed)});
}

void at_quick_exit() { speak(patience); }

[[noreturn]] void on_terminate() {
  static constinit std::atomic<bool> spoken{false};
  if (!spoken.exchange(true, std::memory_order_relaxed)) speak(patience);
  if (const auto next = found_handler.load(std::memory_order_relaxed)) next();
  std::abort();
}

} // namespace

void install_exit_hooks() noexcept {
  static constinit std::atomic<bool> installed{false};
  if (installed.exchange(true, std::memory_order_relaxed)) return;
  ::on_exit(at_process_exit, nullptr);
  std::at_quick_exit(at_quick_exit);
}

void remember_for_exit(const runtime_options& options) noexcept {
  guard_ns.store(options.exit_guard.count(), std::memory_order_relaxed);
  policy.store(options.at_exit, std::memory_order_relaxed);
}

void take_terminate_handler() noexcept {
  const auto found = std::set_terminate(on_terminate);
  if (found != on_terminate) found_handler.store(found, std::memory_order_relaxed);
}

void give_terminate_handler_back() noexcept {
  if (std::get_terminate() == on_terminate) std::set_terminate(found_handler.load(std::memory_order_relaxed));
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
        big_lock_in_child();
        the_registry().in_child();
        last_words_in_child();
        the_core().in_child();
      });
  if (error < 0) registered.store(false, std::memory_order_relaxed);
  return error;
}

} // namespace lastcall::detail
