// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <signal.h>

namespace lastcall::detail {

/// One arrival as the handler writes it down.
struct arrival {
  int signal = 0;
  pid_t sender_pid = 0;
  uid_t sender_uid = 0;
  std::int64_t when_ns = 0;
};

/// Room for the arrivals between the handlers that write them and the one thread at a time that reads.
///
/// Aim: a handler may run on any thread, on several at once, and in the middle of another handler on the
/// same thread. So a writer must never wait for anybody, least of all for the writer it interrupted.
///
/// How: every cell has a turn number. A writer claims the next position by compare-and-swap, fills the
/// cell, and publishes it by moving the turn. A writer that was interrupted between claim and publication
/// leaves a hole: the reader stops there, and comes again, because that writer rings the bell after it
/// has published. In lap L a cell's turn is 2L (free), then 2L+1 (filled), then 2(L+1), which is free again.
/// All turns start at 0, so the ring needs no constructor to run.
///
/// What can fail: the ring is full. Then `push` says so and the arrival is counted instead.
class record_ring {
public:
  static constexpr std::size_t capacity = 1024;

  /// Any thread, any handler. False when there is no room.
  bool push(const arrival& what) noexcept {
    std::uint64_t position = head_.load(std::memory_order_relaxed); // a guess; the exchange verifies it
    for (;;) {
      cell& here = cells_[position % capacity];
      const std::uint64_t free_turn = 2 * (position / capacity);
      const std::uint64_t turn = here.turn.load(std::memory_order_acquire); // pairs with release in pop
      if (turn < free_turn) return false;
      // Relaxed: the claim publishes nothing, the turn does.
      if (turn > free_turn)
        position = head_.load(std::memory_order_relaxed);
      else if (head_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
        here.what = what;
        here.turn.store(free_turn + 1, std::memory_order_release); // pairs with acquire in pop
        return true;
      }
    }
  }

  /// One reader at a time (they exclude each other by a lock of their own). False when there is nothing,
  /// or only a hole.
  bool pop(arrival& what) noexcept {
    cell& here = cells_[tail_ % capacity];
    const std::uint64_t filled_turn = 2 * (tail_ / capacity) + 1;
    if (here.turn.load(std::memory_order_acquire) != filled_turn) return false; // pairs with release in push
    what = here.what;
    here.turn.store(filled_turn + 1, std::memory_order_release); // pairs with acquire in push
    ++tail_;
    return true;
  }

  /// Empties it, in a forked child that has one thread and no handler at work: a writer of the parent may
  /// have been between its claim and its publication, and nobody would ever fill that hole here.
  void clear() noexcept {
    head_.store(0, std::memory_order_relaxed);
    tail_ = 0;
    for (cell& one : cells_) one.turn.store(0, std::memory_order_relaxed);
  }

private:
  struct cell {
    std::atomic<std::uint64_t> turn{0};
    arrival what{};
  };

  static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "a handler may not take a lock");

  std::atomic<std::uint64_t> head_{0};
  std::uint64_t tail_ = 0; // the reader's alone
  std::array<cell, capacity> cells_{};
};

} // namespace lastcall::detail
