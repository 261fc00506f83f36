// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/kernel_call.hpp"

#include <lastcall/interrupt/thread_word.hpp>

#include "interrupt/signal_core.hpp"
#include "sys/call_number.hpp"
#include "sys/output.hpp"
#include "wait/interruptible_call.hpp"
#include "wait/raw_futex.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace lastcall::detail {

namespace {

namespace number = sys::number;

long as_register(const void* pointer) noexcept {
  return static_cast<long>(reinterpret_cast<std::uintptr_t>(pointer));
}

// Which bits of the word end a call of this thread. Those of a request do not while it is held back.
std::uint32_t ending_bits() noexcept {
  constexpr std::uint32_t delivered = bits_of_scope;
  thread_word& me = here();
  const signal_core* core = me.core;
  if (core == nullptr || core_here() == nullptr) return me.ends_calls;
  const std::uint32_t due = me.due.load(std::memory_order_acquire); // pairs with the releases that set bits
  const bool put_off = (due & delivered) != 0 && me.core->holds_back();
  return me.ends_calls | (put_off ? (delivered & ~due) | bound_passed : delivered);
}

long until_ready(int fd, short events, std::uint32_t mask) noexcept {
  sys::awaited what{fd, events};
  long result = 0;
  do {
    if (const int refused = sys::admit(sys::call::poll)) return -refused;
    result = wait::interruptible_call(here().due, mask, {number::ppoll, {as_register(&what), 1, 0, 0, 0, 0}});
  } while (result == -EINTR);
  return result;
}

long make(sys::call which, int fd, short events, const wait::kernel_call& call,
          std::uint32_t words) noexcept {
  for (;;) {
    if (const int refused = sys::admit(which)) {
      if (refused == EINTR) continue;
      return -refused;
    }
    const std::uint32_t mask = ending_bits() | words;
    long result = wait::interruptible_call(here().due, mask, call);
    if (result == -EAGAIN) {
      result = until_ready(fd, events, mask);
      if (result >= 0) continue;
    }
    if (result != -EINTR) return result;
  }
}

} // namespace

void sit_down() noexcept {
  if (!wait::seat_taken()) wait::take_seat();
}

std::uint32_t asked_already() noexcept { return here().due.load(std::memory_order_relaxed) & words_taken; }

long write_pieces(int fd, std::span<const sys::piece> from, std::uint32_t ignored) noexcept {
  std::size_t size = 0;
  for (const sys::piece& each : from) size += each.size;
  while (!from.empty() && from.back().size == 0) from = from.first(from.size() - 1);
  while (!from.empty() && from.front().size == 0) from = from.subspan(1);
  if (from.empty()) return 0;
  sys::no_sigpipe quiet;
  const wait::kernel_call call =
      from.size() == 1
          ? wait::kernel_call{number::write, {fd, as_register(from[0].at), static_cast<long>(from[0].size)}}
          : wait::kernel_call{number::writev, {fd, as_register(from.data()), static_cast<long>(from.size())}};
  const long result = make(sys::call::write, fd, sys::writable, call, words_taken & ~ignored);
  if (result < 0 || static_cast<std::size_t>(result) < size) quiet.cut_short();
  return result;
}

long read_some(int fd, void* into, std::size_t size) noexcept {
  return make(sys::call::read, fd, sys::readable,
              {number::read, {fd, as_register(into), static_cast<long>(size)}}, 0);
}

bounded_writes::bounded_writes(int fd) noexcept : fd_{fd} {
  constexpr std::size_t pipe_buf = 4096, little = 512, much = std::size_t{1} << 20U;
  sys::look_at_descriptor(fd, kind_);
  // Others that wait (terminals) are given little at a time.
  most_ = kind_.pipe || kind_.socket ? pipe_buf : sys::is_terminal(fd) ? little : much;
}

long bounded_writes::until_writable(const hurried_deadline& until, std::uint32_t mask) const noexcept {
  for (;;) {
    constexpr std::int64_t a_minute = 60'000'000'000, second = 1'000'000'000;
    const std::int64_t left = std::min<std::int64_t>(until.next_look().remaining().count(), a_minute);
    timespec time{left / second, left % second}; // the kernel writes what is left of it
    sys::awaited what{fd_, sys::writable};
    long found = 0;
    if (mask == 0) // perhaps in a handler, in the middle of such a call
      found = sys::poll_writable(fd_, static_cast<int>((left + 999'999) / 1'000'000));
    else if (found = -sys::admit(sys::call::poll); found == 0)
      found = wait::interruptible_call(here().due, mask,
                                       {number::ppoll, {as_register(&what), 1, as_register(&time), 0, 0, 0}});
    if (found > 0) return 1; // also for an error: the write then says which
    if (found == wait::cancelled) return found;
    if (found == 0 && until.expired()) return too_late;
    if (found < 0 && found != -EINTR) return 1;
  }
}

long bounded_writes::write(std::span<const sys::piece> from, const hurried_deadline& until,
                           std::uint32_t ignored) noexcept {
  while (!from.empty() && from.front().size == 0) from = from.subspan(1);
  if (from.empty()) return 0;
  const std::size_t size = std::min(from.front().size, most_);
  for (;;) {
    if (const long how = until_writable(until, words_taken & ~ignored); how != 1) return how;
    const long count = sys::write_without_waiting(fd_, kind_, from.front().at, size);
    if (count == static_cast<long>(size)) return count;
    quiet_.cut_short();
    if (count == -EAGAIN) {
      if (until.expired()) return too_late;
      wait::pause(1'000'000); // somebody else was quicker
    } else if (count != -EINTR) {
      return count;
    }
  }
}

} // namespace lastcall::detail
