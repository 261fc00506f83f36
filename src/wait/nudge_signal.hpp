// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <signal.h>

namespace lastcall::wait {

using signal_handler = void (*)(int, siginfo_t*, void*);

/// The real-time signal that nudges are sent by. The first to take it makes `handler` its handler, the last
/// to give it back restores the default disposition, if the handler is still ours.
///
/// It is never one the program uses: the preferred one, or else the next one that has the default
/// disposition, is not pending, and is not blocked by the calling thread (who blocks a signal takes it by
/// sigwait or a descriptor), unless that thread blocks all that are left. 0, or minus an errno: -EBUSY when
/// there is none. Not from a handler.
int take_nudge_signal(signal_handler handler) noexcept;
void give_back_nudge_signal() noexcept;

/// Its number; 0 while nobody has it. Async-signal-safe.
int nudge_signal() noexcept;

/// Which one to try first from now on.
bool can_be_nudge_signal(int signal) noexcept;
void prefer_nudge_signal(int signal) noexcept;

} // namespace lastcall::wait
