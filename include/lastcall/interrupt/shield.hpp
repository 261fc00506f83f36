// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/thread_word.hpp>

#include <functional>
#include <utility>

namespace lastcall {

/// A stretch in which delivery to this thread is put off.
///
/// Two steps that belong together (take the money, hand over the ticket) must not be cut by a request
/// between them. A shield does not block signals and does not lose any: they are recorded, counted and
/// acted on by the herald as ever, the stop token fires; only this thread's checkpoints and `io::` calls
/// neither throw nor return early. The first checkpoint after the last shield delivers.
///
///     {
///       lastcall::shield whole;
///       account.withdraw(price);
///       desk.print(ticket);
///     }
///     lastcall::checkpoint();
///
/// Shields nest. The end of a shield delivers nothing by itself, so it never throws.
/// Threads: this thread only; others are neither protected nor slowed. Enter and leave are an increment
///   and a decrement of a thread-local number, no system call.
/// Stop: the ladder's force step goes through a shield. Keep the stretch short: a shield has no bound.
class shield {
public:
  shield() noexcept { ++detail::here().shields; }
  ~shield() { --detail::here().shields; }
  shield(const shield&) = delete;
  shield& operator=(const shield&) = delete;
};

/// Runs `fn` under a shield and returns what it returns. Delivery comes at the next checkpoint, so a
/// value that was returned cannot be lost to it.
template <class Fn>
decltype(auto) shielded(Fn&& fn) {
  shield up;
  return std::invoke(std::forward<Fn>(fn));
}

} // namespace lastcall
