// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "interrupt/custody.hpp"

namespace lastcall::detail {

/// Whether a signal can be handled at all: it exists, the kernel lets it be caught, it is not raised by
/// a fault of the program, and the C library does not need it for itself.
bool can_be_handled(int signal) noexcept;

/// Remembers the disposition of `signal` and installs ours. Signals that are ignored are left alone
/// when `keep_ignored`; `installed` says whether ours is in place. 0 or minus an errno, and then nothing
/// has changed. `together` is blocked while the handler runs.
int install(int signal, const sigset_t& together, bool keep_ignored, bool& installed) noexcept;

/// Puts the remembered disposition back where ours is still in place. A refusal is answered by one more
/// try; after that the handler itself gives the signal back when it comes.
void give_back(int signal) noexcept;

/// For a handler that has no scope to work for: gives `signal` back and lets the old disposition act on
/// this arrival. Async-signal-safe.
void hand_back(int signal, const siginfo_t& info) noexcept;

} // namespace lastcall::detail
