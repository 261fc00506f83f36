// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <functional>
#include <thread>

/// A thread that is stopped at one instruction: it runs step by step (the processor's trap flag), and at the
/// n-th the trap's handler does not return until it is told so. Handlers of other signals run on it
/// meanwhile, as on any thread that a debugger or a handler of the program's holds up.
///
/// x86-64 only, and one at a time.
class stepped_thread {
public:
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
  static constexpr bool possible = true;
#else
  static constexpr bool possible = false;
#endif

  /// Runs `prepare`, then `fn`, and stops in that at instruction `nth`; returns when it has stopped or ended.
  stepped_thread(int nth, std::function<void()> prepare, std::function<void()> fn);
  ~stepped_thread() { release(); }
  stepped_thread(const stepped_thread&) = delete;
  stepped_thread& operator=(const stepped_thread&) = delete;

  /// False when `fn` was over before.
  bool stopped() const noexcept;
  /// Lets it go on, without steps, and joins it.
  void release();

private:
  std::thread thread_;
};
