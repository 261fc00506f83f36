// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/thread_word.hpp>
#include <lastcall/wait/asymmetric_barrier.hpp>
#include <lastcall/wait/deadline.hpp>

#include "stream/stream_lock.hpp"
#include "sys/stream_calls.hpp"
#include "wait/seat.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace lastcall::detail {

/// What is special about a stream; 0 for one in block mode that is well.
enum core_mode : std::uint32_t {
  by_line = 1,    ///< a record with a line's end in it is flushed at once
  unbuffered = 2, ///< nothing stays in the buffer
  failed = 4,     ///< a write has failed, and nobody has acknowledged it
  closed = 8,
  taken = 16,         ///< last words go on without the holder
  abandoned = 32,     ///< … and without its bytes: it is inside the kernel's write and does not answer
  has_read_ahead = 64 ///< a file's position is behind what was read of it
};

/// The buffer of a stream with its positions: what the holder of the lock and last words that cannot have the
/// lock have to agree on.
///
/// Positions count the bytes of the stream from its beginning; a ring holds those between `flushed` and
/// `committed`. They never move in it, so both sides may read them.
///
///     who has the lock…            last words find            and then
///     nobody                       the lock free              take it and flush like anybody
///     copies a record in           flight = idle              write up to `committed` past the lock; the
///     record
///                                                             is not accepted: its writer begins again
///     has committed it             flight = idle              write it; it is accepted
///     is about to enter write      flight = in_flight, or     ask; it finds `taken` or the bit of its word,
///     and
///                                  idle and it sees `taken`   leaves without having written
///     is inside write              flight = in_flight         ask (nudge): it leaves with its count,
///     publishes
///                                                             it in `flushed`, and last words write the rest
///     … and does not answer        flight = asked             write nothing: what is in flight is uncertain,
///                                                             what comes after it is lost
///     comes back later             –                          finds `taken`: commits nothing, writes nothing
///
/// Invariants:
///   1. flushed ≤ committed ≤ flushed + capacity. Only the holder moves them, and only while `taken` is not
///      set; then only last words move `flushed`, once nobody is in flight.
///   2. Commit is one store. After it the holder looks at `taken`, and last words look at `committed` after
///      they have set `taken` (light in commit, heavy in take): the record was seen by last words, or its
///      writer sees `taken` and learns from `taken_at` whether it was.
///   3. Likewise `flight` and `taken` (light in enter, heavy in take): a holder that last words have not seen
///      in flight does not enter.
///   4. Last words touch the holder's word and seat only while flight = pinned; a holder does not leave, and
///      so cannot end, before they are done.
///
/// The ring is made under the lock and read by others only up to what was committed after that.
class write_core {
public:
  write_core() noexcept = default;
  write_core(const write_core&) = delete;
  write_core& operator=(const write_core&) = delete;
  ~write_core() { delete[] ring_; }

  // --- any thread ---
  stream_lock lock;
  std::atomic<std::uint32_t> mode{0};
  bool is(std::uint32_t bits) const noexcept { return (mode.load(std::memory_order_relaxed) & bits) != 0; }
  std::uint64_t committed() const noexcept { return committed_.load(std::memory_order_acquire); }
  std::uint64_t flushed() const noexcept { return flushed_.load(std::memory_order_acquire); }

  // --- the holder of the lock ---
  /// False without memory: the capacity is 0 then.
  bool make_ring(std::size_t capacity) noexcept;
  std::size_t capacity() const noexcept { return capacity_; }
  std::size_t room() const noexcept {
    return capacity_ - static_cast<std::size_t>(committed_.load(std::memory_order_relaxed) -
                                                flushed_.load(std::memory_order_relaxed));
  }
  /// Copies behind what is committed; there must be room.
  void copy_in(const void* from, std::size_t size) noexcept;
  /// Accepts what was copied. False when last words came first: it is not accepted.
  bool commit(std::size_t size) noexcept {
    const std::uint64_t to = committed_.load(std::memory_order_relaxed) + size;
    committed_.store(to, std::memory_order_release);
    wait::asymmetric_barrier::light(); // pairs with the heavy in take
    return !is(taken) || was_taken_at(to);
  }
  /// Before and after a write to the descriptor that goes up to `to`, buffered or not. False when last words
  /// came first: nothing may be written.
  bool enter(std::uint64_t to) noexcept;
  void leave() noexcept;
  /// In flight: so many bytes of the buffer are written; so many went past it and are accepted by that.
  void note_flushed(std::size_t size) noexcept {
    flushed_.store(flushed_.load(std::memory_order_relaxed) + size, std::memory_order_release);
  }
  void note_passed(std::size_t size) noexcept;
  /// In flight, with an empty ring: accepts bytes that were part of the write.
  void keep_rest(const void* from, std::size_t size) noexcept;
  /// Whether all up to `to` was accepted. For the holder after `leave`, which may have been away for long.
  bool still_accepted(std::uint64_t to) noexcept { return !is(taken) || was_taken_at(to); }
  /// Begins anew, empty, at a position of the stream.
  void begin_at(std::uint64_t position, std::uint32_t mode_then) noexcept;
  /// The holder that was left behind has let go: what nobody has written is what is buffered.
  void repair() noexcept;

  /// What lies between `flushed` and `to`: two pieces where the ring ends in between. For the holder, and for
  /// last words that have taken it.
  std::array<sys::piece, 2> pending(std::uint64_t to) const noexcept;

  // --- last words, without the lock ---
  /// Sets `taken`. Afterwards no record is accepted, and nobody enters a write, without our seeing it.
  void take() noexcept;
  /// Asks a holder that is in flight to leave, and waits for it. False when it does not until the deadline.
  bool wait_until_landed(const hurried_deadline& until) noexcept;
  /// Decides, and tells the holder, what was accepted: returns the end of it. A decision stands until
  /// `repair` or `begin_at`.
  std::uint64_t decide() noexcept;
  /// The end of what is in flight, as far as it is accepted.
  std::uint64_t in_flight_to() const noexcept;

  /// In a forked child: nothing is buffered, nobody else is there.
  void begin_in_child(std::uint32_t then, std::uint32_t me) noexcept;

private:
  enum flight_state : std::uint32_t {
    idle = 0,
    in_flight = 1,
    pinned = 2, ///< last words are at the holder's word and seat: wait for them before leaving
    asked = 3   ///< they have nudged, and wait
  };

  bool was_taken_at(std::uint64_t to) noexcept;
  bool pin() noexcept;

  std::size_t capacity_ = 0; ///< a power of two, or 0
  std::byte* ring_ = nullptr;
  std::atomic<std::uint64_t> committed_{0};
  std::atomic<std::uint64_t> flushed_{0};

  // Not touched by a write that only fills the buffer.
  alignas(64) std::atomic<std::uint32_t> flight_{idle};
  std::atomic<std::uint32_t> decided_{0}; ///< whether `taken_at_` counts
  std::atomic<std::uint64_t> taken_at_{0};
  std::atomic<std::uint64_t> flight_to_{0};
  std::atomic<thread_word*> word_{nullptr}; ///< of whoever is in flight
  std::atomic<wait::seat*> seat_{nullptr};
};

} // namespace lastcall::detail
