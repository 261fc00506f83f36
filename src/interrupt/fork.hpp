// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <signal.h>

/// What a child begins with that is forked through libc.
///
/// Obstacle: a child is a copy of everything but the threads. It has our handlers, words that say what is due
/// to its parent, a scope whose herald does not exist and whose lock may be held for ever, and its one thread
/// may stand in the middle of shields.
///
/// Two lines of defence. The handler and everything of a scope ask which process they are in
/// (sys/incarnation.hpp) before they touch anything; that holds for every kind of child, also of a raw
/// `_Fork`. And a child that libc makes is cleaned before `fork` returns in it, by the function registered
/// with the first scope: nothing is due, no call is put off, and the shields that were up mean what they say
/// (`in_child`).
///
///   reset:   those that are up count as run out. They end as ever, and each takes itself off both counts.
///   inherit: the handler keeps the first arrival of each signal, as the kernel does with blocked ones. At
///            the shield's end they are raised again with their siginfo, and find no stretch: a scope of the
///            child has them, or else the old disposition.
///   ignore:  the handler drops them.
///
/// Rejected: blocking the signals in the child. What it spawns would have them blocked, too, and for good.
namespace lastcall::detail {

/// Registers the cleaning, once. 0 or minus an errno.
int prepare_for_fork() noexcept;

/// For a handler that has no scope to work for: whether the signal is kept or ignored for a stretch of this
/// child. `info` may be null. Async-signal-safe.
bool is_kept_in_child(int signal, const siginfo_t* info) noexcept;

} // namespace lastcall::detail
