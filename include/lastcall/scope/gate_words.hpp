// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

/// What entering and leaving a gate touch, as far as it has to be inline. The essay is in gate_rows.cpp.
namespace lastcall::detail {

/// How often one thread went in and out of one gate. Differences count, so the numbers may wrap around.
struct alignas(16) gate_cell {
  std::atomic<std::uint32_t> entered{0};        ///< written by the row's own thread only
  std::atomic<std::uint32_t> left{0};           ///< likewise
  std::atomic<std::uint32_t> left_elsewhere{0}; ///< passes entered here that other threads have given back

  /// Ways out are read before ways in: a pass is never seen to leave without having been seen to enter.
  std::uint32_t inside() const noexcept {
    // Acquire, both: pairs with the releases of those who left.
    const std::uint32_t out =
        left_elsewhere.load(std::memory_order_acquire) + left.load(std::memory_order_acquire);
    return entered.load(std::memory_order_relaxed) - out;
  }
};

/// Where a pass is counted: a row, or the record of a named holder, which knows its row.
struct gate_home {
  enum class kind : std::uint8_t { row, named };
  kind what = kind::row;
};

/// A thread's cells, one for each gate that has a column. Never freed.
struct alignas(64) gate_row : gate_home {
  static constexpr std::uint32_t columns = 255;
  gate_cell cells[columns + 1]; ///< the last is nobody's: gates without a column count there in vain

  /// The cell so many bytes from the row's beginning. (By number it would be a multiplication each time.)
  gate_cell& at(std::size_t offset) noexcept {
    return *reinterpret_cast<gate_cell*>(reinterpret_cast<std::byte*>(this) + offset);
  }
};

/// What a gate's passes need of it. Never freed, only used again: one who has just left may still look at it
/// when the gate is gone.
struct alignas(64) gate_words {
  // The bits of `state`.
  static constexpr std::uint32_t closed = 1;  ///< nobody is admitted
  static constexpr std::uint32_t fenced = 2;  ///< the barrier is not free: the slow path passes it
  static constexpr std::uint32_t apart = 4;   ///< no column was left: all threads count in `shared`
  static constexpr std::uint32_t watcher = 8; ///< somebody waits; as many times as there are
  std::atomic<std::uint32_t> state{0};        ///< 0: open, and nobody cares who leaves
  std::uint32_t column = gate_row::columns;
  std::size_t offset = 0; ///< the same as the distance of its cell from the row's beginning

  alignas(64) gate_cell shared;       ///< of threads without a row, and of gates without a column
  std::atomic<std::uint32_t> rung{0}; ///< what those who wait sleep on
  gate_words* next_free = nullptr;
  gate_words* next = nullptr; ///< of all there are
};

// initial-exec: a load from a shared library costs one more instruction instead of a call.
[[gnu::tls_model("initial-exec")]] extern thread_local constinit gate_row* this_row;

gate_home* come_in_anew(gate_words& words) noexcept;
gate_home* come_in_slow(gate_words& words, gate_row& counted) noexcept;
void gone_out(gate_words& words) noexcept;
void leave_elsewhere(gate_words& words, gate_home& home) noexcept;

/// Counts the calling thread in. Null when the gate is closed.
inline gate_home* come_in(gate_words& words) noexcept {
  gate_row* mine = this_row;
  if (mine == nullptr) [[unlikely]]
    return come_in_anew(words);
  gate_cell& cell = mine->at(words.offset);
  cell.entered.store(cell.entered.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  // The light side of the barrier; pairs with heavy() in close and wait_until. Where it is not free, the
  // state has the bit `fenced`, and the slow path passes it before it looks again.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  // Acquire pairs with the release in reopen: who is admitted sees what was made before.
  if (words.state.load(std::memory_order_acquire) == 0) [[likely]]
    return mine;
  return come_in_slow(words, *mine);
}

/// Counts a pass out that `come_in` has counted in, on whatever thread.
inline void go_out(gate_words& words, gate_home& home) noexcept {
  gate_row* mine = this_row;
  if (&home != mine) [[unlikely]]
    return leave_elsewhere(words, home);
  gate_cell& cell = mine->at(words.offset);
  // Release pairs with the acquire in gate_cell::inside: who sees it out sees what it did inside.
  cell.left.store(cell.left.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  std::atomic_signal_fence(std::memory_order_seq_cst); // as above
  if (words.state.load(std::memory_order_relaxed) != 0) [[unlikely]]
    gone_out(words);
}

} // namespace lastcall::detail
