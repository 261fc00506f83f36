// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/exit_guard.hpp"

#include <lastcall/trace/whereabouts.hpp>
#include <lastcall/wait/deadline.hpp>
#include <lastcall/wait/futex.hpp>

#include "runtime/last_words.hpp"
#include "runtime/sentence.hpp"
#include "runtime/standard_output.hpp"
#include "sys/calls.hpp"
#include "sys/thread.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace lastcall::detail {

namespace {

constexpr duration patience = std::chrono::seconds{1};
constexpr duration longest_last_words = std::chrono::seconds{5};

constinit std::atomic<std::int64_t> armed_ns{0};
constinit std::atomic<pid_t> watched{0};

void* watch(void*) {
  static constinit std::atomic<std::uint32_t> nobody_wakes{0};
  const duration span{armed_ns.load(std::memory_order_relaxed)}; // written before the thread was
  auto until = deadline::after(span);
  while (wait::futex_wait(nobody_wakes, 0, until) == wait::futex_result::woken) {
  }
  tell_standard_error(sentence{"lastcall: the exit did not end within ", span,
                               ": a destructor of a static or an exit handler is stuck; leaving\n"},
                      patience);
  // From here on something may hang that the stuck thread holds: then SIGALRM ends the process.
  sys::alarm_by_default(std::chrono::ceil<std::chrono::seconds>(longest_last_words).count());
  try {
    tell_standard_error(whereabouts_of(watched.load(std::memory_order_relaxed)) + '\n', patience);
  } catch (...) { // no memory for it
  }
  sys::exit_now(output_was_lost() ? 74 : 75);
}

} // namespace

void arm_exit_guard(duration span) noexcept {
  std::int64_t none = 0;
  if (span <= duration::zero() || !armed_ns.compare_exchange_strong(none, span.count())) return;
  watched.store(sys::gettid(), std::memory_order_relaxed);
  pthread_t thread{};
  if (sys::start_deaf_thread(thread, &watch, nullptr, "lastcall-guard") == 0)
    sys::detach(thread);
  else
    sys::alarm_by_default(std::chrono::ceil<std::chrono::seconds>(span).count());
}

} // namespace lastcall::detail
