// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <utility>

/// Waits give the big lock up.
///
/// A thread that waits with the big lock held stops all others; and when what it waits for can only be given
/// by somebody who first needs the big lock, it waits for ever. So every wait in the library gives the lock
/// up before it goes to sleep and takes it back before it returns. The lock belongs to `runtime`, which
/// stands above most of these waits; here is how they reach it. Where nothing is held it costs one load.
///
/// Order of locks: a thread may take the big lock back while it holds another lock only if everybody who
/// waits for that other lock gives the big lock up (`lock_with_big_lock_set_aside`), and if taking it back
/// there can neither throw nor park the thread. The library's short locks, under which nobody waits and no
/// user code runs, are simply waited for with the big lock held.
namespace lastcall::wait {

/// In which generation the big lock was held that was given up; 0: none was.
using lock_ticket = std::uint32_t;

/// What `runtime` puts here, once, before the first thread holds the lock.
struct lock_hooks {
  lock_ticket (*give_up)() noexcept;
  /// Waits for the lock. Once the ticket's generation is over it throws `runtime_ended` on a thread of ours,
  /// and does not return on others.
  void (*take_back)(lock_ticket);
  /// The same where nothing may be thrown: does not return on any of them. While an exception unwinds the
  /// thread it returns without the lock.
  void (*take_back_or_park)(lock_ticket, bool unwinding) noexcept;
};
extern std::atomic<const lock_hooks*> the_lock_hooks;

/// Whether the calling thread holds the big lock. Written by the lock alone.
[[gnu::tls_model("initial-exec")]] extern thread_local constinit std::uint32_t big_lock_held;

/// Gives the big lock up, if the calling thread holds it, for the time of a wait.
///
///     lock_set_aside aside;
///     const long result = wait_somehow();
///     aside.take_back();               // may throw runtime_ended; without it the destructor takes it back
///     return result;
class lock_set_aside {
public:
  lock_set_aside() noexcept {
    if (big_lock_held != 0) [[unlikely]]
      give_up();
  }
  ~lock_set_aside() {
    if (ticket_ != 0) [[unlikely]]
      take_back_or_park();
  }
  lock_set_aside(const lock_set_aside&) = delete;
  lock_set_aside& operator=(const lock_set_aside&) = delete;

  /// Takes it back, where the caller is documented as throwing.
  void take_back() {
    if (ticket_ != 0) [[unlikely]]
      hooks().take_back(std::exchange(ticket_, 0));
  }
  /// Whether there was something to give up, and it has not been taken back yet.
  [[nodiscard]] bool set_aside() const noexcept { return ticket_ != 0; }

private:
  static const lock_hooks& hooks() noexcept {
    return *the_lock_hooks.load(std::memory_order_acquire); // pairs with the release that put them there
  }
  void give_up() noexcept;
  void take_back_or_park() noexcept;

  lock_ticket ticket_ = 0;
  int uncaught_ = 0;
};

/// Locks `other`, a lock under which user code or a wait may run, without ever waiting for it with the big
/// lock held. When this returns, the thread holds both, if it held the big lock before. Nothing is held while
/// the big lock is taken back, so it may end there as `lock_hooks::take_back_or_park` says.
template <class Lockable>
void lock_with_big_lock_set_aside(Lockable& other) {
  while (!other.try_lock()) {
    if (big_lock_held == 0) return other.lock();
    const lock_set_aside aside;
    other.lock(); // waited for, and let go: somebody else may have it by the time the big lock is back
    other.unlock();
  }
}

} // namespace lastcall::wait
