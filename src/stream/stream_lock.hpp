// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/asymmetric_barrier.hpp>
#include <lastcall/wait/deadline.hpp>

#include "runtime/hurried_deadline.hpp"

#include <atomic>
#include <cstdint>
#include <system_error>

namespace lastcall::detail {

/// How an attempt to take a stream's lock went.
enum class lock_result : std::uint8_t {
  held,
  reentered,   ///< this thread holds it already: a handler or a callback in the middle of a call
  turned_away, ///< the holder does not come back; there may be another lock to wait for
  late,        ///< the deadline has passed
  cut          ///< a request came first; the error says so
};

/// The lock of one stream: it knows its holder, costs one read-modify-write to take and none to give back,
/// and is waited for through the library: a request ends the wait, and the big lock is given up meanwhile.
///
///     holder_    0 free · a thread's id: held · id | stuck: held by one that is not waited for any more
///     asleep_    0 nobody is known to sleep · 1 somebody may; it is the word on which they sleep
///
/// Giving back is a plain store, and then a look at `asleep_`; who goes to sleep sets `asleep_` and then
/// looks at `holder_`. One of the two sees the other's write: asymmetric_barrier, light in unlock, heavy
/// before the sleep. Who wakes a sleeper clears `asleep_` first, so that those on their way to sleep look
/// again; one that was woken sets it again before it does anything else, because there may be others. Nobody
/// is served in turn: a woken thread competes with those who come. Only before `lock_until`, whose time is
/// short, those that would have to wait stand back.
///
/// Only the holder stores 0; `turn_away` may come to nothing because of it, which is right: then the lock is
/// free. Threads: any. Signals: try_lock and unlock may be called from a handler.
class stream_lock {
public:
  bool try_lock(std::uint32_t me) noexcept {
    std::uint32_t free = 0;
    // Acquire pairs with the release in unlock.
    return holder_.compare_exchange_strong(free, me, std::memory_order_acquire, std::memory_order_relaxed);
  }
  void unlock() noexcept {
    holder_.store(0, std::memory_order_release);
    wait::asymmetric_barrier::light(); // pairs with the heavy in wait
    if (asleep_.load(std::memory_order_relaxed) != 0) [[unlikely]]
      wake_one();
  }

  /// Waits for as long as it takes. Ended by a request of the owner's and by the end of the thread's runtime:
  /// thrown, or, where `error` is not null, told.
  lock_result lock(std::uint32_t me, std::error_code* error);
  /// Waits until the deadline at most; nothing else ends it.
  lock_result lock_until(std::uint32_t me, hurried_deadline until) noexcept;

  /// From now on nobody waits for the holder there is.
  void turn_away() noexcept;
  /// In a forked child: free, unless `me` held it in the parent by the id of `then`.
  void begin_in_child(std::uint32_t then, std::uint32_t me) noexcept;

  /// The holder's id; 0 when it is free.
  std::uint32_t holder() const noexcept { return holder_.load(std::memory_order_relaxed) & ~stuck; }

private:
  static constexpr std::uint32_t stuck = 1U << 31U;

  bool spin(std::uint32_t me) noexcept;
  void wake_one() noexcept;
  void wake_all() noexcept;
  template <class Sleep>
  lock_result wait(std::uint32_t me, bool urgent, Sleep sleep);

  std::atomic<std::uint32_t> holder_{0};
  std::atomic<std::uint32_t> asleep_{0};
  std::atomic<std::uint32_t> urgent_{0}; ///< how many are in lock_until
};

} // namespace lastcall::detail
