// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/io/call.hpp>
#include <lastcall/interrupt/thread_word.hpp>
#include <lastcall/wait/deadline.hpp>

#include "wait/interruptible_call.hpp"
#include "wait/nudge.hpp"

#include <array>
#include <cstdint>
#include <ctime>
#include <optional>
#include <stop_token>
#include <system_error>

namespace lastcall::detail {

/// Where a call has its timeout, a pointer to a timespec, and how it understands it.
enum class timeout_kind : std::uint8_t { none, span, monotonic_moment };

/// One of the calls of `io`, with its name for errors and its deadline, if it has one.
struct blocking_call {
  const char* name;
  wait::kernel_call call;
  deadline* until = nullptr;
  timeout_kind timeout = timeout_kind::none;
  std::uint8_t timeout_at = 0; ///< its place among the arguments
  timespec left{};
  std::array<int, 2> also_over{}; ///< errors that are results, returned as minus an errno

  /// Before each attempt: what is left of the deadline.
  void set_timeout() noexcept;
  /// After each attempt: is this result the call's? Not when a handler or a bit ended it, nor when the time
  /// is up and the deadline grants its slice.
  bool is_over(long result) const noexcept;
  bool is_failure(long result) const noexcept;
};

/// `make_call("read", number, fd, into, size)`: whatever goes into a register.
template <class... Arguments>
blocking_call make_call(const char* name, long number, Arguments... arguments) noexcept {
  static_assert(sizeof...(Arguments) <= 6);
  return {name, {number, {as_register(arguments)...}}};
}

/// A result as the type that the call's manual page gives it.
template <class T>
T as(long result) noexcept {
  return static_cast<T>(result);
}
template <class T>
std::optional<T> as(std::optional<long> result) noexcept {
  return result ? std::optional{as<T>(*result)} : std::nullopt;
}

/// The common case: nothing is due, and this thread is no owner or has made such calls before.
/// wait::cancelled if it is not so, or if something came; -EINTR as from the kernel. Inline: see
/// interruptible_call.hpp.
inline long try_at_once(const wait::kernel_call& call) noexcept {
  thread_word& me = here();
  const std::uint32_t mask = me.core != nullptr ? ~std::uint32_t{0} : me.ends_calls;
  // Relaxed: the sequence looks again.
  if ((me.due.load(std::memory_order_relaxed) | me.holds_lock) != 0 || (mask != 0 && !wait::seat_taken()))
      [[unlikely]]
    return wait::cancelled;
  return wait::interruptible_call(me.due, mask, call);
}

long as_owner_slowly(blocking_call what, long result);
long as_owner_slowly(blocking_call what, long result, std::error_code& error) noexcept;

/// Makes the call as the calling thread's: throws `interrupted` where a checkpoint would have, and
/// std::system_error; otherwise the result.
inline long as_owner(const blocking_call& what) {
  const long result = what.timeout == timeout_kind::none ? try_at_once(what.call) : wait::cancelled;
  return result >= 0 ? result : as_owner_slowly(what, result);
}
/// The same with a code; 0 when it is set.
inline long as_owner(const blocking_call& what, std::error_code& error) noexcept {
  const long result = what.timeout == timeout_kind::none ? try_at_once(what.call) : wait::cancelled;
  if (result < 0) return as_owner_slowly(what, result, error);
  if (error) error.clear(); // hardly ever set, and two calls of the standard library
  return result;
}

/// Makes the call until the token fires: nothing, when it did. Throws std::system_error.
std::optional<long> until_stopped(blocking_call what, const std::stop_token& stop);
/// The same with a code; 0 when it is set.
long until_stopped(blocking_call what, const std::stop_token& stop, std::error_code& error) noexcept;

} // namespace lastcall::detail
