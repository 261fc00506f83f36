// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/wait/deadline.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <system_error>

/// What a queue is but its elements.
namespace lastcall::detail {

/// How a wait may end beside its deadline: by a checkpoint that throws, by one that reports, by a token.
struct wait_style {
  std::error_code* error = nullptr;
  const std::stop_token* stop = nullptr;
};

/// Threads that wait for the same. The word changes whenever it may have come; that is said under the lock
/// and rung without it.
struct waiting_line {
  std::atomic<std::uint32_t> word{0};
  std::size_t waiters = 0; ///< under the lock
};

/// Counts, lines and the wait.
///
/// Whoever puts one thing in wakes one waiter. A waiter that was woken and leaves for another reason (its
/// deadline, a request) passes that on, or another would sleep beside a full queue.
class queue_core {
public:
  explicit queue_core(std::size_t capacity);

  std::mutex& lock() noexcept { return lock_; }
  std::size_t size() const noexcept;
  std::size_t capacity() const noexcept { return capacity_; }
  bool closed() const noexcept;

  /// Clears the error.
  static void begin(wait_style how) noexcept;
  /// Calls `put` with the lock held as soon as there is room; false when there is none in time, or the error
  /// says why. Throws when the queue is closed.
  template <class Put>
  bool when_room(deadline until, wait_style how, Put put) {
    return wait_in(room_, until, how, [&] {
      if (closed_) return state::never;
      if (size_ >= capacity_) return state::not_yet;
      put();
      ++size_;
      ++unfinished_;
      return state::now;
    });
  }
  template <class Get>
  bool when_item(deadline until, wait_style how, Get get) {
    return wait_in(items_, until, how, [&] {
      if (size_ == 0) return closed_ ? state::never : state::not_yet;
      get();
      --size_;
      return state::now;
    });
  }
  bool join(deadline until, wait_style how);
  void done(std::size_t many) noexcept;

  /// With the lock held.
  void close() noexcept { closed_ = true; }
  void taken(std::size_t many) noexcept { size_ -= many; }
  void ring_all() noexcept;

private:
  enum class state : std::uint8_t { now, not_yet, never };
  enum class woken : std::uint8_t { look_again, timed_out, cut };

  /// One sleep. Throws `interrupted` in the style that throws.
  static woken sleep(waiting_line& in, std::uint32_t seen, deadline& until, wait_style how);
  static void refuse(wait_style how);
  /// With the lock held; true: ring.
  static bool call_one(waiting_line& in) noexcept;
  static void ring_one(waiting_line& in) noexcept;
  /// What came in or went out lets one of the others go on.
  waiting_line& counterpart(const waiting_line& of) noexcept { return &of == &room_ ? items_ : room_; }

  template <class Look>
  bool wait_in(waiting_line& line, deadline until, wait_style how, Look look);
  struct waiter { // one that is counted in its line
    queue_core& core;
    waiting_line& line;
    bool looks_again = false;
    ~waiter() { core.leave(line, looks_again); }
  };
  void leave(waiting_line& line, bool looks_again) noexcept;

  mutable std::mutex lock_;
  const std::size_t capacity_;
  std::size_t size_ = 0;
  std::size_t unfinished_ = 0; ///< put, and neither done nor discarded
  bool closed_ = false;
  waiting_line items_, room_, all_done_;
};

template <class Look>
bool queue_core::wait_in(waiting_line& line, deadline until, wait_style how, Look look) {
  for (bool last = false;;) {
    std::uint32_t seen = 0;
    state is = state::not_yet;
    bool ring = false;
    {
      const std::scoped_lock guard{lock_};
      is = look();
      if (is == state::now) ring = call_one(counterpart(line));
      if (is == state::not_yet && !last) {
        seen = line.word.load(std::memory_order_relaxed); // changed under the lock
        ++line.waiters;
      }
    }
    if (ring) ring_one(counterpart(line));
    if (is == state::never) refuse(how);
    if (is != state::not_yet || last) return is == state::now;
    waiter me{*this, line};
    const woken why = sleep(line, seen, until, how);
    if (why == woken::cut) return false;
    me.looks_again = true;
    last = why == woken::timed_out;
  }
}

} // namespace lastcall::detail
