// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/write_core.hpp"

#include <lastcall/wait/futex.hpp>

#include "stream/thread_id.hpp"
#include "sys/calls.hpp"
#include "wait/nudge.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>

namespace lastcall::detail {

using wait::asymmetric_barrier;

bool write_core::make_ring(std::size_t capacity) noexcept {
  const std::size_t size = std::bit_ceil(capacity);
  ring_ = new (std::nothrow) std::byte[size];
  if (ring_ != nullptr) capacity_ = size;
  return ring_ != nullptr;
}

void write_core::copy_in(const void* from, std::size_t size) noexcept {
  const std::size_t at = committed_.load(std::memory_order_relaxed) & (capacity_ - 1);
  const std::size_t first = std::min(size, capacity_ - at);
  std::memcpy(ring_ + at, from, first);
  if (first < size) [[unlikely]]
    std::memcpy(ring_, static_cast<const std::byte*>(from) + first, size - first);
}

bool write_core::was_taken_at(std::uint64_t to) noexcept {
  // Last words are between their barrier and their decision, or wait for us to leave, which we have done.
  while (decided_.load(std::memory_order_acquire) == 0) { // pairs with the release in decide
    auto soon = deadline::after(std::chrono::milliseconds{1});
    wait::futex_wait(decided_, 0, soon);
  }
  return to <= taken_at_.load(std::memory_order_relaxed);
}

bool write_core::enter(std::uint64_t to) noexcept {
  // Relaxed: published by the release below, to those who have seen `flight_`.
  flight_to_.store(to, std::memory_order_relaxed);
  word_.store(&here(), std::memory_order_relaxed);
  seat_.store(&wait::seat_here(), std::memory_order_relaxed);
  flight_.store(in_flight, std::memory_order_release);
  asymmetric_barrier::light(); // pairs with the heavy in take
  if (!is(taken)) return true;
  leave();
  return false;
}

void write_core::leave() noexcept {
  for (;;) {
    std::uint32_t seen =
        flight_.load(std::memory_order_acquire); // pairs with the release in wait_until_landed
    if (seen == pinned) {
      auto soon = deadline::after(std::chrono::milliseconds{1});
      wait::futex_wait(flight_, pinned, soon);
      continue;
    }
    // Release: `flushed_`, and what was kept, for last words.
    if (!flight_.compare_exchange_weak(seen, idle, std::memory_order_release, std::memory_order_relaxed))
      continue;
    if (seen == asked) {
      here().due.fetch_and(~std::uint32_t{words_taken}, std::memory_order_relaxed);
      wait::futex_wake_all(flight_);
    }
    return;
  }
}

void write_core::note_passed(std::size_t size) noexcept {
  committed_.store(committed_.load(std::memory_order_relaxed) + size, std::memory_order_release);
  note_flushed(size);
}

void write_core::keep_rest(const void* from, std::size_t size) noexcept {
  copy_in(from, size);
  committed_.store(committed_.load(std::memory_order_relaxed) + size, std::memory_order_release);
}

void write_core::begin_at(std::uint64_t position, std::uint32_t mode_then) noexcept {
  committed_.store(position, std::memory_order_relaxed);
  flushed_.store(position, std::memory_order_relaxed);
  decided_.store(0, std::memory_order_relaxed);
  mode.store(mode_then, std::memory_order_release);
}

void write_core::repair() noexcept {
  const std::uint64_t end = taken_at_.load(std::memory_order_relaxed);
  // A holder that came back from its write after the decision may have moved both.
  const std::uint64_t from = flushed_.load(std::memory_order_relaxed);
  committed_.store(std::max(from, end), std::memory_order_relaxed);
  decided_.store(0, std::memory_order_relaxed);
  mode.fetch_and(~std::uint32_t{taken | abandoned}, std::memory_order_release);
}

std::array<sys::piece, 2> write_core::pending(std::uint64_t to) const noexcept {
  const std::uint64_t from = flushed_.load(std::memory_order_relaxed);
  const auto size = static_cast<std::size_t>(to - from);
  if (size == 0) return {};
  const std::size_t at = from & (capacity_ - 1);
  const std::size_t first = std::min(size, capacity_ - at);
  return {sys::piece{ring_ + at, first}, sys::piece{ring_, size - first}};
}

void write_core::take() noexcept {
  mode.fetch_or(taken, std::memory_order_relaxed);
  asymmetric_barrier::heavy(); // pairs with the light in commit, and with the one in enter
}

// To be followed by a store of `asked`, after which word and seat are the holder's alone.
bool write_core::pin() noexcept {
  for (std::uint32_t seen : {std::uint32_t{in_flight}, std::uint32_t{asked}})
    if (flight_.compare_exchange_strong(seen, pinned, std::memory_order_acquire)) return true;
  return false;
}

bool write_core::wait_until_landed(const hurried_deadline& until) noexcept {
  constexpr std::chrono::milliseconds longest{16};
  const std::uint32_t me = this_thread_id();
  for (duration pause = std::chrono::microseconds{200};; pause = std::min<duration>(2 * pause, longest)) {
    if (flight_.load(std::memory_order_acquire) == idle) return true; // pairs with the release in leave
    const std::uint32_t holder = lock.holder();
    // This very thread, below us on its stack; or one that ended inside its write, and took word and seat
    // along.
    if (holder == me || sys::tgkill(static_cast<pid_t>(holder), 0) == -ESRCH) return false;
    if (!pin()) continue;
    thread_word& word = *word_.load(std::memory_order_relaxed);
    word.due.fetch_or(words_taken, std::memory_order_release); // pairs with the acquire in its call
    wait::nudge(*seat_.load(std::memory_order_relaxed), word.due, words_taken);
    flight_.store(asked, std::memory_order_release); // pairs with the acquire in leave
    wait::futex_wake_all(flight_);
    auto soon = earlier(until.now(), deadline::after(pause));
    // One nudge is enough where nudges are sure and the kernel had room for it; asking again costs nothing
    // then.
    wait::futex_wait(flight_, asked, soon);
    if (until.expired() && flight_.load(std::memory_order_acquire) != idle) return false;
  }
}

std::uint64_t write_core::decide() noexcept {
  // Of a holder that has still not come back: what it has committed since was refused, and it will give that
  // again. What went past the buffer since is written.
  if (decided_.load(std::memory_order_relaxed) != 0)
    return std::max(taken_at_.load(std::memory_order_relaxed), flushed());
  const std::uint64_t end = committed_.load(std::memory_order_acquire); // pairs with the release in commit
  taken_at_.store(end, std::memory_order_relaxed);
  decided_.store(1, std::memory_order_release); // pairs with the acquire in was_taken_at
  wait::futex_wake_all(decided_);
  return end;
}

std::uint64_t write_core::in_flight_to() const noexcept {
  return std::min(flight_to_.load(std::memory_order_relaxed), committed_.load(std::memory_order_relaxed));
}

void write_core::begin_in_child(std::uint32_t then, std::uint32_t me) noexcept {
  lock.begin_in_child(then, me);
  if (lock.holder() == me) return; // in the middle of a call, which goes on here
  flight_.store(idle, std::memory_order_relaxed);
  begin_at(0, mode.load(std::memory_order_relaxed) & (by_line | unbuffered | closed));
}

} // namespace lastcall::detail
