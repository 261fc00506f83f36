// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <algorithm>
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
  bool delayed = false; ///< the owner's shield was up
};

/// Room for the arrivals between the handlers that write them and the one thread at a time that reads.
///
/// Aim: a handler may run on any thread, on several at once, and in the middle of another handler on the
/// same thread. So a writer must never wait for anybody, least of all for the writer it interrupted.
///
/// How: every cell has a turn number. A writer claims the next position by compare-and-swap, fills the
/// cell, and publishes it by moving the turn. A writer that was interrupted between claim and publication
/// leaves a hole: the reader goes past it, takes what lies behind, and comes again for the hole, because that
/// writer rings the bell after it has published. (Stopping there would hide all later records for as long as
/// the writer is kept: another handler may be running on top of it.) In lap L a cell's turn is 2L (free),
/// then 2L+1 (filled), then 2(L+1), which is free again. All turns start at 0, so the ring needs no
/// constructor to run.
///
/// What can fail: the ring is full. Then `push` says so and the arrival is counted instead.
class record_ring {
public:
  static constexpr std::size_t capacity = 1024;

  /// Any thread, any handler. False when there is no room.
  bool push(const arrival& what) noexcept {
    const std::uint64_t position = claim();
    if (position == full) return false;
    publish(position, what);
    return true;
  }

  /// The two halves of `push`, between which a writer may be interrupted.
  static constexpr std::uint64_t full = ~std::uint64_t{0};
  std::uint64_t claim() noexcept {
    std::uint64_t position = head_.load(std::memory_order_relaxed); // a guess; the exchange verifies it
    for (;;) {
      const std::uint64_t turn = turn_of(position);
      if (turn < free_turn(position)) return full;
      // Relaxed: the claim publishes nothing, the turn does.
      if (turn > free_turn(position))
        position = head_.load(std::memory_order_relaxed);
      else if (head_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed))
        return position;
    }
  }
  void publish(std::uint64_t position, const arrival& what) noexcept {
    cell& here = cell_of(position);
    here.what = what;
    here.turn.store(free_turn(position) + 1, std::memory_order_release); // pairs with acquire in take
  }

  /// One reader at a time (they exclude each other by a lock of their own), who calls until there is nothing
  /// more. False when there is nothing, or only holes.
  bool pop(arrival& what) noexcept {
    while (turn_of(tail_) == free_turn(tail_) + 2) ++tail_; // taken
    // Relaxed: the reader has been told of a record by something else, or will be.
    const std::uint64_t end = head_.load(std::memory_order_relaxed);
    for (ahead_ = std::max(ahead_, tail_); ahead_ < end;)
      if (take(ahead_++, what)) return true;
    ahead_ = 0; // the next round begins at the first hole again
    return false;
  }

  /// Empties it, in a forked child that has one thread and no handler at work: a writer of the parent may
  /// have been between its claim and its publication, and nobody would ever fill that hole here.
  void clear() noexcept {
    head_.store(0, std::memory_order_relaxed);
    tail_ = ahead_ = 0;
    for (cell& one : cells_) one.turn.store(0, std::memory_order_relaxed);
  }

private:
  struct cell {
    std::atomic<std::uint64_t> turn{0};
    arrival what{};
  };

  static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "a handler may not take a lock");

  static constexpr std::uint64_t free_turn(std::uint64_t position) noexcept {
    return 2 * (position / capacity);
  }
  cell& cell_of(std::uint64_t position) noexcept { return cells_[position % capacity]; }
  std::uint64_t turn_of(std::uint64_t position) noexcept {
    return cell_of(position).turn.load(std::memory_order_acquire); // pairs with publish and take
  }
  bool take(std::uint64_t position, arrival& what) noexcept {
    if (turn_of(position) != free_turn(position) + 1) return false;
    what = cell_of(position).what;
    cell_of(position).turn.store(free_turn(position) + 2, std::memory_order_release); // pairs with claim
    return true;
  }

  std::atomic<std::uint64_t> head_{0};
  // The reader's alone: all before `tail_` is taken; in this round, all before `ahead_` was looked at.
  std::uint64_t tail_ = 0, ahead_ = 0;
  std::array<cell, capacity> cells_{};
};

} // namespace lastcall::detail
