// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "wait/nudge_signal.hpp"

#include <lastcall/sys/config.hpp>

#include "sys/calls.hpp"
#include "sys/process_hooks.hpp"
#include "wait/nudge.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <mutex>

namespace lastcall::wait {

namespace {

// Guards everything here but the number, which handlers read. Held over fork, so that a child finds it free.
constinit std::mutex the_lock;
std::uint32_t takers = 0;
int preferred = 0; // 0: the default
signal_handler installed = nullptr;
constinit std::atomic<int> number{0}; // relaxed: who nudges has seen a thread with a seat, hence a number

// From the middle: programs and libraries that take real-time signals begin at either end.
int default_signal() noexcept { return SIGRTMIN + (SIGRTMAX - SIGRTMIN) / 2; }

enum class blocked : bool { refused, accepted };

int try_to_install(int signal, signal_handler handler, blocked ones) noexcept {
  struct ::sigaction now {};
  if (const int error = sys::sigaction(signal, nullptr, &now); error < 0) return error;
  if ((now.sa_flags & SA_SIGINFO) != 0 || now.sa_handler != SIG_DFL || sys::is_pending(signal)) return -EBUSY;
  if (ones == blocked::refused && sys::is_blocked(signal)) return -EBUSY;
  struct ::sigaction ours {};
  ours.sa_sigaction = handler;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
#if LASTCALL_CONFIG_CALL_SEQUENCE
  ours.sa_flags |= SA_RESTART; // the sequence looks at the word before it goes on; the fallback needs EINTR
#endif
  sigfillset(&ours.sa_mask); // it is short, and nothing needs to get between it and where it returns to
  return sys::sigaction(signal, &ours, nullptr);
}

// Once in a process; a refusal is not for good.
int register_fork_hooks() noexcept {
  static constinit std::atomic<bool> registered{
      false}; // acquire and release: the hooks are there when it is set
  static constinit std::mutex registering;
  if (registered.load(std::memory_order_acquire)) return 0;
  const std::scoped_lock guard{registering};
  if (registered.load(std::memory_order_relaxed)) return 0;
  const int error = sys::at_fork([] { the_lock.lock(); }, [] { the_lock.unlock(); },
                                 [] {
                                   the_lock.unlock();
                                   forget_seat_in_child();
                                 });
  if (error == 0) registered.store(true, std::memory_order_release);
  return error;
}

} // namespace

int take_nudge_signal(signal_handler handler) noexcept {
  if (const int error = register_fork_hooks(); error < 0) return error;
  const std::scoped_lock guard{the_lock};
  if (takers > 0) {
    ++takers;
    return 0;
  }
  const int count = SIGRTMAX - SIGRTMIN + 1;
  const int first = (preferred != 0 ? preferred : default_signal()) - SIGRTMIN;
  int failure = -EBUSY;
  // A thread may block every signal without using one, so in the second round blocked ones will do.
  for (const auto ones : {blocked::refused, blocked::accepted})
    for (int i = 0; i < count; ++i) {
      const int candidate = SIGRTMIN + (first + i) % count;
      const int error = try_to_install(candidate, handler, ones);
      if (error == 0) {
        installed = handler;
        takers = 1;
        number.store(candidate, std::memory_order_relaxed);
        return 0;
      }
      if (error != -EBUSY) failure = error;
    }
  return failure;
}

void give_back_nudge_signal() noexcept {
  const std::scoped_lock guard{the_lock};
  if (--takers > 0) return;
  const int signal = number.exchange(0, std::memory_order_relaxed);
  // A refusal is answered by one more try; after that the handler stays, which does nothing where nobody
  // waits.
  for (int tries = 0; tries < 2; ++tries) {
    struct ::sigaction now {};
    if (sys::sigaction(signal, nullptr, &now) < 0) continue;
    if ((now.sa_flags & SA_SIGINFO) == 0 || now.sa_sigaction != installed) return;
    struct ::sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    if (sys::sigaction(signal, &by_default, nullptr) >= 0) return;
  }
}

int nudge_signal() noexcept { return number.load(std::memory_order_relaxed); }

bool can_be_nudge_signal(int signal) noexcept { return signal >= SIGRTMIN && signal <= SIGRTMAX; }

void prefer_nudge_signal(int signal) noexcept {
  const std::scoped_lock guard{the_lock};
  preferred = signal;
}

} // namespace lastcall::wait
