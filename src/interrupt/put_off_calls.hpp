// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <signal.h>

namespace lastcall::detail {

/// Calls of found handlers that wait for the end of their thread's shield.
///
/// A handler that was found knows nothing of shields, and what it does (end the process, jump away, start a
/// stop of its own) is what a shielded stretch must not be cut by. So it is called at the end of the shield,
/// as a signal would be that was blocked meanwhile: in order of arrival, equal standard signals once.
///
/// What can fail: there is room for 64 of them. One more is called at once: a call in the wrong moment is
/// better than none. The context of the interrupted code is gone by then: it gets a null pointer for it.

/// For a handler: keeps the call for the end of this thread's shield. False when none is up, or without room.
/// Async-signal-safe.
bool put_off_call(const struct ::sigaction& found, int signal, const siginfo_t* info) noexcept;

/// Makes this thread's calls that were put off: the action at a shield's end.
void make_put_off_calls() noexcept;

/// Forgets all of them, in a forked child: they were its parent's.
void forget_put_off_calls() noexcept;

} // namespace lastcall::detail
