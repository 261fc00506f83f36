// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/kernel_call.hpp"

#include <lastcall/interrupt/thread_word.hpp>

#include "interrupt/signal_core.hpp"
#include "sys/call_number.hpp"
#include "wait/interruptible_call.hpp"

#include <cerrno>

namespace lastcall::detail {

namespace {

namespace number = sys::number;

long as_register(const void* pointer) noexcept {
  return static_cast<long>(reinterpret_cast<std::uintptr_t>(pointer));
}

// Which bits of the word end a call of this thread. Those of a request do not while it is held back.
std::uint32_t ending_bits(cut_by by) noexcept {
  constexpr std::uint32_t delivered = bits_of_scope;
  if (by == cut_by::nobody) return 0;
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

long make(sys::call which, int fd, short events, const wait::kernel_call& call, cut_by by,
          std::uint32_t words) noexcept {
  for (;;) {
    if (const int refused = sys::admit(which)) {
      if (refused == EINTR) continue;
      return -refused;
    }
    const std::uint32_t mask = ending_bits(by) | words;
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

long write_pieces(int fd, std::span<const sys::piece> from, cut_by by, std::uint32_t ignored) noexcept {
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
  const long result = make(sys::call::write, fd, sys::writable, call, by, words_taken & ~ignored);
  if (result < 0 || static_cast<std::size_t>(result) < size) quiet.cut_short();
  return result;
}

long read_some(int fd, void* into, std::size_t size, cut_by by) noexcept {
  return make(sys::call::read, fd, sys::readable,
              {number::read, {fd, as_register(into), static_cast<long>(size)}}, by, 0);
}

} // namespace lastcall::detail
