// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/interrupted.hpp>
#include <lastcall/interrupt/thread_word.hpp>

#include <system_error>

namespace lastcall {

namespace detail {
void checkpoint_slow();
void checkpoint_slow(std::error_code& error) noexcept;
bool pending_slow() noexcept;
} // namespace detail

/// A place where a pending request is delivered: on the owner thread of a signal_scope, throws
/// `interrupted` when a request is pending, no shield is up and no exception is being unwound. Runs
/// the calls that were posted to this thread first. Does nothing on other threads; they have their stop
/// token. With nothing pending it is one relaxed load.
///
///     for (auto& row : table) {
///       lastcall::checkpoint();
///       convert(row);
///     }
///
/// Stop: level-triggered: once a request has come, every checkpoint delivers it until `acknowledge`.
/// Threads: relaxed is enough: the slow path loads the word again with acquire (pairs with the release
///   in the handler), and a request seen one checkpoint later has only come a little later.
inline void checkpoint() {
  if (detail::here().due.load(std::memory_order_relaxed) != 0) [[unlikely]]
    detail::checkpoint_slow();
}

/// The twin that does not throw: sets `error` to `stop_errc::interrupted` where `checkpoint()` would
/// throw, clears it otherwise.
inline void checkpoint(std::error_code& error) noexcept {
  if (detail::here().due.load(std::memory_order_relaxed) != 0) [[unlikely]]
    detail::checkpoint_slow(error);
  else
    error.clear();
}

/// Whether a request waits for this thread; true also while a shield holds it back. Only asks.
/// Signals: not from a handler; it takes a lock to be sure when the answer may be yes.
inline bool interrupt_pending() noexcept {
  if ((detail::here().due.load(std::memory_order_relaxed) & detail::interrupt_due) == 0) [[likely]]
    return false;
  return detail::pending_slow();
}

} // namespace lastcall
