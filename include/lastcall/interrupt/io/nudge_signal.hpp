// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

/// The signal that wakes threads inside `io::` calls.
namespace lastcall::io {

/// A thread that waits in an `io::` call is woken by a real-time signal, and only while it waits. The library
/// takes one that the program does not use when a thread makes its first call that may have to be woken, and
/// gives it back when no such thread is left (a thread ends; the owner closes its signal_scope). From the
/// next taking on, it tries `signal` first; if that is in use (its disposition is not the default one, one is
/// pending, or the calling thread blocks it), the next one that is free. When none is, the calls fail with
/// EBUSY, naming sigaction.
///
/// Throws std::invalid_argument for a number that is not from SIGRTMIN to SIGRTMAX. Threads: any.
void prefer_nudge_signal(int signal);

} // namespace lastcall::io
